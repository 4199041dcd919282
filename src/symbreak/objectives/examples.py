"""The examples of a cost: rows, targets and weights that are cut and picked together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from symbreak.native.packed import Packed


@dataclass(frozen=True)
class Examples:
    """Examples in the form that the passes need.

    Attributes
    ----------
    rows : (m, 1 + features), a column of ones in front of X.
    target : (outputs, m), or class indices (1, m).
    weights : None, (m,) or (starts, m).
    packed : rows and target as the compiled core holds them, the same whatever the weights.
    """

    rows: Tensor
    target: Tensor
    weights: Tensor | None
    packed: Packed = field(default_factory=Packed, repr=False, compare=False)

    def __len__(self) -> int:
        return self.rows.shape[0]

    @cached_property
    def rows_T(self) -> Tensor:
        """The rows transposed, (1 + features, m), a view."""
        return self.rows.T

    @property
    def total_weight(self) -> Tensor:
        """Σw in float64, () or (starts,); m without weights."""
        if self.weights is None:
            return torch.tensor(float(len(self)), dtype=torch.float64, device=self.rows.device)
        return self.weights.double().sum(-1)

    @property
    def nbytes(self) -> int:
        """The memory that rows, targets and weights take, in bytes."""
        return sum(part.nbytes for part in self.parts if part is not None)

    def equals(self, other: Examples) -> bool:
        """Whether rows, targets and weights are, bit for bit, those of other examples."""
        pairs = zip(self.parts, other.parts, strict=True)
        return all(
            one is two or (one is not None and two is not None and torch.equal(one, two))
            for one, two in pairs
        )

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Rows, target and weights."""
        return self.rows, self.target, self.weights

    def normalized(self, total: Tensor) -> Examples:
        """Return the same with the weights, if any, divided by `total`, () or (starts,)."""
        if self.weights is None:
            return self
        weights = self.weights / total[..., None]
        return replace(self, weights=weights.to(self.weights.dtype))

    def __getitem__(self, index: slice | Tensor) -> Examples:
        """Return these examples: views for a slice, copies for indices."""
        weights = None if self.weights is None else self.weights[..., index]
        return Examples(self.rows[index], self.target[:, index], weights)

    def cut(self, size: int, *, by_columns: bool = False) -> tuple[Examples, ...]:
        """Return blocks of at most `size` examples, as views.

        With `by_columns` their rows are copies that lie transposed in memory, as products over a
        whole block like them best.
        """
        blocks = tuple(self[begin : begin + size] for begin in range(0, len(self), size))
        if not by_columns:
            return blocks
        return tuple(replace(block, rows=block.rows.T.contiguous().T) for block in blocks)

    def weights_of(self, first: int, count: int) -> Tensor | None:
        """Return, as views, the weights of `count` starts from `first` on, (m,) or (count, m)."""
        if self.weights is None or self.weights.dim() < 2:
            return self.weights
        return self.weights[first : first + count]

    def take(self, starts: Tensor) -> Examples:
        """Return the examples with the weights of these starts."""
        if self.weights is None or self.weights.dim() < 2:
            return self
        return replace(self, weights=self.weights[starts])

    def to(self, dtype: torch.dtype) -> Examples:
        """Return the same in another floating dtype; class indices stay integers."""
        target = self.target.to(dtype) if self.target.is_floating_point() else self.target
        weights = None if self.weights is None else self.weights.to(dtype)
        return Examples(self.rows.to(dtype), target, weights)
