"""Numbers of one tensor, gathered piece by piece.

Conventions
-----------
row : what lies at one index of the first axis; the weights into one unit, or one whole expert.
piece : a range of the flat tensor, small enough for the cache and the budget.
tiny : the smallest normal number of the dtype; what lies below it and above 0 is denormal.
spread : sqrt(mean of squares - square of mean), over `sampled` entries taken evenly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

PIECE = 2**23  # bytes; larger pieces gain nothing
BYTES_PER_ENTRY = 32  # at most four working copies of eight bytes are alive at a time
SAMPLE = 2**13  # entries for the spread, whose relative error then is 1 / sqrt(2 SAMPLE) = 0.8 %
RARE = 1e-30  # above this (float16 and smaller kinds) honest weights are denormal now and then


@dataclass
class TensorStats:
    """What one tensor holds.

    Parameters
    ----------
    shape, dtype : of the tensor; `count` is its number of entries.
    non_finite, denormal : numbers of entries that are NaN or infinite; that are denormal.
    low, high : least and greatest finite entry; inf and -inf where there is none.
    total, squares, sampled : sum and sum of squares over the sampled finite entries, their number.
    meta : the tensor has no memory.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    count: int
    non_finite: int = 0
    denormal: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    squares: float = 0.0
    sampled: int = 0
    meta: bool = False

    @property
    def constant(self) -> bool:
        """Whether all entries are one finite number."""
        return self.low == self.high and not self.non_finite

    @property
    def zero(self) -> bool:
        """Whether all entries are zero."""
        return self.constant and self.low == 0

    @property
    def binary(self) -> bool:
        """Whether it looks like a mask: nothing but zeros and ones, as far as was sampled."""
        return self.low == 0 and self.high == 1 and self.squares == self.total

    @property
    def largest(self) -> float:
        """The largest absolute value of a finite entry, 0 where there is none."""
        return max(abs(self.low), abs(self.high)) if self.low <= self.high else 0.0

    @property
    def spread(self) -> float:
        """Standard deviation of the entries."""
        if not self.sampled:
            return 0.0
        mean = self.total / self.sampled
        return math.sqrt(max(0.0, self.squares / self.sampled - mean * mean))


def stats_of(tensor: Tensor, most: int = PIECE) -> TensorStats:
    """Return the stats of one tensor of real floating-point numbers.

    Parameters
    ----------
    tensor : of any shape.
    most : entries looked at in one go; fewer where the cache holds fewer.
    """
    tensor = tensor.detach()
    stats = TensorStats(tuple(tensor.shape), tensor.dtype, tensor.numel(), meta=tensor.is_meta)
    if stats.meta or not stats.count:
        return stats
    tiny = torch.finfo(tensor.dtype).tiny
    # An odd step meets all columns of a matrix whose width is a power of two.
    every = 2 * (stats.count // (2 * SAMPLE)) + 1
    for part in pieces(tensor, min(most, PIECE // tensor.element_size())):
        part = part if part.element_size() > 1 else part.float()
        _add_range(stats, part)
        sample = part[::every].double()
        _add_spread(stats, sample)
        # A share of 1 % escapes a look at 1000 entries with probability 4e-5.
        if tiny < RARE and _count_denormal(sample, tiny):
            stats.denormal += _count_denormal(part, tiny)
    return stats


def pieces(tensor: Tensor, piece: int) -> Iterator[Tensor]:
    """Yield flat parts of at most `piece` entries, in order, views where memory lies in order."""
    if tensor.is_contiguous():
        yield from tensor.view(-1).split(piece)
    elif tensor.numel() <= piece:
        yield tensor.reshape(-1)
    else:
        for row in tensor:
            yield from pieces(row, piece)


def _add_range(stats: TensorStats, part: Tensor) -> None:
    low, high = (float(end) for end in torch.aminmax(part))
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = part[part.isfinite()]
        stats.non_finite += part.numel() - finite.numel()
        if not finite.numel():
            return
        low, high = (float(end) for end in torch.aminmax(finite))
    stats.low, stats.high = min(stats.low, low), max(stats.high, high)


def _add_spread(stats: TensorStats, sample: Tensor) -> None:
    if stats.non_finite:
        sample = sample[sample.isfinite()]
    stats.total += float(sample.sum())
    stats.squares += float(torch.dot(sample, sample))
    stats.sampled += sample.numel()


def _count_denormal(part: Tensor, tiny: float) -> int:
    small = part.abs() < tiny
    return int(small.sum()) - int((part == 0).sum()) if bool(small.any()) else 0
