"""The stages of back-propagation, their order, and each one's formula from those before it.

Conventions (layers counted from 1, the input; L is the last)
-----------
z(l) = Theta(l-1) [1; a(l-1)],   a(l) = g(z(l)),   a(L) = link(z(L))
J = mean loss + alpha / (2 m) Σ theta², biases excluded
delta(L) = d loss / d z(L),   delta(l) = W(l)^T delta(l+1) * g'(z(l)),   W = Theta without its bias
gradient of Theta(l) = delta(l+1) [1; a(l)]^T / m + alpha / m Theta(l), biases excluded
Arrays are (units, m); a gradient has the shape of its Theta; J is (1, 1).

A `Pass` computes any stage from those it is given, and can make a mistake on the way. So it tells
what must come out, what would come out of a person's own earlier stages, and what a known mistake
would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from symbreak.activations import Activation
from symbreak.arrays import quiet
from symbreak.backpropagation_check.problem import Array, Problem


class Stage(NamedTuple):
    """One array of the lecture: z, a or delta of a layer, the gradient of a Theta, or J."""

    kind: str
    layer: int

    @property
    def name(self) -> str:
        """Such as "delta(2)" or "gradient of Theta1"."""
        if self.kind == "gradients":
            return f"gradient of Theta{self.layer}"
        return "J" if self.kind == "J" else f"{self.kind}({self.layer})"


Formula = Callable[["Pass", int], Array]


def stages_of(n_layers: int) -> tuple[Stage, ...]:
    """Return all stages in the order of computation."""
    layers = range(2, n_layers + 1)
    forward = [Stage(kind, layer) for layer in layers for kind in ("z", "a")]
    deltas = [Stage("delta", layer) for layer in reversed(layers)]
    gradients = [Stage("gradients", layer) for layer in range(1, n_layers)]
    return (*forward, Stage("J", n_layers), *deltas, *gradients)


def inputs_of(stage: Stage, n_layers: int) -> tuple[Stage, ...]:
    """Return the stages that the formula of `stage` reads."""
    kind, layer = stage
    inputs = {
        "z": (Stage("a", layer - 1),),
        "a": (Stage("z", layer),),
        "J": (Stage("a", n_layers),),
        "delta": (Stage("delta", layer + 1), Stage("z", layer)),
        "gradients": (Stage("delta", layer + 1), Stage("a", layer)),
    }[kind]
    if stage == Stage("delta", n_layers):
        inputs = (Stage("a", n_layers),)
    return tuple(one for one in inputs if one.layer > 1)


class Pass:
    """Stages computed by their formulas, from the stages given and with the mistakes asked for.

    Parameters
    ----------
    given : values taken as they are; stages before them no longer matter to what follows.
    mistakes : formulas used in place of the right ones.
    rounding : the size of one rounding; every stage is disturbed by it at random. 0 leaves all be.
    seed : of the disturbance.
    """

    def __init__(
        self,
        problem: Problem,
        given: Mapping[Stage, Array] | None = None,
        mistakes: Mapping[Stage, Formula] | None = None,
        rounding: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.problem = problem
        self._given = dict(given or {})
        self._mistakes = dict(mistakes or {})
        self._rounding = rounding
        self._random = np.random.default_rng(seed)
        self._known: dict[Stage, Array] = {}

    def value(self, kind: str, layer: int) -> Array:
        """Return the array of a stage."""
        stage = Stage(kind, layer)
        if stage in self._given:
            return self._given[stage]
        if stage not in self._known:
            formula = self._mistakes.get(stage, _FORMULAS[kind])
            self._known[stage] = self._rounded(formula(self, layer))
        return self._known[stage]

    def a(self, layer: int) -> Array:
        """Return a(layer), (units, m); a(1) is the input."""
        return self.problem.X_T if layer == 1 else self.value("a", layer)

    def z(self, layer: int) -> Array:
        """Return z(layer), (units, m)."""
        return self.value("z", layer)

    def delta(self, layer: int) -> Array:
        """Return delta(layer), (units, m)."""
        return self.value("delta", layer)

    def slope(self, layer: int) -> Array:
        """Return g'(z(layer)) of a hidden layer."""
        # 1 - a² and a (1 - a) are exact to one rounding of 1, not of themselves.
        return self.disturbed(slope_at(self.activation(layer), self.z(layer)), 1.0)

    def activation(self, layer: int) -> Activation:
        """Return g of a hidden layer."""
        return self.problem.network.activations[layer - 2]

    def is_own_prediction(self) -> bool:
        """Whether a(L) is anything but link(z(L)), so that J and delta(L) must be taken from it."""
        last = Stage("a", self.problem.n_layers)
        return last in self._given or last in self._mistakes

    def disturbed(self, array: Array, size: Array | float) -> Array:
        """Return `array` with up to one rounding of `size` added at random to every entry."""
        if self._rounding == 0.0:
            return array
        return array + self._rounding * size * self._random.uniform(-1.0, 1.0, array.shape)

    def _rounded(self, array: Array) -> Array:
        return self.disturbed(array, np.abs(array))


