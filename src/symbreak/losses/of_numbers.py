"""Losses of numbers, any or not negative; the conventions stand in `loss`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import numpy as np

from symbreak.arrays import Array, copied, into, namespace, quiet, word_of
from symbreak.errors import InvalidInput
from symbreak.losses.loss import LossByOutputs


class LossOfNumbers(LossByOutputs):
    """A loss of any numbers, whose prediction is raw."""

    sklearn_link: ClassVar[str] = "identity"
    is_classification: ClassVar[bool] = False
    fits_any_number: ClassVar[bool] = True

    def link(self, raw: Array) -> Array:
        return copied(raw)

    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        delta = copied(prediction)
        return self.value_and_delta_(delta, y), delta


@dataclass(frozen=True)
class SquaredError(LossOfNumbers):
    """½ Σ_k (raw_k - y_k)², the prediction is raw.       delta = raw - y."""

    name: ClassVar[str] = "squared_error"

    def value(self, raw: Array, target: Array) -> Array:
        return self.value_and_delta_(raw, target)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        raw -= target
        return 0.5 * namespace(raw).sum(raw * raw, axis=1)

    def _curvature(self, raw: Array, target: Array) -> Array:  # noqa: ARG002 - constant
        return namespace(raw).ones_like(raw)


@dataclass(frozen=True)
class AbsoluteError(LossOfNumbers):
    """Σ_k |raw_k - y_k|, the prediction is raw (a median).       delta = sign(raw - y)."""

    name: ClassVar[str] = "absolute_error"

    def value(self, raw: Array, target: Array) -> Array:
        return self.value_and_delta_(raw, target)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        xp = namespace(raw)
        raw -= target
        value = xp.sum(xp.abs(raw), axis=1)
        raw[...] = xp.sign(raw)
        return value

    def _curvature(self, raw: Array, target: Array) -> Array:  # noqa: ARG002 - piecewise linear
        return namespace(raw).zeros_like(raw)


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

    def value(self, raw: Array, target: Array) -> Array:
        return self.value_and_delta_(raw, target)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        xp = namespace(raw)
        residual = raw - target
        into(raw, xp.clip, residual, -self.delta, self.delta)
        # c (r - ½ c), c the clipped residual, is both branches in one.
        residual -= 0.5 * raw
        residual *= raw
        return xp.sum(residual, axis=1)

    def _curvature(self, raw: Array, target: Array) -> Array:
        xp = namespace(raw)
        return xp.astype(xp.abs(raw - target) <= self.delta, raw.dtype)


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

    def value(self, raw: Array, target: Array) -> Array:
        return self.value_and_delta_(raw, target)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        xp = namespace(raw)
        residual = raw - target
        above, below = (xp.astype(is_so, raw.dtype) for is_so in (residual > 0.0, residual < 0.0))
        raw[...] = (1.0 - self.q) * above - self.q * below
        residual *= raw
        return xp.sum(residual, axis=1)

    def _curvature(self, raw: Array, target: Array) -> Array:  # noqa: ARG002 - piecewise linear
        return namespace(raw).zeros_like(raw)


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

    def link(self, raw: Array) -> Array:
        xp = namespace(raw)
        return xp.exp(xp.minimum(raw, _poisson_limit(raw)))

    def value(self, raw: Array, target: Array) -> Array:
        return _poisson_value(raw, self.link(raw), target)

    def value_and_delta_(self, raw: Array, target: Array) -> Array:
        mean = self.link(raw)
        value = _poisson_value(raw, mean, target)
        into(raw, namespace(raw).subtract, mean, target)
        return value

    def _curvature(self, raw: Array, target: Array) -> Array:  # noqa: ARG002 - of raw alone
        return namespace(raw).where(raw < _poisson_limit(raw), self.link(raw), 0.0)

    @quiet
    def from_prediction(self, prediction: Array, y: Array) -> tuple[Array, Array]:
        xp = namespace(prediction)
        return xp.sum(prediction - y * xp.log(prediction), axis=1), prediction - y

    def _check_values(self, y: Array) -> None:
        xp = namespace(y)
        if bool(xp.any(y < 0)):
            raise InvalidInput(f"y of poisson must not be negative. Got {float(xp.min(y))!r}.")


def _poisson_limit(raw: Array) -> float:
    return 0.5 * math.log(np.finfo(word_of(raw.dtype)).max)


def _poisson_value(raw: Array, mean: Array, target: Array) -> Array:
    xp = namespace(raw)
    beyond = xp.maximum(raw - _poisson_limit(raw), 0.0)
    return xp.sum(mean * (1.0 + beyond) - target * raw, axis=1)


def _is_finite(number: object) -> bool:
    return isinstance(number, Real) and not isinstance(number, bool) and math.isfinite(number)
