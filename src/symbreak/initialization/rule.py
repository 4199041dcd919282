"""What a rule is.

A rule turns one layer's shape and its random stream into that layer's Theta for all starts:

    draw(layer, stream) -> (starts, units_out, 1 + units_in), bias in column 0

An *entrywise* rule draws every entry from one law of its own; then it may serve as the bias rule
of another. Entry i uses word i of the stream, whatever stands in the other entries, so a changed
bias rule leaves the weights as they were.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from symbreak.checks import check_finite
from symbreak.errors import InvalidType
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Floats, Stream


@dataclass(frozen=True)
class Rule(ABC):
    """A way to draw the parameters of a layer."""

    name: ClassVar[str]

    @property
    def symmetric(self) -> bool:
        """Whether all units of a layer start equal, so that they would stay one unit."""
        return False

    @abstractmethod
    def draw(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return Theta of the layer, float64 (starts, units_out, 1 + units_in)."""

    def spread(self, layer: LayerShape) -> float:  # noqa: ARG002 - rules of the user's may say it
        """Return the standard deviation of the layer's weights; NaN where the rule does not say."""
        return math.nan


@dataclass(frozen=True)
class EntrywiseRule(Rule):
    """A rule whose entries are independent and come from one law."""

    @abstractmethod
    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return the whole block, column 0 included, drawn from the rule's law."""

    def draw(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return the block with its biases as the rule's `bias` wants them."""
        theta = self.sample(layer, stream)
        fill_bias(theta, getattr(self, "bias", None), layer, stream)
        return theta


Bias = float | EntrywiseRule | None


def fill_bias(theta: Floats, bias: Bias, layer: LayerShape, stream: Stream) -> None:
    """Overwrite column 0 by a number or by what another rule draws there; None leaves it."""
    if isinstance(bias, EntrywiseRule):
        theta[..., 0] = bias.sample(layer, stream)[..., 0]
    elif bias is not None:
        theta[..., 0] = bias


def check_bias(rule: str, bias: object) -> None:
    """Raise unless `bias` is a finite number, an entrywise rule, or None (like the weights)."""
    if bias is None or isinstance(bias, EntrywiseRule):
        return
    if isinstance(bias, Rule | str | type):
        raise InvalidType(
            f"bias of {rule} must be a number, None or a rule that draws each entry by itself, "
            f"such as Uniform(epsilon=0.1). Got {bias!r}."
        )
    check_finite(f"bias of {rule}", bias)
