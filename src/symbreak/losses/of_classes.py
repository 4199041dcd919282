"""Losses of classes, whose prediction is a probability; the conventions stand in `loss`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symbreak.arrays import (
    Array,
    cast,
    expit,
    gather,
    into,
    namespace,
    plain_number,
    quiet,
    scatter_,
    softplus,
)
from symbreak.errors import InvalidInput
from symbreak.losses.loss import Loss, LossByOutputs


@dataclass(frozen=True)
class BinaryCrossEntropy(LossByOutputs):
    """Σ_k log(1 + exp(u_k)), u = (1 - 2 y) raw, y 0 or 1; the prediction is sigmoid(raw).

    delta = (1 - 2 y) sigmoid(u), which is sigmoid(raw) - y without the cancellation at saturation.
    The target holds 1 - 2 y: +1 for class 0, -1 for class 1.
    """

    name: ClassVar[str] = "binary_cross_entropy"
    sklearn_link: ClassVar[str] = "logistic"
    fits_any_number: ClassVar[bool] = False
    is_classification: ClassVar[bool] = True

    def link(self, raw: Array) -> Array:
        return expit(raw)

    def value(self, raw: Array, target: Array) -> Array:
        raw *= target
        return namespace(raw).sum(softplus(raw), axis=1)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        value = self.value(raw, target)
        expit(raw, raw)
        raw *= target
        return value

    def _curvature(self, raw: Array, target: Array) -> Array:  # noqa: ARG002 - of raw alone
        return expit(raw) * expit(-raw)

    @quiet
    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        xp = namespace(prediction)
        logs = xp.log(xp.where(y == 1.0, prediction, 1.0 - prediction))
        return -xp.sum(logs, axis=1), prediction - y

    def prepare(self, y: Array, n_outputs: int) -> Array:
        return 1.0 - 2.0 * cast(super().prepare(y, n_outputs), "float64")

    def outputs_of(self, target: Array, n_outputs: int) -> Array:  # noqa: ARG002 - as many
        return (1.0 - target) / 2.0

    def _check_values(self, y: Array) -> None:
        wrong = (y != 0) & (y != 1)
        if bool(namespace(y).any(wrong)):
            raise InvalidInput(
                f"y of binary_cross_entropy must be 0 or 1. Got {float(y[wrong][0])!r}. "
                f"For more classes in one column use loss='cross_entropy'."
            )


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-log p_y, p = softmax(raw) over the outputs; y is the index of the class.

    With e_k = exp(raw_k - max raw) and q = Σ_{k≠y} e_k, s = q + e_y:
        loss = log(s) - (raw_y - max raw) = log1p(q + (e_y - 1)) - (raw_y - max raw)
        delta_k = e_k / s for k ≠ y,    delta_y = -q / s
    which is p - onehot(y) without the cancellation in 1 - p_y, and no term of the loss is negative.
    C = diag(p) - p p^T,  R = diag(sqrt p) (I - 1 p^T).
    """

    name: ClassVar[str] = "cross_entropy"
    sklearn_link: ClassVar[str] = "softmax"
    fits_any_number: ClassVar[bool] = False
    sees_differences: ClassVar[bool] = True
    is_classification: ClassVar[bool] = True
    target_is_index: ClassVar[bool] = True

    def link(self, raw: Array) -> Array:
        xp = namespace(raw)
        e = xp.exp(raw - xp.max(raw, axis=1, keepdims=True))
        e /= xp.sum(e, axis=1, keepdims=True)
        return e

    def value(self, raw: Array, target: Array) -> Array:
        return self._terms_(raw, target)[0]

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        value, others, total = self._terms_(raw, target)
        raw /= total
        others /= total
        scatter_(raw, target, -others)
        return value

    def curvature_product(self, raw: Array, target: Array, u: Array) -> Array:  # noqa: ARG002
        xp, p = namespace(raw), self.link(raw)
        # C does not see a constant; without the u of the likeliest class nothing cancels.
        apart = u - gather(u, xp.argmax(raw, axis=1, keepdims=True))
        return p * (apart - xp.sum(p * apart, axis=1, keepdims=True))

    def curvature_root(self, raw: Array, target: Array) -> Array:  # noqa: ARG002 - of raw alone
        xp, p = namespace(raw), self.link(raw)
        identity = xp.eye(raw.shape[1], dtype=raw.dtype, device=raw.device)[:, :, None]
        return xp.sqrt(p)[:, :, None, :] * (identity - p[:, None, :, :])

    def _terms_(self, raw: Array, target: Array) -> tuple[Array, Array, Array]:
        """Return loss, q and s; raw becomes e with a zero at y."""
        xp = namespace(raw)
        raw -= xp.max(raw, axis=1, keepdims=True)
        shifted_y = gather(raw, target)
        into(raw, xp.exp, raw)
        scatter_(raw, target, 0.0)
        others = xp.sum(raw, axis=1, keepdims=True)
        excess = xp.expm1(shifted_y)
        excess += others
        value = xp.log1p(excess)
        value -= shifted_y
        excess += 1.0
        return value[:, 0, :], others, excess

    @quiet
    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        xp = namespace(prediction)
        logs = xp.log(xp.where(y == 1.0, prediction, 1.0))
        return -xp.sum(logs, axis=1), prediction - y

    def outputs_of(self, target: Array, n_outputs: int) -> Array:
        xp = namespace(target)
        identity = xp.eye(n_outputs, dtype=xp.float64, device=target.device)
        return xp.take(identity, target[0, :], axis=1)

    def check_outputs(self, n_outputs: int) -> None:
        if n_outputs < 2:
            raise InvalidInput(
                f"outputs of Network must be 2 or more with loss 'cross_entropy' (one for each "
                f"class). Got {n_outputs}. For one output use loss='binary_cross_entropy'."
            )

    def prepare(self, y: Array, n_outputs: int) -> Array:
        """Return class indices (1, examples) of y: indices (examples,) or one-hot rows."""
        if y.ndim == 2 and y.shape[1] == n_outputs:
            y = _index_of_one_hot(y)
        elif y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise InvalidInput(
                f"y of cross_entropy must be class indices (examples,) or one-hot rows "
                f"(examples, {n_outputs}). Got shape {tuple(y.shape)}."
            )
        index = cast(y, "int64")
        wrong = (cast(index, "float64") != cast(y, "float64")) | (index < 0) | (index >= n_outputs)
        if bool(namespace(y).any(wrong)):
            raise InvalidInput(
                f"y of cross_entropy must be class indices 0..{n_outputs - 1}. "
                f"Got {plain_number(y[wrong][0])!r}."
            )
        return namespace(y).reshape(index, (1, -1))


def _index_of_one_hot(y: Array) -> Array:
    xp, numbers = namespace(y), cast(y, "float64")
    is_other = (numbers != 0.0) & (numbers != 1.0)
    if bool(xp.any(is_other)) or bool(xp.any(xp.sum(numbers, axis=1) != 1.0)):
        raise InvalidInput(
            "y of cross_entropy must be class indices or one-hot rows: one 1 in each row, the "
            "rest 0. Got other values in two-dimensional y."
        )
    return xp.argmax(numbers, axis=1)
