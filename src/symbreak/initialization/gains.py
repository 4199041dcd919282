"""The factor that undoes what an activation does to the size of a signal.

    gain(sigma) = 1 / sqrt(E[sigma(z)^2]),    z ~ N(0, 1)

Weights of mean 0 and variance gain^2 / fan_in, independent of the values a = sigma(z) they meet,
give the next layer a pre-activation of variance gain^2 E[a^2] = 1: its size neither grows nor
shrinks with depth. (He, Zhang, Ren and Sun 2015 for relu; the same integral for the others.)

The gain therefore belongs to the activation that a layer *reads*; a layer that reads the data
has gain 1, for standardised data. The numbers stand in `activations`.

The second moment, not the variance, is right also for activations with a mean above 0 (sigmoid,
softplus, relu), because the variance runs over the weights, and the mean of `a` is multiplied by
random weights like everything else. Yet what comes from that mean is equal for all examples, an
accidental bias of the unit: E[a]^2 / E[a^2] of the variance is 85 % for sigmoid, 71 % for
softplus, 32 % for relu, 0 for tanh. No gain repairs this; it is why deep sigmoid nets start badly.

The formula is exact for z ~ N(0, 1). From another size sigmoid, tanh, softplus, elu and selu come
back to it layer by layer; relu, leaky_relu and identity keep whatever size they meet; gelu and silu
lead slowly away from it (a size off by 1 % is off by about 1.15 % one layer later).
"""

from __future__ import annotations

from typing import Literal

from symbreak.activations import known_activation
from symbreak.checks import is_number
from symbreak.errors import InvalidInput

Gain = float | Literal["activation"]


def activation_gain(activation: str | None) -> float:
    """Return the gain of an activation by name; 1 for None, the data.

    Raises
    ------
    InvalidInput
        The name is unknown.
    """
    if activation is None:
        return 1.0
    return known_activation('activation behind gain="activation"', activation).gain


def check_gain(rule: str, gain: object) -> None:
    """Raise InvalidInput unless `gain` is a finite number above 0 or the word "activation"."""
    if gain == "activation" or (is_number(gain) and gain > 0):
        return
    raise InvalidInput(
        f'gain of {rule} must be a finite number above 0 or "activation". Got {gain!r}.'
    )


def resolve_gain(gain: Gain, input_activation: str | None) -> float:
    """Return the number that `gain` stands for in a layer that reads `input_activation`."""
    return activation_gain(input_activation) if gain == "activation" else float(gain)
