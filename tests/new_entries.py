"""An activation, two losses and two methods that only these tests know.

Whatever is written about them stands in their records here, as it would in `symbreak`; who reads a
table of its own does not know them, and is found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symbreak.activations import Activation
from symbreak.arrays import Array, expit, namespace
from symbreak.errors import InvalidInput
from symbreak.losses import LossByOutputs
from symbreak.optimize.method import Method, few_vectors
from symbreak.optimize.methods import gradient_descent
from symbreak.optimize.stochastic import MiniBatchOptions, on_minibatches
from symbreak.optimize.updates.rules import UpdateRule


# a = z / (1 + |z|)             g' = 1 / (1 + |z|)²             g'' = -2 sign z / (1 + |z|)³
def _softsign(z: Array, out: Array) -> None:
    out[...] = z / (1.0 + abs(z))


def _softsign_derivative(a: Array) -> Array:
    return (1.0 - abs(a)) ** 2


def _softsign_second(z: Array) -> Array:
    return -2.0 * namespace(z).sign(z) / (1.0 + abs(z)) ** 3


SOFTSIGN = Activation(
    "softsign", _softsign, _softsign_derivative, _softsign_second,
    formula="z / (1 + |z|)", gain=2.337533363108539, is_odd=True,
    active_range=(-3.0, 3.0), output_range=(-1.0, 1.0), sklearn_name="soft",
)  # fmt: skip


@dataclass(frozen=True)
class Gamma(LossByOutputs):
    """Σ_k (raw_k + y_k exp(-raw_k)), the prediction is exp(raw), y > 0."""

    name: ClassVar[str] = "gamma"
    sklearn_link: ClassVar[str] = "exp"
    is_classification: ClassVar[bool] = False
    fits_any_number: ClassVar[bool] = False

    def link(self, raw: Array) -> Array:
        return namespace(raw).exp(raw)

    def value(self, raw: Array, target: Array) -> Array:
        return (raw + target * namespace(raw).exp(-raw)).sum(1)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        value = self.value(raw, target)
        raw[...] = 1.0 - target * namespace(raw).exp(-raw)
        return value

    def _curvature(self, raw: Array, target: Array) -> Array:
        return target * namespace(raw).exp(-raw)

    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        return (namespace(prediction).log(prediction) + y / prediction).sum(1), 1.0 - y / prediction

    def _check_values(self, y: Array) -> None:
        if bool((y <= 0).any()):
            raise InvalidInput(f"y of gamma must be above 0. Got {float(y.min())!r}.")


@dataclass(frozen=True)
class Brier(LossByOutputs):
    """½ Σ_k (a_k - y_k)², the prediction a is sigmoid(raw), y 0 or 1."""

    name: ClassVar[str] = "brier"
    sklearn_link: ClassVar[str] = "logistic"
    is_classification: ClassVar[bool] = True
    fits_any_number: ClassVar[bool] = False

    def link(self, raw: Array) -> Array:
        return expit(raw)

    def value(self, raw: Array, target: Array) -> Array:
        return 0.5 * ((self.link(raw) - target) ** 2).sum(1)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        value, delta = self.from_prediction(self.link(raw), target)
        raw[...] = delta
        return value

    def _curvature(self, raw: Array, target: Array) -> Array:
        a = self.link(raw)
        return (a * (1.0 - a)) ** 2

    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        off = prediction - y
        return 0.5 * (off**2).sum(1), off * prediction * (1.0 - prediction)


class Signs(UpdateRule):
    """Steps of one size along the signs of the gradient."""

    per_start = ()

    def start(self, theta, objective):
        """Remember nothing."""

    def update_(self, theta, gradient, rate):
        """Take one step in place."""
        theta -= namespace(gradient).sign(gradient) * rate


def signs(*, learning_rate=0.003, **batches):
    """Return the method on mini-batches."""
    return on_minibatches("signs", Signs(), learning_rate, **batches)


def plain_descent(*, learning_rate=0.05):
    """Return gradient descent without momentum."""
    return gradient_descent(learning_rate=learning_rate, momentum=0.0)


SIGNS = Method(
    name="signs", build=signs, minibatch_options=MiniBatchOptions, aliases=("sign-descent",),
    update="elementwise", may_rise=True, memory=lambda n, options: options["batch_size"],
    sklearn_name="signsgd", has_sklearn_schedule=True,
)  # fmt: skip
PLAIN = Method(
    name="plain", build=plain_descent, update="linear", may_rise=True, memory=few_vectors
)
