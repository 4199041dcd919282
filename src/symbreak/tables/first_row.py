"""Whether the first row of a table without names looks like names, by what a training knows.

A cell speaks for values where it is a number, or a category or class that the training saw; any
other word speaks for names. Columns that the training did not use say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.categories import to_text
from symbreak.tables.columns import CategoryColumn
from symbreak.tables.header import as_number
from symbreak.tables.table import Table, listed

if TYPE_CHECKING:
    from symbreak.tables.preparation import Preparation
    from symbreak.tables.target import Target


def counts_columns(table: Table, width: int) -> bool:
    """Tell whether the first row is column_1, column_2 ... in any order: names that we gave."""
    row = _first_row(table)
    given = {f"column_{place}" for place in range(1, width + 1)}
    return set(row.values()) <= given and len(set(row.values())) == len(row)


def refuse_names(table: Table, preparation: Preparation, target: Target) -> None:
    """Raise InvalidInput where every cell of the first row that says something speaks for names."""
    known: dict[str, set[str]] = {column.name: set() for column in preparation.columns}
    known |= {
        column.name: set(column.categories)
        for column in preparation.columns
        if isinstance(column, CategoryColumn)
    }
    known[target.name] = set(to_text(pl.Series(list(target.classes))))
    row = _first_row(table)
    cells = {name: cell for name, cell in row.items() if name in known and cell is not None}
    is_value = [cell in known[name] or as_number(cell) is not None for name, cell in cells.items()]
    if cells and not any(is_value):
        raise InvalidInput(
            f"The first line of '{table.source}' must hold values, as the training's file, which "
            f"has no names. Got {listed(cells.values())}, of which training saw none; say --header "
            "if they are names, --no-header if they are values."
        )


def _first_row(table: Table) -> dict[str, str | None]:
    """Return the cells of the first row as they were written, by column; None where missing."""
    return {name: to_text(table.column(name).head(1)).item() for name in table.columns}
