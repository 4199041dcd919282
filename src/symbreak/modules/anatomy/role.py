"""What one parameter is in its layer, and how a rule sees it.

Conventions
-----------
A weight holds `parts` independent matrices (gates, groups, query-key-value, experts). A rule sees
each as a Theta of (out, 1 + in r), bias in column 0; r entries in the kernel.

    axes "out in"          (out, in, *kernel), kernel axes need no word
    axes "in out"          (in, out, *kernel)
    axes "stack out in"    one matrix for each index of the first axis
    axes "in in out"       inputs on two axes: one sum runs over both
    parts p                p matrices, one after the other, on the first axis that is no stack

Fans count the weights that meet in one sum, on average, r' = prod max(1, kernel / stride):

    convolution              fan_in = in r,   fan_out = out r'
    transposed convolution   fan_in = in r',  fan_out = out r
    all other weights        fan_in = in r,   fan_out = out r

(A transposed convolution of stride s spreads its inputs s apart; only each s-th entry of the kernel
meets one. With the stride 1 the fans are those of He, Zhang, Ren and Sun 2015, section 2.2.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from symbreak.initialization.rule import Rule
from symbreak.initialization.shapes import LayerShape

WEIGHTS = frozenset(
    {"weight", "input weight", "recurrent weight", "attention weight", "embedding", "unknown"}
)
GATED = frozenset({"input weight", "recurrent weight"})
KINDS = (
    "weight",
    "input weight",
    "recurrent weight",
    "attention weight",
    "embedding",
    "bias token",
    "bias",
    "norm weight",
    "norm bias",
    "slope",
    "kept",
)


@dataclass(frozen=True)
class Role:
    """What a parameter is.

    Parameters
    ----------
    kind : one of `KINDS`; or "unknown", a parameter of two or more axes of an unknown layer; or
        "size", the lengths that an old `weight_norm` multiplies the rows of "weight_v" with.
    axes : the words of its axes, "stack", "out" and "in"; further axes are the kernel.
    parts : matrices on the first axis that is no stack.
    stride : of a convolution, one number for each axis of the kernel.
    padding : the row that is 0, of an embedding.
    bias : the name that the bias of the same layer has there, or "".
    bias_part : which part of that bias belongs to the first part of the weight.
    shares_bias : whether that bias also holds those of other weights.
    also_in : further inputs that another weight brings into the same sum: of a recurrent unit.
    rule : the rule of this parameter, registered with it.
    reads_activation : whether it reads the values of the activation before its layer.
    """

    kind: str
    axes: tuple[str, ...] = ("out", "in")
    parts: int = 1
    stride: tuple[int, ...] = ()
    padding: int | None = None
    bias: str = ""
    bias_part: int = 0
    shares_bias: bool = False
    also_in: int = 0
    rule: Rule | None = None
    reads_activation: bool = False

    @property
    def is_weight(self) -> bool:
        """Whether a rule draws it with the fans of a layer."""
        return self.kind in WEIGHTS

    @property
    def is_transposed(self) -> bool:
        """Whether the axis of the inputs comes first."""
        return self.axes[-2:] == ("in", "out")

    @property
    def is_stack(self) -> bool:
        """Whether the first axis counts independent matrices."""
        return self.axes[0] == "stack"

    def n_parts(self, shape: tuple[int, ...]) -> int:
        """Return how many matrices a parameter of this shape holds."""
        return self.parts * (shape[0] if self.is_stack else 1)

    def weight_shape(self, shape: tuple[int, ...]) -> WeightShape:
        """Return one part of a parameter of this shape as a rule sees it."""
        units_out, inputs = self._size("out", shape), self._size("in", shape)
        kernel = list(shape[len(self.axes) :])
        receptive = math.prod(kernel)
        reached = _reached(kernel, self.stride)
        into, out_of = (reached, receptive) if self.is_transposed else (receptive, reached)
        return WeightShape(
            inputs * receptive,
            units_out,
            n_in=float(inputs * into),
            n_out=float(units_out * out_of),
        )

    def unit(self, shape: tuple[int, ...], unit: int) -> tuple[Any, ...]:
        """Return the index of the entries that make one unit, in a parameter of this shape."""
        if self.kind == "embedding":
            return [row for row in range(shape[0]) if row != self.padding], unit
        if self.kind in GATED:
            return (slice(unit, None, self._size("out", shape)),)  # the unit in each gate
        if self.is_transposed and not self.is_stack:
            inputs = self._size("in", shape)
            part, column = divmod(unit, self._size("out", shape))
            return slice(part * inputs, (part + 1) * inputs), column
        return (unit,)

    def _size(self, word: str, shape: tuple[int, ...]) -> int:
        """Return how many units out, or inputs, one part has."""
        size = math.prod(n for each, n in zip(self.axes, shape, strict=False) if each == word)
        divided = next(each for each in self.axes if each != "stack")
        return size // self.parts if word == divided else size

    def matrices(self, stack: Tensor) -> Tensor:
        """Return parameters (starts, *shape) as a view (starts, parts, out, in, *kernel)."""
        parts: Tensor
        if self.is_stack:
            split = stack.unflatten(2, (self.parts, -1))
            parts = split.view(split.shape[0], -1, *split.shape[3:])
        else:
            parts = stack.unflatten(1, (self.parts, -1))
        if self.is_transposed:
            parts = parts.transpose(2, 3)
        return parts

    def ways_out(self, weight: Tensor, units: int) -> Tensor:
        """Return one matrix as a view (units read, weights out of one unit, *kernel)."""
        matrix = self.matrices(weight[None])[0, 0]
        ways: Tensor = matrix.transpose(0, 1).unflatten(0, (units, -1))
        return ways


@dataclass(frozen=True)
class WeightShape(LayerShape):
    """One matrix of a weight as a rule sees it.

    Parameters
    ----------
    n_in, n_out : the fans.
    rows : how many of its rows are drawn; None for all.
    """

    n_in: float = math.nan
    n_out: float = math.nan
    rows: int | None = None

    @property
    def fan_in(self) -> float:
        """Weights that come into one unit."""
        return self.n_in

    @property
    def fan_out(self) -> float:
        """Weights that read one input."""
        return self.n_out

    @property
    def block(self) -> tuple[int, int]:
        """Shape of the rows that are drawn, bias included."""
        return self.units_out if self.rows is None else self.rows, 1 + self.units_in


def _reached(kernel: list[int], stride: tuple[int, ...]) -> float:
    """Return how many entries of a kernel meet in one place, on average."""
    steps = stride or (1,) * len(kernel)
    return math.prod(max(1.0, size / step) for size, step in zip(kernel, steps, strict=True))
