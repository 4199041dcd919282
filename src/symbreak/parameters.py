"""The unrolled parameters theta and the matrices Theta that they hold.

Conventions
-----------
theta : (starts, n) or (n,), all matrices one after the other.
Theta1, Theta2, ... : (units_out, 1 + units_in), the bias in column 0.
order "C": every matrix row by row (symbreak, NumPy, PyTorch); order "F": column by column, which is
`Theta(:)` of Octave and MATLAB. Matrices are views of theta in both orders: writing into one writes
into theta.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from symbreak.arrays import alike, is_array, is_tensor, namespace
from symbreak.errors import InvalidInput, choose

ORDERS = ("C", "F")


@dataclass(frozen=True)
class Block:
    """A named, contiguous part of theta: `theta[..., block.slice]`, of `shape` when row-major.

    With `has_bias_column` the column 0 of the matrix holds biases.
    """

    name: str
    start: int
    shape: tuple[int, ...]
    has_bias_column: bool = False

    @property
    def size(self) -> int:
        """The number of parameters."""
        return math.prod(self.shape)

    @property
    def stop(self) -> int:
        """The index after the last parameter."""
        return self.start + self.size

    @property
    def slice(self) -> slice:
        """The place in the last axis of theta."""
        return slice(self.start, self.stop)

    def entry(self, index: int) -> str:
        """Name the entry at `index` within the block, such as "Theta1[3, 0]", or a lone number."""
        if not self.shape:
            return self.name
        place = ", ".join(str(i) for i in np.unravel_index(index, self.shape))
        return f"{self.name}[{place}]"


def blocks_of(layers: Sequence[int]) -> tuple[Block, ...]:
    """Return the blocks Theta1, Theta2, ... of a net with these layer sizes."""
    blocks = []
    start = 0
    for number, (units_in, units_out) in enumerate(pairwise(layers), start=1):
        block = Block(f"Theta{number}", start, (units_out, 1 + units_in), has_bias_column=True)
        blocks.append(block)
        start = block.stop
    return tuple(blocks)


def views(theta: Any, blocks: Sequence[Block], order: str = "C") -> tuple[Any, ...]:
    """Return the matrices of theta as views.

    Parameters
    ----------
    theta : (starts, n) or (n,), of any kind of array.
    order : "C" (row-major) or "F" (column-major, Octave's `Theta(:)`).

    Returns
    -------
    One array for each block, (starts, units_out, 1 + units_in), or without the first axis.
    """
    theta = _as_array(theta)
    check_size(theta, blocks)
    choose("order of thetas", order, ORDERS)
    return tuple(_view(theta[..., block.slice], block.shape, order) for block in blocks)


def _view(part: Any, shape: tuple[int, ...], order: str) -> Any:
    lead = tuple(part.shape[:-1])
    if order == "C":
        return _reshape(part, (*lead, *shape))
    return _reshape(part, (*lead, *shape[::-1])).mT


def _reshape(part: Any, shape: tuple[int, ...]) -> Any:
    # Splitting the last axis never needs a copy; torch's view says so by failing if it did.
    return part.view(shape) if is_tensor(part) else namespace(part).reshape(part, shape)


def unroll(thetas: Sequence[Any], blocks: Sequence[Block], order: str = "C") -> Any:
    """Return theta, the matrices one after the other: the inverse of `views`, a fresh array."""
    choose("order of unroll", order, ORDERS)
    if len(thetas) != len(blocks):
        raise InvalidInput(f"thetas of unroll must be {len(blocks)} matrices. Got {len(thetas)}.")
    kept = [_as_array(theta) for theta in thetas]
    for theta, block in zip(kept, blocks, strict=True):
        if tuple(theta.shape[-2:]) != block.shape:
            raise InvalidInput(
                f"{block.name} of unroll must be of shape {block.shape} (bias in column 0). "
                f"Got {tuple(theta.shape)}."
            )
    if order == "F":
        kept = [theta.mT for theta in kept]
    # Of several kinds: a tensor, as wherever one went in.
    first = next(filter(is_tensor, kept), kept[0])
    kept = [theta if type(theta) is type(first) else alike(theta, first) for theta in kept]
    xp = namespace(first)
    return xp.concat([xp.reshape(theta, (*theta.shape[:-2], -1)) for theta in kept], axis=-1)


def _as_array(theta: Any) -> Any:
    return theta if is_array(theta) else np.asarray(theta)


def check_size(theta: Any, blocks: Sequence[Block]) -> None:
    """Refuse a theta whose last axis is not the number of parameters.

    Raises
    ------
    InvalidInput
    """
    n = blocks[-1].stop
    shape = tuple(getattr(theta, "shape", ()))
    if len(shape) not in (1, 2) or shape[-1] != n:
        raise InvalidInput(f"theta must be of shape ({n},) or (starts, {n}). Got {shape}.")
    if shape[0] == 0:
        raise InvalidInput("theta must hold at least one start. Got 0 starts.")
