"""The examples of a cost: rows, targets and weights that are cut and picked together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from symbreak.arrays import (
    Array,
    alike,
    as_numpy,
    cast,
    contiguous,
    cuts,
    picked,
    word_of,
)
from symbreak.native.packed import Packed
from symbreak.propagation.first_layer import is_sparse


@dataclass(frozen=True)
class Examples:
    """Examples in the form that the passes need.

    Attributes
    ----------
    rows : (m, 1 + features), a column of ones in front of X; dense, or a CSR matrix of SciPy.
    target : (outputs, m), or class indices (1, m).
    weights : None, (m,) or (starts, m).
    packed : rows and target as the compiled core holds them, the same whatever the weights.
    """

    rows: Array
    target: Array
    weights: Array | None
    packed: Packed = field(default_factory=Packed, repr=False, compare=False)

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @cached_property
    def prototype(self) -> Array:
        """A dense array of the kind, dtype and device of the rows: themselves, where they are."""
        return np.empty(0, self.rows.dtype) if is_sparse(self.rows) else self.rows

    @cached_property
    def rows_T(self) -> Array:
        """The rows transposed, (1 + features, m), a view."""
        return self.rows.T

    @property
    def total_weight(self) -> Array:
        """Σw in float64 of NumPy, () or (starts,); m without weights."""
        if self.weights is None:
            return np.asarray(float(len(self)))
        return np.asarray(as_numpy(self.weights).sum(-1, dtype=np.float64))

    @property
    def parts(self) -> tuple[Array, Array, Array | None]:
        """Rows, target and weights."""
        return self.rows, self.target, self.weights

    def normalized(self, total: Array) -> Examples:
        """Return the same with the weights, if any, divided by `total`, () or (starts,)."""
        if self.weights is None:
            return self
        weights = as_numpy(self.weights) / total[..., None]
        weights = cast(weights, word_of(self.weights.dtype))
        return replace(self, weights=alike(weights, self.weights))

    def __getitem__(self, index: slice | Array) -> Examples:
        """Return these examples: views for a slice, copies for indices."""
        weights = None if self.weights is None else picked(self.weights, index, -1)
        rows = self.rows[index] if is_sparse(self.rows) else picked(self.rows, index, 0)
        return Examples(rows, picked(self.target, index, 1), weights)

    def cut(self, size: int, *, by_columns: bool = False) -> tuple[Examples, ...]:
        """Return blocks of at most `size` examples, as views.

        With `by_columns` their rows are copies that lie transposed in memory, as products over a
        whole block like them best.
        """
        blocks = tuple(self[part] for part in cuts(len(self), size))
        if not by_columns:
            return blocks
        return tuple(replace(block, rows=contiguous(block.rows.T).T) for block in blocks)

    def weights_of(self, first: int, count: int) -> Array | None:
        """Return, as views, the weights of `count` starts from `first` on, (m,) or (count, m)."""
        if self.weights is None or self.weights.ndim < 2:
            return self.weights
        return self.weights[first : first + count, :]

    def take(self, starts: Array) -> Examples:
        """Return the examples with the weights of these starts."""
        if self.weights is None or self.weights.ndim < 2:
            return self
        return replace(self, weights=picked(self.weights, starts, 0))

    def to(self, word: str) -> Examples:
        """Return the same in the floating dtype of that word; class indices stay integers."""
        is_index = word_of(self.target.dtype) == "int64"
        target = self.target if is_index else cast(self.target, word)
        weights = None if self.weights is None else cast(self.weights, word)
        rows = self.rows.astype(word) if is_sparse(self.rows) else cast(self.rows, word)
        return Examples(rows, target, weights)
