"""The order of the examples in an epoch: a function of (seed, epoch, m) and of nothing else.

Conventions
-----------
order = the permutation that sorts m words (ties, which no one will meet, by index)
words = Philox4x64-10(key, counter) (Salmon, Moraes, Dror & Shaw 2011), key = BLAKE2b-128 of
f"{seed}/mini-batches", counter = epoch 2^192 + 1, ...: the scheme of the random starts. So every
epoch can be had without those before it, and raw words stay the same from version to version.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def order_of_epoch(seed: int, epoch: int, m: int) -> NDArray[np.int64]:
    """Return a permutation of 0, ..., m - 1, (m,)."""
    key = hashlib.blake2b(f"{seed}/mini-batches".encode(), digest_size=16).digest()
    stream = np.random.Philox(key=int.from_bytes(key, "little"), counter=epoch << 192)
    return np.argsort(stream.random_raw(m), kind="stable")
