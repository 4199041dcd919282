"""Rules whose entries depend on each other.

    orthogonal     W = gain Q,  Q'Q = I or QQ' = I
    nguyen_widrow  rows of equal length, biases evenly spaced: each unit gets its own slice of
                   the input range

W is Theta without its column 0, the biases b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from symbreak.activations import Activation, known_activation
from symbreak.checks import is_number
from symbreak.errors import InvalidInput
from symbreak.initialization.gains import Gain, check_gain, resolve_gain
from symbreak.initialization.rule import Bias, Rule, check_bias, fill_bias
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.simple import symmetric_uniform
from symbreak.initialization.streams import Floats, Stream


@dataclass(frozen=True)
class Orthogonal(Rule):
    """Weights with orthonormal rows (or columns, whichever are fewer), times `gain`.

    Q of the QR decomposition of a normal matrix, each column times the sign of R's diagonal;
    without the signs Q is not uniform over the orthogonal matrices (Mezzadri 2007, section 5).
    Source: Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks".

    Parameters
    ----------
    gain : float or "activation"
        Above 0. The length of each row when the layer has no more units than inputs.
    bias : float or rule
        The biases, which take no part in the orthogonality.
    """

    name: ClassVar[str] = "orthogonal"
    gain: Gain = 1.0
    bias: Bias = 0.0

    def __post_init__(self) -> None:
        check_gain("Orthogonal", self.gain)
        check_bias("Orthogonal", self.bias)
        if self.bias is None:
            raise InvalidInput("bias of Orthogonal must be a number or a rule. Got None.")

    def draw(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return the block."""
        theta = stream.normal(layer.block)
        gain = resolve_gain(self.gain, layer.input_activation)
        theta[..., 1:] = gain * orthonormal(theta[..., 1:])
        fill_bias(theta, self.bias, layer, stream)
        return theta

    def spread(self, layer: LayerShape) -> float:
        """Return gain / sqrt(the longer side): a row or column of that length has length gain."""
        gain = resolve_gain(self.gain, layer.input_activation)
        return gain / math.sqrt(max(layer.units_in, layer.units_out))


def orthonormal(normal: Floats) -> Floats:
    """Return matrices (..., rows, columns) with orthonormal columns, or rows if those are fewer."""
    rows, columns = normal.shape[-2:]
    if rows < columns:
        return orthonormal(normal.swapaxes(-1, -2)).swapaxes(-1, -2)
    q, r = np.linalg.qr(normal)
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    oriented: Floats = q * signs[..., None, :]
    return oriented


@dataclass(frozen=True)
class NguyenWidrow(Rule):
    """Spread the units' active regions evenly over the input range.

    For S units that read R inputs in [-1, 1], with unit rows d_i from U(-1, 1) entries:

        W_i = w d_i,    b_i = w t_i sign(d_i1),    w = 0.7 S^(1/R)
        t = -1 ... 1, evenly spaced (0 if S = 1)

    then z is stretched by half the width of the activation's active range, [-4, 4] for sigmoid and
    [-2, 2] for tanh; the others bend at 0, and [-1, 1] lays the bends into the input range. Inputs
    from another range [lo, hi] are mapped to [-1, 1] within W and b. A layer without an active
    range (the output layer, identity) is U[-1, 1), biases included.
    Source: Nguyen and Widrow 1990, "Improving the learning speed of 2-layer neural networks by
    choosing initial values of the adaptive weights"; the ranges as in MATLAB's initnw.

    Parameters
    ----------
    input_range : tuple of two floats
        Lowest and highest value of the data. Layers behind sigmoid or tanh use (0, 1) or (-1, 1);
        layers behind an unbounded activation use `input_range` as well.
    """

    name: ClassVar[str] = "nguyen_widrow"
    input_range: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        ends = self.input_range
        good = isinstance(ends, tuple | list) and len(ends) == 2 and all(map(is_number, ends))
        if not good or not ends[0] < ends[1]:
            raise InvalidInput(
                "input_range of NguyenWidrow must be (lowest, highest), two finite numbers with "
                f"lowest < highest. Got {ends!r}."
            )

    def draw(self, layer: LayerShape, stream: Stream) -> Floats:
        """Return the block."""
        theta = symmetric_uniform(1.0, layer, stream)
        active = _known(layer.activation).active_range
        if active is None:
            return theta
        low, high = self._range_read(layer)
        stretch = (active[1] - active[0]) / 2
        scale = 2 / (high - low)
        theta = stretch * evenly_spread(theta)
        theta[..., 0] += (1 - scale * high) * theta[..., 1:].sum(axis=-1)
        theta[..., 1:] *= scale
        return theta

    def spread(self, layer: LayerShape) -> float:
        """Return the root mean square of a row of the length that all rows have."""
        active = _known(layer.activation).active_range
        if active is None:
            return 1.0 / math.sqrt(3.0)
        low, high = self._range_read(layer)
        length: float = 0.7 * layer.units_out ** (1 / layer.units_in)
        return (active[1] - active[0]) / (high - low) * length / math.sqrt(layer.units_in)

    def _range_read(self, layer: LayerShape) -> tuple[float, float]:
        """Return the lowest and the highest input, those of the data if there are none else."""
        return _known(layer.input_activation).output_range or self.input_range


def _known(name: str | None) -> Activation:
    """Return an activation whose ranges are known; None, the output or the data, is straight."""
    return known_activation("activation beside a layer of nguyen_widrow", name or "identity")


def evenly_spread(theta: Floats) -> Floats:
    """Return rows of length w and biases from -w to w, for inputs and z in [-1, 1]."""
    units, inputs = theta.shape[-2], theta.shape[-1] - 1
    length = 0.7 * units ** (1 / inputs)
    weights = theta[..., 1:] / np.linalg.norm(theta[..., 1:], axis=-1, keepdims=True)
    places = np.linspace(-1.0, 1.0, units) if units > 1 else np.zeros(1)
    bias = places * np.where(weights[..., 0] < 0, -1.0, 1.0)
    rows: Floats = length * np.concatenate([bias[..., None], weights], axis=-1)
    return rows
