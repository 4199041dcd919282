"""What a table for the test shares with the one that was trained on: rows, and groups.

A score on such rows tells less of new data than it seems to, and a score is what is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from symbreak.tables.table import Table
from symbreak.text import pluralize
from symbreak.training.seen_rows import Seen


@dataclass(frozen=True)
class Overlap:
    """What is shared.

    Attributes
    ----------
    seen : how many rows of the test were trained on.
    groups : how many of its groups are in the other table.
    column : that of the groups; "" without one.
    """

    seen: Seen
    groups: int = 0
    column: str = ""

    @property
    def rows(self) -> int:
        """How many rows were trained on; 0 where chance explains them."""
        return self.seen.n if self.seen else 0

    @property
    def sentence(self) -> str:
        """What that means for a score, "" where nothing is shared."""
        told = [self.seen.sentence] if self.seen else []
        if self.groups:
            are = "is" if self.groups == 1 else "are"
            told.append(
                f"{pluralize(self.groups, 'group')} of '{self.column}' {are} in the training too: "
                "this score is too good for new groups."
            )
        return " ".join(told)

    def as_dict(self) -> Mapping[str, Any]:
        """Return plain data."""
        return {"rows_trained_on": self.rows, "groups_trained_on": self.groups}


def shared_groups(one: Table, other: Table, column: str) -> int:
    """Return how many values of a column stand in both tables; 0 where one has no such column."""
    if not (column in one.columns and column in other.columns):
        return 0
    first, second = one.column(column), other.column(column)
    kind = pl.Float64 if first.dtype.is_numeric() and second.dtype.is_numeric() else pl.String
    return len(_values(first, kind) & _values(second, kind))


def _values(column: pl.Series, kind: type[pl.DataType]) -> set[Any]:
    return set(column.drop_nulls().cast(kind))
