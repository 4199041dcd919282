"""Losses: an output link and a loss that belong together, value and gradient side by side.

Conventions
-----------
raw        : (starts, outputs, examples), the value before the link
prediction : link(raw), the same shape: probabilities or means
target     : (outputs, examples), as `prepare` makes it; class indices (1, examples) for soft-max
loss       : (starts, examples), the sum over outputs for each example; means are taken elsewhere
delta      : d loss / d raw, (starts, outputs, examples)

curvature  : d delta / d raw, for each example an (outputs, outputs) matrix C; C is diagonal but for
             soft-max. Its root R, with R^T R = C, makes the Gauss-Newton matrix. Where a loss is
             linear in raw C is 0, at its kinks too: the Gauss-Newton matrix does not see such an
             example, and that of absolute_error and quantile holds the penalty alone.

`value(raw, target)` gives the loss; `value_and_delta_(raw, target)` gives it too and overwrites raw
with delta. Both compute every term so that nothing cancels: the loss and its gradient keep their
relative precision far into saturation, and nothing overflows at |raw| = 1e4.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from symbreak.errors import InvalidInput, choose

# A tensor: torch takes several times longer to multiply a small one by a Python number.
_LOG2_E = torch.tensor(math.log2(math.e), dtype=torch.float64)


__all__ = [
    "LOSSES",
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "LossByOutputs",
    "Poisson",
    "Quantile",
    "SquaredError",
    "loss_from_settings",
    "loss_of",
]


@dataclass(frozen=True)
class Loss(ABC):
    """An output link and the loss that belongs to it."""

    name: ClassVar[str]
    is_classification: ClassVar[bool] = False
    target_is_index: ClassVar[bool] = False

    @abstractmethod
    def link(self, raw: Tensor) -> Tensor:
        """Return the prediction, a fresh tensor."""

    @abstractmethod
    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        """Return the loss of every example, (starts, examples); raw may be overwritten."""

    @abstractmethod
    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        """Return the loss (starts, examples) and turn raw into delta."""

    @abstractmethod
    def curvature_product(self, raw: Tensor, target: Tensor, u: Tensor) -> Tensor:
        """Return C u for u (starts, outputs, examples), a fresh tensor."""

    @abstractmethod
    def curvature_root(self, raw: Tensor, target: Tensor) -> Tensor:
        """Return R, (starts, outputs, outputs, examples), its second axis the row of R."""

    def prepare(self, y: Tensor, n_outputs: int) -> Tensor:
        """Return the target (outputs, examples) of y (examples,) or (examples, outputs)."""
        columns = y.reshape(len(y), -1) if y.dim() <= 2 else y
        if columns.dim() != 2 or columns.shape[1] != n_outputs:
            raise InvalidInput(
                f"y of {self.name} must be of shape (examples, {n_outputs}). Got {tuple(y.shape)}."
            )
        self._check_values(columns)
        return columns.T.contiguous()

    def check_outputs(self, n_outputs: int) -> None:  # noqa: B027 - most losses take any number
        """Refuse a number of outputs that the loss cannot have."""

    def to_settings(self) -> dict[str, Any]:
        """Return a plain dictionary that names the loss and its parameters."""
        return {"name": self.name, **asdict(self)}

    def _check_values(self, y: Tensor) -> None:  # noqa: B027 - most losses take any number
        """Refuse targets outside the range of the loss."""

    def __str__(self) -> str:
        return self.name


class LossByOutputs(Loss):
    """A loss that is a sum over outputs of its own for each: C is diagonal."""

    def curvature_product(self, raw: Tensor, target: Tensor, u: Tensor) -> Tensor:
        return self._curvature(raw, target) * u

    def curvature_root(self, raw: Tensor, target: Tensor) -> Tensor:
        return torch.diag_embed(self._curvature(raw, target).sqrt().movedim(1, -1)).movedim(1, -1)

    @abstractmethod
    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:
        """Return the diagonal of C, (starts, outputs, examples)."""


@dataclass(frozen=True)
class SquaredError(LossByOutputs):
    """½ Σ_k (raw_k - y_k)², the prediction is raw.       delta = raw - y."""

    name: ClassVar[str] = "squared_error"

    def link(self, raw: Tensor) -> Tensor:
        return raw.clone()

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return raw.sub_(target).square_().sum(1).mul_(0.5)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        return raw.sub_(target).square().sum(1).mul_(0.5)

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - constant
        return torch.ones_like(raw)


@dataclass(frozen=True)
class AbsoluteError(LossByOutputs):
    """Σ_k |raw_k - y_k|, the prediction is raw (a median).       delta = sign(raw - y)."""

    name: ClassVar[str] = "absolute_error"

    def link(self, raw: Tensor) -> Tensor:
        return raw.clone()

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return raw.sub_(target).abs_().sum(1)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        value = raw.sub_(target).abs().sum(1)
        raw.sign_()
        return value

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - piecewise linear
        return torch.zeros_like(raw)


@dataclass(frozen=True)
class Huber(LossByOutputs):
    """Squared near the target, absolute beyond `delta` (Huber 1964).

    With r = raw - y:  ½ r² where |r| <= delta, else delta (|r| - ½ delta).
    delta = clip(r, -delta, delta);  C = 1 where |r| <= delta, else 0.
    """

    delta: float = 1.0
    name: ClassVar[str] = "huber"

    def __post_init__(self) -> None:
        if not (_is_finite(self.delta) and self.delta > 0):
            raise InvalidInput(f"delta of Huber must be a positive number. Got {self.delta!r}.")

    def link(self, raw: Tensor) -> Tensor:
        return raw.clone()

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return self.value_and_delta_(raw, target)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        residual = raw.sub_(target).clone()
        raw.clamp_(-self.delta, self.delta)
        # c (r - ½ c), c the clipped residual, is both branches in one.
        return residual.sub_(raw, alpha=0.5).mul_(raw).sum(1)

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:
        return ((raw - target).abs() <= self.delta).to(raw.dtype)


@dataclass(frozen=True)
class Quantile(LossByOutputs):
    """The pinball loss (Koenker & Bassett 1978); the prediction is the `q` quantile.

    With r = y - raw:  q r where r >= 0, else (q - 1) r.
    delta = -q where raw < y, 1 - q where raw > y, 0 at raw = y.
    """

    q: float = 0.5
    name: ClassVar[str] = "quantile"

    def __post_init__(self) -> None:
        if not (_is_finite(self.q) and 0.0 < self.q < 1.0):
            raise InvalidInput(f"q of Quantile must be between 0 and 1. Got {self.q!r}.")

    def link(self, raw: Tensor) -> Tensor:
        return raw.clone()

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return self.value_and_delta_(raw, target)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        residual = raw.sub_(target).clone()  # raw - y
        above, below = residual > 0, residual < 0
        raw.copy_(above * (1.0 - self.q) - below * self.q)
        return residual.mul_(raw).sum(1)

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - piecewise linear
        return torch.zeros_like(raw)


@dataclass(frozen=True)
class Poisson(LossByOutputs):
    """Σ_k (exp(raw_k) - y_k raw_k), the prediction is exp(raw), y >= 0.       delta = exp(raw) - y.

    The mean stops growing at the square root of the largest number of the dtype (1e19 in float32,
    1e154 in float64); from there the loss goes on along its tangent, so that value and gradient
    stay finite and belong to each other.
    """

    name: ClassVar[str] = "poisson"

    def link(self, raw: Tensor) -> Tensor:
        return torch.exp(raw.clamp(max=_poisson_limit(raw)))

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return _poisson_value(raw, self.link(raw), target)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        mean = self.link(raw)
        value = _poisson_value(raw, mean, target)
        torch.sub(mean, target, out=raw)
        return value

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - of raw alone
        return torch.where(raw < _poisson_limit(raw), self.link(raw), 0.0)

    def _check_values(self, y: Tensor) -> None:
        if bool((y < 0).any()):
            raise InvalidInput(f"y of poisson must not be negative. Got {float(y.min())!r}.")


def _poisson_limit(raw: Tensor) -> float:
    return 0.5 * math.log(torch.finfo(raw.dtype).max)


def _poisson_value(raw: Tensor, mean: Tensor, target: Tensor) -> Tensor:
    beyond = (raw - _poisson_limit(raw)).clamp_(min=0.0)
    return (mean * (1.0 + beyond) - target * raw).sum(1)


@dataclass(frozen=True)
class BinaryCrossEntropy(LossByOutputs):
    """Σ_k log(1 + exp(u_k)), u = (1 - 2 y) raw, y 0 or 1; the prediction is sigmoid(raw).

    delta = (1 - 2 y) sigmoid(u), which is sigmoid(raw) - y without the cancellation at saturation.
    The target holds 1 - 2 y: +1 for class 0, -1 for class 1.
    """

    name: ClassVar[str] = "binary_cross_entropy"
    is_classification: ClassVar[bool] = True

    def link(self, raw: Tensor) -> Tensor:
        return torch.sigmoid(raw)

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return logsigmoid(raw.mul_(target).neg_()).sum(1).neg_()

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        value = logsigmoid(raw.mul_(target).neg_()).sum(1).neg_()
        raw.neg_().sigmoid_().mul_(target)
        return value

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - of raw alone
        return torch.sigmoid(raw).mul_(torch.sigmoid(-raw))

    def prepare(self, y: Tensor, n_outputs: int) -> Tensor:
        return super().prepare(y, n_outputs).mul(-2.0).add_(1.0)

    def _check_values(self, y: Tensor) -> None:
        wrong = (y != 0) & (y != 1)
        if bool(wrong.any()):
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
    is_classification: ClassVar[bool] = True
    target_is_index: ClassVar[bool] = True

    def link(self, raw: Tensor) -> Tensor:
        return torch.softmax(raw, dim=1)

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return self._terms_(raw, target)[0]

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        value, others, total, index = self._terms_(raw, target)
        raw.div_(total).scatter_(1, index, others.div_(total).neg_())
        return value

    def curvature_product(self, raw: Tensor, target: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002
        p = self.link(raw)
        # C does not see a constant; without the u of the likeliest class nothing cancels.
        apart = u - u.gather(1, raw.argmax(1, keepdim=True))
        return p * (apart - (p * apart).sum(1, keepdim=True))

    def curvature_root(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - of raw alone
        p = self.link(raw)
        identity = torch.eye(raw.shape[1], dtype=raw.dtype, device=raw.device)[:, :, None]
        return p.sqrt()[:, :, None] * (identity - p[:, None])

    def _terms_(self, raw: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return loss, q, s and the index of y; raw becomes e with a zero at y."""
        index = target.expand(raw.shape[0], 1, -1)
        raw.sub_(raw.amax(1, keepdim=True))
        shifted_y = raw.gather(1, index)
        # Each twice as fast as exp_() and as scattering a Python number.
        raw.mul_(_LOG2_E).exp2_().scatter_(1, index, raw.new_zeros(()).expand(index.shape))
        others = raw.sum(1, keepdim=True)
        excess = torch.expm1(shifted_y).add_(others)
        value = torch.log1p(excess).sub_(shifted_y).squeeze(1)
        return value, others, excess.add_(excess.new_ones(())), index

    def check_outputs(self, n_outputs: int) -> None:
        if n_outputs < 2:
            raise InvalidInput(
                f"outputs of Network must be 2 or more with loss 'cross_entropy' (one for each "
                f"class). Got {n_outputs}. For one output use loss='binary_cross_entropy'."
            )

    def prepare(self, y: Tensor, n_outputs: int) -> Tensor:
        """Return class indices (1, examples) of y: indices (examples,) or one-hot rows."""
        if y.dim() == 2 and y.shape[1] == n_outputs:
            y = _index_of_one_hot(y)
        elif y.dim() == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.dim() != 1:
            raise InvalidInput(
                f"y of cross_entropy must be class indices (examples,) or one-hot rows "
                f"(examples, {n_outputs}). Got shape {tuple(y.shape)}."
            )
        index = y.long()
        wrong = (index != y) | (index < 0) | (index >= n_outputs)
        if bool(wrong.any()):
            raise InvalidInput(
                f"y of cross_entropy must be class indices 0..{n_outputs - 1}. "
                f"Got {y[wrong][0].item()!r}."
            )
        return index.reshape(1, -1)


def _is_finite(number: object) -> bool:
    return isinstance(number, Real) and not isinstance(number, bool) and math.isfinite(number)


def _index_of_one_hot(y: Tensor) -> Tensor:
    if bool(((y != 0) & (y != 1)).any()) or bool((y.sum(1) != 1).any()):
        raise InvalidInput(
            "y of cross_entropy must be class indices or one-hot rows: one 1 in each row, the "
            "rest 0. Got other values in two-dimensional y."
        )
    return y.argmax(1)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (
        CrossEntropy,
        BinaryCrossEntropy,
        SquaredError,
        Poisson,
        AbsoluteError,
        Huber,
        Quantile,
    )
}


def loss_of(word: object) -> Loss:
    """Return the loss that `word` names, with its default parameters, or `word` if it is one."""
    if isinstance(word, Loss):
        return word
    return LOSSES[choose("loss of Network", word, LOSSES)]()


def loss_from_settings(settings: Mapping[str, Any]) -> Loss:
    """Return the loss that `Loss.to_settings` described."""
    parameters = {key: value for key, value in settings.items() if key != "name"}
    return LOSSES[choose("loss of Network", settings["name"], LOSSES)](**parameters)


def __dir__() -> list[str]:
    return sorted(__all__)
