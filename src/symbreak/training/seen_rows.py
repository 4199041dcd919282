"""Which rows a model was trained on, known again by eight bytes of each.

    row of X, float64 -> blake2b of its bytes -> 8 bytes

X is what the model makes of the columns that it uses, so that their order, the kind of file and the
target do not matter. A score on rows that trained the network says nothing about new rows, and
nobody who is handed a model and a table can tell them apart otherwise.

Conventions
-----------
At most `MOST` rows are kept, spread evenly over those of the training; the count is then a lower
bound. In tables of few different rows new ones equal old ones by chance: `repeated` is the share of
training rows that another one equals, not of its group (copies are one), and rows count as trained
on where more are known than that. Where all are known it is always said that they are equal.

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
        """Whether all rows are known, or more than chance explains."""
        return self.n > 0 and (self.n == self.rows or not self.may_be_chance)

    @property
    def may_be_chance(self) -> bool:
        """Whether as many new rows would equal rows of the training."""
        chance = self.repeated * self.rows
        return self.n <= chance + 3.0 * math.sqrt(chance * (1.0 - self.repeated))

    @property
    def share(self) -> str:
        """How many of the rows, in words."""
        return f"{self.n:,} of {self.rows:,} row{'' if self.rows == 1 else 's'}"

    @property
    def sentence(self) -> str:
        """What that means for a score."""
        if self.may_be_chance:
            verb = "equals" if self.rows == 1 else "equal"
            return (
                f"{self.share} {verb} rows of the training: this score says nothing about other "
                "rows."
            )
        verb = "was" if self.rows == 1 else "were"
        what = "says nothing about new data" if self.n == self.rows else "is too good for new data"
        return f"{self.share} {verb} trained on: this score {what}."

    def of(self, source: str) -> str:
        """Return what that is of a file, for predictions."""
        equal = "equals" if self.rows == 1 else "equal"
        verb = f"{equal} rows that trained" if self.may_be_chance else "trained"
        return f"{self.share} of '{source}' {verb} this model"


@dataclass(frozen=True, eq=False)
class SeenRows:
    """The rows of a training.

    Attributes
    ----------
    digests : sorted, each once, (k,) uint64.
    repeated : the share of rows that one of another group equals.
    """

    digests: Digests = field(default_factory=lambda: np.empty(0, np.uint64))
    repeated: float = 0.0

    @classmethod
    def of(cls, X: NDArray[Any], groups: NDArray[np.int64] | None = None) -> SeenRows:
        """Return what is kept of the rows X (m, features) of a training, groups (m,) if any."""
        some = np.linspace(0, len(X) - 1, min(len(X), MOST)).astype(np.int64)
        found = digests_of(X[some])
        if groups is not None:
            pairs = np.column_stack([found, groups[some].astype(np.uint64)])
            found = np.unique(pairs, axis=0)[:, 0]
        digests, counts = np.unique(found, return_counts=True)
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
