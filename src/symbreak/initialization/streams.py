"""Random words that depend on what they are for, and on nothing else.

Every entry of every block of every start owns one 64-bit word:

    word(seed, block, start, i) = Philox4x64-10(key, counter) word i        i: row-major entry
    key     = BLAKE2b-128(f"{seed}/{block name}")                           128 bits
    counter = start * 2**192 + 1 + i // 4                                   256 bits

(Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".) So start 7 is
the same start whether 8 or 800 are drawn, and another layer changes nothing. A word becomes a
number by a formula without rejection, one word per number, always in float64:

    uniform  u = (word >> 11) / 2**53                 in [0, 1)
    open     v = ((word >> 12) + 1/2) / 2**52         in (0, 1), symmetric about 1/2
    normal   z = inverse distribution function at v

`open` keeps 52 bits because 53 bits and a half do not fit a float64: the topmost word would round
to 1, and its normal would be infinite.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from symbreak.checks import integer_or_none

Floats = NDArray[np.float64]
_START_SHIFT = 192
_WORDS_PER_COUNTER = 4
_COUNTERS = 2**256
_MOST_KEPT, _KEPT_BLOCKS = 2**14, 32  # words of a block that is kept, and blocks
_FRESH_SEED_BITS = 64


@dataclass(frozen=True)
class Stream:
    """The random words of one block, for some starts.

    Parameters
    ----------
    seed : int
        Non-negative; of any size.
    name : str
        The name of the block, "Theta1" for the first layer.
    starts : sequence of int
        The numbers of the starts, each in [0, 2**64). They become the first axis of every draw.
    first : int
        The entry of the block that draws begin with: who needs rows from the middle of a block
        draws these alone.
    """

    seed: int
    name: str
    starts: Sequence[int]
    first: int = 0

    def extra(self, purpose: str) -> Stream:
        """Return an independent stream for a rule that needs a second number per entry."""
        return replace(self, name=f"{self.name}.{purpose}")

    def words(self, shape: tuple[int, ...]) -> NDArray[np.uint64]:
        """Return raw words, (starts, *shape), row-major."""
        starts, size = tuple(self.starts), math.prod(shape)
        which = self.seed, self.name, starts, self.first, size
        is_small = len(starts) * size <= _MOST_KEPT
        words = _kept_words(*which).copy() if is_small else _words(*which)
        return words.reshape(len(starts), *shape)

    def uniform(self, shape: tuple[int, ...]) -> Floats:
        """Return uniform numbers in [0, 1), (starts, *shape)."""
        kept = self.words(shape) >> np.uint64(11)
        return kept.astype(np.float64) * 2.0**-53

    def open_uniform(self, shape: tuple[int, ...]) -> Floats:
        """Return uniform numbers in (0, 1), neither end included, (starts, *shape)."""
        kept = self.words(shape) >> np.uint64(12)
        return (kept.astype(np.float64) + 0.5) * 2.0**-52

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """Return standard normal numbers, (starts, *shape)."""
        z: Floats = ndtri(self.open_uniform(shape))
        return z


def _words(
    seed: int, name: str, starts: tuple[int, ...], first: int, size: int
) -> NDArray[np.uint64]:
    words = np.empty((len(starts), size), dtype=np.uint64)
    counters, skipped = divmod(first, _WORDS_PER_COUNTER)
    # A generator takes longer to make than to draw a small block: one serves all starts.
    generator, counter = np.random.Philox(key=_key(seed, name)), 0
    for row, start in zip(words, starts, strict=True):
        wanted = (start << _START_SHIFT) + counters
        generator.advance((wanted - counter) % _COUNTERS)
        row[:] = generator.random_raw(size + skipped)[skipped:]
        counter = wanted - (-(size + skipped) // _WORDS_PER_COUNTER)
    return words


# The fits of a search have the same starts.
_kept_words = lru_cache(_KEPT_BLOCKS, typed=True)(_words)


def _key(seed: int, name: str) -> int:
    text = f"{seed}/{name}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")


def check_seed(what: str, seed: Any) -> int:
    """Return the seed; a fresh one for None."""
    return secrets.randbits(_FRESH_SEED_BITS) if seed is None else integer_or_none(what, seed, 0)
