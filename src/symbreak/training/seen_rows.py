"""Which rows a model was trained on, known again by eight bytes of each.

    row of X, float64 -> blake2b of its bytes -> 8 bytes

X is what the model makes of the columns that it uses, so that their order, the kind of file and the
target do not matter. A score on rows that trained the network says nothing about new rows, and
nobody who is handed a model and a table can tell them apart otherwise.

Conventions
-----------
At most `MOST` rows are kept, spread evenly over those of the training; the count is then a lower
bound. In tables of few different rows new ones equal old ones by chance: `repeated` is the share of
training rows that another one equals, and rows count as trained on where more are known than that.

The digests do not give a row back, but who has one may ask whether it was among them, and rows of a
few whole numbers can be tried one by one.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 100_000
Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Seen:
    """How many rows of a table a model was trained on.

    Attributes
    ----------
    n : that many at least.
    rows : of the table.
    repeated : the share that would be known by chance.
    """

    n: int
    rows: int
    repeated: float = 0.0

    def __bool__(self) -> bool:
        """Whether more rows are known than chance explains."""
        chance = self.repeated * self.rows
        return self.n > chance + 3.0 * math.sqrt(chance * (1.0 - self.repeated))

    @property
    def share(self) -> str:
        """How many of the rows, in words."""
        return f"{self.n:,} of {self.rows:,} row{'' if self.rows == 1 else 's'}"

    @property
    def sentence(self) -> str:
        """What that means for a score."""
        verb = "was" if self.rows == 1 else "were"
        what = "says nothing about new data" if self.n == self.rows else "is too good for new data"
        return f"{self.share} {verb} trained on: this score {what}."


@dataclass(frozen=True, eq=False)
class SeenRows:
    """The rows of a training.

    Attributes
    ----------
    digests : sorted, each once, (k,) uint64.
    repeated : the share of rows that another one equals.
    """

    digests: Digests = field(default_factory=lambda: np.empty(0, np.uint64))
    repeated: float = 0.0

    @classmethod
    def of(cls, X: NDArray[Any]) -> SeenRows:
        """Return what is kept of the rows X (m, features) of a training."""
        some = np.linspace(0, len(X) - 1, min(len(X), MOST)).astype(np.int64)
        digests, counts = np.unique(digests_of(X[some]), return_counts=True)
        repeated = float(counts[counts > 1].sum() / counts.sum())
        return cls(digests, repeated)

    def among(self, X: NDArray[Any]) -> Seen:
        """Return how many of other rows (m, features) are among them."""
        n = int(np.isin(digests_of(X), self.digests).sum()) if len(self.digests) else 0
        return Seen(n, len(X), self.repeated)


def digests_of(X: NDArray[Any]) -> Digests:
    """Return the digest of each row, (m,)."""
    # -0.0 and 0.0 are one number with two patterns of bytes.
    rows = np.ascontiguousarray(X, dtype="<f8") + 0.0
    words = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows)
    return np.frombuffer(words, dtype="<u8").astype(np.uint64)
