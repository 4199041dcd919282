"""The starts that other libraries give to a plain layer when nobody chooses, in law, not in words.

    torch_default    W, b ~ U[-l, l),  l = 1 / sqrt(fan_in)
    sklearn_default  W, b ~ U[-l, l),  l = sqrt(f / (fan_in + fan_out)),  f = 2 for sigmoid, else 6

The bias does not count in the fans.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from symbreak.initialization.rule import Bias, EntrywiseRule, check_bias
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.simple import symmetric_uniform
from symbreak.initialization.streams import Floats, Stream


@dataclass(frozen=True)
class TorchDefault(EntrywiseRule):
    """U[-l, l), l = 1 / sqrt(fan_in), weights and biases: what `torch.nn.Linear` starts with.

    The standard deviation is 1 / sqrt(3 fan_in), smaller by sqrt(3) than LeCun's rule.

    Parameters
    ----------
    bias : float, rule or None
        None: the biases are drawn like the weights.
    """

    name: ClassVar[str] = "torch_default"
    bias: Bias = None

    def __post_init__(self) -> None:
        check_bias("TorchDefault", self.bias)

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return uniform numbers."""
        return symmetric_uniform(1.0 / math.sqrt(layer.fan_in), layer, stream)

    def spread(self, layer: LayerShape) -> float:
        """Return 1 / sqrt(3 fan_in)."""
        return 1.0 / math.sqrt(3.0 * layer.fan_in)


@dataclass(frozen=True)
class SklearnDefault(EntrywiseRule):
    """U[-l, l), l = sqrt(f / (fan_in + fan_out)), weights and biases; f = 2 for sigmoid, else 6.

    What scikit-learn's MLPClassifier and MLPRegressor start with. They choose one f for the whole
    net by its one hidden activation; so here the output layer goes by the hidden layer before it,
    and a net of several activations takes f per layer.

    Parameters
    ----------
    bias : float, rule or None
        None: the biases are drawn like the weights.
    """

    name: ClassVar[str] = "sklearn_default"
    bias: Bias = None

    def __post_init__(self) -> None:
        check_bias("SklearnDefault", self.bias)

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return uniform numbers."""
        return symmetric_uniform(self._limit(layer), layer, stream)

    def spread(self, layer: LayerShape) -> float:
        """Return l / sqrt(3)."""
        return self._limit(layer) / math.sqrt(3.0)

    def _limit(self, layer: LayerShape) -> float:
        hidden = layer.activation or layer.input_activation
        factor = 2.0 if hidden == "sigmoid" else 6.0
        return math.sqrt(factor / (layer.fan_in + layer.fan_out))