def with_one(a: Array) -> Array:
    """Return [1; a]."""
    return np.vstack([np.ones((1, a.shape[1])), a])


@quiet
def value_at(activation: Activation, z: Array) -> Array:
    """Return g(z)."""
    return np.asarray(activation.value(z))


@quiet
def slope_at(activation: Activation, z: Array) -> Array:
    """Return g'(z)."""
    return np.asarray(activation.derivative(z))


@quiet
def slope_from(activation: Activation, a: Array) -> Array:
    """Return g' by its formula in a = g(z), such as a (1 - a)."""
    return np.asarray(activation.derivative_from(a.copy()))


@quiet
def link(problem: Problem, raw: Array) -> Array:
    """Return the prediction of raw (outputs, m)."""
    return np.asarray(problem.network.loss.link(raw[None])[0])


@quiet
def losses_and_delta(problem: Problem, raw: Array) -> tuple[Array, Array]:
    """Return the loss of every example (m,) and delta(L) from raw (outputs, m)."""
    delta = raw[None].copy()
    losses = problem.network.loss.value_and_delta_(delta, problem.target)
    return np.asarray(losses[0]), delta[0]


def losses(run: Pass) -> Array:
    """Return the loss of every example, (m,)."""
    problem = run.problem
    if run.is_own_prediction():
        return _of_prediction(problem, run.a(problem.n_layers))[0]
    found, _ = losses_and_delta(problem, run.z(problem.n_layers))
    if problem.network.loss.is_classification:
        # log(1 - a) sees one rounding of a divided by 1 - a, about exp(loss).
        return run.disturbed(found, np.exp(np.minimum(found, 700.0)))
    return found


def penalty(problem: Problem, *, with_bias: bool = False) -> float:
    """Return alpha / (2 m) Σ theta²."""
    thetas = [problem.penalised(k, with_bias=with_bias) for k in range(1, problem.n_layers)]
    return problem.alpha / (2 * problem.m) * float(sum((theta**2).sum() for theta in thetas))


@quiet
def _of_prediction(problem: Problem, a: Array) -> tuple[Array, Array]:
    """Return the loss of every example (m,) and delta(L) from the prediction (outputs, m)."""
    found, delta = problem.network.loss.from_prediction(a[None], problem.Y)
    return np.asarray(found[0]), np.asarray(delta[0])


def _z(run: Pass, layer: int) -> Array:
    Theta, below = run.problem.thetas[layer - 2], with_one(run.a(layer - 1))
    return run.disturbed(Theta @ below, np.abs(Theta) @ np.abs(below))


def _a(run: Pass, layer: int) -> Array:
    if layer == run.problem.n_layers:
        return link(run.problem, run.z(layer))
    return value_at(run.activation(layer), run.z(layer))


def _J(run: Pass, layer: int) -> Array:  # noqa: ARG001 - J has no layer
    return np.array([[losses(run).mean() + penalty(run.problem)]])


def _delta(run: Pass, layer: int) -> Array:
    problem = run.problem
    if layer < problem.n_layers:
        W = problem.thetas[layer - 1][:, 1:]
        return (W.T @ run.delta(layer + 1)) * run.slope(layer)
    if not run.is_own_prediction():
        found = losses_and_delta(problem, run.z(layer))[1]
        # a - y is exact to one rounding of its terms.
        return run.disturbed(found, np.abs(run.a(layer)) + np.abs(problem.Y))
    return _of_prediction(problem, run.a(layer))[1]


def _gradient(run: Pass, layer: int) -> Array:
    problem = run.problem
    terms = run.delta(layer + 1) @ with_one(run.a(layer)).T / problem.m
    # Rounding of a sum is that of its terms, however much of them cancels.
    size = np.abs(run.delta(layer + 1)) @ np.abs(with_one(run.a(layer))).T / problem.m
    return run.disturbed(terms, size) + problem.alpha / problem.m * problem.penalised(layer)


_FORMULAS: dict[str, Formula] = {
    "z": _z, "a": _a, "J": _J, "delta": _delta, "gradients": _gradient,
}  # fmt: skip
