"""Rules that choose the spread of the weights from the size of the layer.

    std = gain / sqrt(fan),    uniform: U[-sqrt(3) std, sqrt(3) std),    normal: N(0, std^2)

    rule     fan                       gain      keeps
    lecun    fan_in                    1         the size of the signal, linear units
    he       fan_in                    sqrt(2)   the size of the signal, relu units
    glorot   (fan_in + fan_out) / 2    1         a compromise of the signal and its gradient

The biases do not count in the fans, and start at 0 unless `bias` says otherwise.
gain="activation" takes the gain of the activation that the layer reads (see `gains`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from symbreak.activations import ACTIVATIONS
from symbreak.initialization.gains import Gain, check_gain, resolve_gain
from symbreak.initialization.rule import Bias, EntrywiseRule, check_bias
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.simple import symmetric_uniform
from symbreak.initialization.streams import Floats, Stream


@dataclass(frozen=True)
class VarianceScaling(EntrywiseRule):
    """The family; its members choose the fan, the law and the usual gain.

    Parameters
    ----------
    gain : float or "activation"
        Above 0; multiplies the standard deviation.
    bias : float, rule or None
        None: the biases are drawn like the weights.
    """

    fan: ClassVar[Literal["in", "average"]]
    law: ClassVar[Literal["uniform", "normal"]]
    gain: Gain = 1.0
    bias: Bias = 0.0

    def __post_init__(self) -> None:
        check_gain(type(self).__name__, self.gain)
        check_bias(type(self).__name__, self.bias)

    def std(self, layer: LayerShape) -> float:
        """Return the standard deviation of the layer's weights."""
        average = (layer.fan_in + layer.fan_out) / 2
        fan = layer.fan_in if self.fan == "in" else average
        return resolve_gain(self.gain, layer.input_activation) / math.sqrt(fan)

    def sample(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return numbers of the layer's standard deviation."""
        std = self.std(layer)
        if self.law == "uniform":
            return symmetric_uniform(math.sqrt(3.0) * std, layer, stream)
        return std * stream.normal(layer.block)

    def spread(self, layer: LayerShape) -> float:
        """Return the standard deviation of the layer's weights."""
        return self.std(layer)


@dataclass(frozen=True)
class GlorotUniform(VarianceScaling):
    """U[-l, l), l = gain sqrt(6 / (fan_in + fan_out)).

    Glorot and Bengio 2010, equation 16; scikit-learn, Keras and others call it glorot or xavier.
    """

    name: ClassVar[str] = "glorot_uniform"
    fan = "average"
    law = "uniform"


@dataclass(frozen=True)
class GlorotNormal(VarianceScaling):
    """N(0, gain^2 2 / (fan_in + fan_out)).

    Glorot and Bengio 2010, equation 12; not cut (Keras cuts it at two standard deviations).
    """

    name: ClassVar[str] = "glorot_normal"
    fan = "average"
    law = "normal"


@dataclass(frozen=True)
class HeUniform(VarianceScaling):
    """U[-l, l), l = gain sqrt(3 / fan_in); with the usual gain sqrt(6 / fan_in).

    The uniform law with the variance of He, Zhang, Ren and Sun 2015, equation 10.
    """

    name: ClassVar[str] = "he_uniform"
    fan = "in"
    law = "uniform"
    gain: Gain = ACTIVATIONS["relu"].gain


@dataclass(frozen=True)
class HeNormal(VarianceScaling):
    """N(0, gain^2 / fan_in); with the usual gain N(0, 2 / fan_in).

    He, Zhang, Ren and Sun 2015, equation 10; not cut (Keras cuts it).
    """

    name: ClassVar[str] = "he_normal"
    fan = "in"
    law = "normal"
    gain: Gain = ACTIVATIONS["relu"].gain


@dataclass(frozen=True)
class LecunUniform(VarianceScaling):
    """U[-l, l), l = gain sqrt(3 / fan_in).

    LeCun, Bottou, Orr and Mueller 1998, "Efficient BackProp", section 4.6.
    """

    name: ClassVar[str] = "lecun_uniform"
    fan = "in"
    law = "uniform"


@dataclass(frozen=True)
class LecunNormal(VarianceScaling):
    """N(0, gain^2 / fan_in).

    LeCun, Bottou, Orr and Mueller 1998, "Efficient BackProp", section 4.6; the start that
    self-normalising nets (selu) ask for. Not cut (Keras cuts it).
    """

    name: ClassVar[str] = "lecun_normal"
    fan = "in"
    law = "normal"
