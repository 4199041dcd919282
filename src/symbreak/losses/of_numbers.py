"""Losses of numbers, any or not negative; the conventions stand in `loss`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import torch
from torch import Tensor

from symbreak.errors import InvalidInput
from symbreak.losses.loss import LossByOutputs


class LossOfNumbers(LossByOutputs):
    """A loss of any numbers, whose prediction is raw."""

    sklearn_link: ClassVar[str] = "identity"
    is_classification: ClassVar[bool] = False
    fits_any_number: ClassVar[bool] = True

    def link(self, raw: Tensor) -> Tensor:
        return raw.clone()

    def from_prediction(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        delta = prediction.clone()
        return self.value_and_delta_(delta, y), delta


@dataclass(frozen=True)
class SquaredError(LossOfNumbers):
    """½ Σ_k (raw_k - y_k)², the prediction is raw.       delta = raw - y."""

    name: ClassVar[str] = "squared_error"

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return raw.sub_(target).square_().sum(1).mul_(0.5)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        return raw.sub_(target).square().sum(1).mul_(0.5)

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - constant
        return torch.ones_like(raw)


@dataclass(frozen=True)
class AbsoluteError(LossOfNumbers):
    """Σ_k |raw_k - y_k|, the prediction is raw (a median).       delta = sign(raw - y)."""

    name: ClassVar[str] = "absolute_error"

    def value(self, raw: Tensor, target: Tensor) -> Tensor:
        return raw.sub_(target).abs_().sum(1)

    def value_and_delta_(self, raw: Tensor, target: Tensor) -> Tensor:
        value = raw.sub_(target).abs().sum(1)
        raw.sign_()
        return value

    def _curvature(self, raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002 - piecewise linear
        return torch.zeros_like(raw)


@dataclass(frozen=True)
class Huber(LossOfNumbers):
    """Squared near the target, absolute beyond `delta` (Huber 1964).

    With r = raw - y:  ½ r² where |r| <= delta, else delta (|r| - ½ delta).
    delta = clip(r, -delta, delta);  C = 1 where |r| <= delta, else 0.
    """

    delta: float = 1.0
    name: ClassVar[str] = "huber"

    def __post_init__(self) -> None:
        if not (_is_finite(self.delta) and self.delta > 0):
            raise InvalidInput(f"delta of Huber must be a positive number. Got {self.delta!r}.")

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
class Quantile(LossOfNumbers):
    """The pinball loss (Koenker & Bassett 1978); the prediction is the `q` quantile.

    With r = y - raw:  q r where r >= 0, else (q - 1) r.
    delta = -q where raw < y, 1 - q where raw > y, 0 at raw = y.
    """

    q: float = 0.5
    name: ClassVar[str] = "quantile"

    def __post_init__(self) -> None:
        if not (_is_finite(self.q) and 0.0 < self.q < 1.0):
            raise InvalidInput(f"q of Quantile must be between 0 and 1. Got {self.q!r}.")

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
    sklearn_link: ClassVar[str] = "exp"
    is_classification: ClassVar[bool] = False
    fits_any_number: ClassVar[bool] = False

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

    def from_prediction(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return (prediction - y * torch.log(prediction)).sum(1), prediction - y

    def _check_values(self, y: Tensor) -> None:
        if bool((y < 0).any()):
            raise InvalidInput(f"y of poisson must not be negative. Got {float(y.min())!r}.")


def _poisson_limit(raw: Tensor) -> float:
    return 0.5 * math.log(torch.finfo(raw.dtype).max)


def _poisson_value(raw: Tensor, mean: Tensor, target: Tensor) -> Tensor:
    beyond = (raw - _poisson_limit(raw)).clamp_(min=0.0)
    return (mean * (1.0 + beyond) - target * raw).sum(1)


def _is_finite(number: object) -> bool:
    return isinstance(number, Real) and not isinstance(number, bool) and math.isfinite(number)
