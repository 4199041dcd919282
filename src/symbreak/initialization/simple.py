"""Rules that look at no layer: the same law for every entry of every block.

    zeros             theta = 0
    constant          theta = value
    uniform           theta ~ U[-epsilon, epsilon)
    normal            theta ~ N(0, std^2)
    truncated_normal  theta ~ N(0, s^2) cut to |theta| <= cut s, s such that the result has std

The biases are entries like the others, unless the rule's `bias` says otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from symbreak.checks import check_finite, check_positive, is_number
from symbreak.errors import InvalidInput
from symbreak.initialization.rule import Bias, EntrywiseRule, check_bias
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Floats, Stream

SMALLEST_CUT = 0.1
EQUAL_NUMBERS = "For a start of equal numbers use the rules 'zeros' or 'constant'."


@dataclass(frozen=True)
class Zeros(EntrywiseRule):
    """Every parameter 0: right without hidden layers, one unit for ever with them."""

    name: ClassVar[str] = "zeros"

    @property
    def symmetric(self) -> bool:
        """True: all units of a layer start equal."""
        return True

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return zeros."""
        return np.zeros((len(stream.starts), *layer.block))

    def spread(self, layer: LayerShape) -> float:  # noqa: ARG002 - the same for every layer
        """Return 0."""
        return 0.0


@dataclass(frozen=True)
class Constant(EntrywiseRule):
    """Every parameter `value`, biases included: as symmetric as zeros.

    Parameters
    ----------
    value : float
        Any finite number.
    """

    name: ClassVar[str] = "constant"
    value: float = 0.12

    def __post_init__(self) -> None:
        check_finite("value of Constant", self.value)

    @property
    def symmetric(self) -> bool:
        """True: all units of a layer start equal."""
        return True

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return the constant."""
        return np.full((len(stream.starts), *layer.block), float(self.value))

    def spread(self, layer: LayerShape) -> float:  # noqa: ARG002 - the same for every layer
        """Return 0."""
        return 0.0


@dataclass(frozen=True)
class Uniform(EntrywiseRule):
    """U[-epsilon, epsilon) for every parameter, biases included: the lecture's INIT_EPSILON.

    theta = u * (2 epsilon) - epsilon,  u ~ U[0, 1);  standard deviation epsilon / sqrt(3).

    Parameters
    ----------
    epsilon : float
        Above 0. 0.12 is about sqrt(6 / (400 + 25)), the Glorot limit of a 400-25 layer.
    bias : float, rule or None
        None: the biases are drawn like the weights.
    """

    name: ClassVar[str] = "uniform"
    epsilon: float = 0.12
    bias: Bias = None

    def __post_init__(self) -> None:
        check_positive("epsilon of Uniform", self.epsilon, EQUAL_NUMBERS)
        check_bias("Uniform", self.bias)

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return uniform numbers."""
        return symmetric_uniform(self.epsilon, layer, stream)

    def spread(self, layer: LayerShape) -> float:  # noqa: ARG002 - the same for every layer
        """Return epsilon / sqrt(3)."""
        return self.epsilon / math.sqrt(3.0)


@dataclass(frozen=True)
class Normal(EntrywiseRule):
    """N(0, std^2) for the weights.

    Parameters
    ----------
    std : float
        Standard deviation, above 0.
    bias : float, rule or None
        None: the biases are drawn like the weights.
    """

    name: ClassVar[str] = "normal"
    std: float = 0.05
    bias: Bias = 0.0

    def __post_init__(self) -> None:
        check_positive("std of Normal", self.std, EQUAL_NUMBERS)
        check_bias("Normal", self.bias)

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return normal numbers."""
        return self.std * stream.normal(layer.block)

    def spread(self, layer: LayerShape) -> float:  # noqa: ARG002 - the same for every layer
        """Return std."""
        return self.std


@dataclass(frozen=True)
class TruncatedNormal(EntrywiseRule):
    """A normal law without its tails, with the standard deviation that was asked for.

    theta = std / s(cut) * z,  z ~ N(0, 1) given |z| <= cut, by the inverse distribution function;
    s(c)^2 = 1 - 2 c phi(c) / (2 Phi(c) - 1), the variance left after the cut: s(2) = 0.8796.
    (Johnson, Kotz and Balakrishnan 1994, section 13.10.1.)

    Parameters
    ----------
    std : float
        Standard deviation of the result, above 0.
    cut : float
        Where to cut, in standard deviations of the normal law before the cut; at least 0.1.
    bias : float, rule or None
        None: the biases are drawn like the weights.
    """

    name: ClassVar[str] = "truncated_normal"
    std: float = 0.05
    cut: float = 2.0
    bias: Bias = 0.0

    def __post_init__(self) -> None:
        check_positive("std of TruncatedNormal", self.std, EQUAL_NUMBERS)
        if not is_number(self.cut) or self.cut < SMALLEST_CUT:
            raise InvalidInput(
                f"cut of TruncatedNormal must be a finite number, at least {SMALLEST_CUT}. "
                f"Got {self.cut!r}. For a law that is nearly flat use Uniform."
            )
        check_bias("TruncatedNormal", self.bias)

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return truncated normal numbers."""
        below = ndtr(-self.cut)
        v = stream.open_uniform(layer.block)
        z: Floats = ndtri(below + v * (1.0 - 2.0 * below))
        return self.std / std_after_cut(self.cut) * z

    def spread(self, layer: LayerShape) -> float:  # noqa: ARG002 - the same for every layer
        """Return std, that of the law after the cut."""
        return self.std


def std_after_cut(cut: float) -> float:
    """Return the standard deviation of N(0, 1) cut to [-cut, cut]."""
    density = np.exp(-0.5 * cut * cut) / np.sqrt(2.0 * np.pi)
    inside = 1.0 - 2.0 * ndtr(-cut)
    return float(np.sqrt(1.0 - 2.0 * cut * density / inside))


def symmetric_uniform(limit: float, layer: LayerShape, stream: Stream) -> Floats:
    """Return U[-limit, limit) for the whole block."""
    return stream.uniform(layer.block) * (2.0 * limit) - limit
