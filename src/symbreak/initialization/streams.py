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
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from symbreak.checks import integer_or_none

Floats = NDArray[np.float64]
_START_SHIFT = 192
_WORDS_PER_COUNTER = 4
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
        size = int(np.prod(shape))
        words = np.empty((len(self.starts), size), dtype=np.uint64)
        key = self._key()
        counters, skipped = divmod(self.first, _WORDS_PER_COUNTER)
        for row, start in zip(words, self.starts, strict=True):
            counter = (start << _START_SHIFT) + counters
            row[:] = np.random.Philox(key=key, counter=counter).random_raw(size + skipped)[skipped:]
        return words.reshape(len(self.starts), *shape)

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

    def _key(self) -> int:
        text = f"{self.seed}/{self.name}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")


def check_seed(what: str, seed: Any) -> int:
    """Return the seed; a fresh one for None."""
    return secrets.randbits(_FRESH_SEED_BITS) if seed is None else integer_or_none(what, seed, 0)
