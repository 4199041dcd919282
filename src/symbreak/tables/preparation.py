"""How the columns of a table become X, learned from the training rows only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.categories import is_category, refuse_unusable
from symbreak.tables.columns import (
    CategoryColumn,
    Column,
    NumericColumn,
    Rows,
    column_from_settings,
)
from symbreak.tables.numbers import FloatArray, to_numbers
from symbreak.tables.settings import take_all
from symbreak.tables.table import Table, listed
from symbreak.text import pluralize


@dataclass(frozen=True)
class Preparation:
    """The columns of X, in order; make one with `Preparation.fit`.

    Attributes
    ----------
    columns
        What is done with each column of the table that is used.
    notes
        Sentences for the user: what was left out and what was imputed.
    """

    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        table: Table,
        *,
        target: str | None = None,
        drop: Collection[str] = (),
        rows: Rows | None = None,
        weight: FloatArray | None = None,
    ) -> Preparation:
        """Learn from the training rows of a table.

        Parameters
        ----------
        target, drop
            Columns that are not part of X.
        rows
            Indices of the training rows; all rows if None.
        weight
            Of the training rows, shape (rows,); None for all alike.

        Raises
        ------
        InvalidInput
            A column to leave out does not exist, a column cannot be used (dates, names, infinite
            values), or none is left.
        """
        left_out = [*drop, target] if target is not None else list(drop)
        for name in left_out:
            table.column(name)
        series = [table.column(name) for name in table.columns if name not in left_out]
        fitted = {column.name: _fit(column, rows, table.source, weight) for column in series}
        columns = tuple(column for column in fitted.values() if column is not None)
        if not columns:
            raise InvalidInput(
                f"Table '{table.source}' must have a column to learn from that is not constant. "
                f"Got none beside {listed(left_out) or 'constant ones'}."
            )
        constant = [name for name, column in fitted.items() if column is None]
        return cls(columns, _notes(constant, _n_missing(columns, table, rows)))

    def refitted(self, table: Table, rows: Rows, weight: FloatArray | None = None) -> Preparation:
        """Return the same columns of X, their numbers learned from other training rows.

        Categories stay: which ones there are is known before any training.
        """
        columns = tuple(
            one.refitted(table.column(one.name), table.source, rows, weight)
            if isinstance(one, NumericColumn)
            else one
            for one in self.columns
        )
        return Preparation(columns, self.notes)

    def noting(self, notes: Collection[str]) -> Preparation:
        """Return the same with further sentences for the user."""
        return Preparation(self.columns, (*self.notes, *notes))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of X."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns to read as text: see `read_table(path, text=...)`."""
        return tuple(one.name for one in self.columns if isinstance(one, CategoryColumn))

    def transform(self, table: Table) -> FloatArray:
        """Return X (m, features) for any table that has the columns, in any order, by name.

        Raises
        ------
        InvalidInput
            Columns are missing (all are named), or hold what they did not hold in training.
        """
        present = set(table.columns)
        missing = [column.name for column in self.columns if column.name not in present]
        if missing:
            raise InvalidInput(
                f"Table '{table.source}' must have every column of the training. "
                f"Got none named {listed(missing, limit=len(missing))}. "
                f"Its columns are {listed(table.columns)}."
            )
        X = np.empty((table.n_rows, len(self.feature_names)))
        start = 0
        for column in self.columns:
            stop = start + len(column.feature_names)
            X[:, start:stop] = column.transform(table.column(column.name), table.source)
            start = stop
        return X

    def unknown_notes(self, table: Table) -> list[str]:
        """Return a sentence for each column with categories that training did not see."""
        notes = []
        for column in self.columns:
            if not isinstance(column, CategoryColumn):
                continue
            values = column.unknown(table.column(column.name))
            if values:
                notes.append(
                    f"Column '{column.name}' of '{table.source}' holds categories that training "
                    f"did not see in {len(values)} of {pluralize(table.n_rows, 'row')}, such as "
                    f"'{values[0]}'; there it counts as missing."
                )
        return notes

    def to_settings(self) -> dict[str, Any]:
        """Return plain data (as JSON holds it) for `from_settings`."""
        return {
            "columns": [column.to_settings() for column in self.columns],
            "notes": list(self.notes),
        }

    @classmethod
    def from_settings(cls, settings: object) -> Preparation:
        """Rebuild a preparation.

        Raises
        ------
        InvalidInput
            The settings are not those of a preparation.
        """
        columns = tuple(map(column_from_settings, take_all(settings, "columns", dict)))
        names = {column.name for column in columns}
        if not columns or len(names) < len(columns):
            raise InvalidInput("Setting 'columns' must hold columns of different names.")
        return cls(columns, take_all(settings, "notes", str))


def _fit(
    column: pl.Series, rows: Rows | None, source: str, weight: FloatArray | None
) -> Column | None:
    refuse_unusable(column, source)
    if is_category(column):
        return CategoryColumn.fit(column.name, column if rows is None else column.gather(rows))
    values = to_numbers(column, source, may_drop=True)
    return NumericColumn.fit(column.name, values if rows is None else values[rows], weight)


def _n_missing(columns: tuple[Column, ...], table: Table, rows: Rows | None) -> dict[str, int]:
    numeric = [table.column(one.name) for one in columns if isinstance(one, NumericColumn)]
    chosen = [column if rows is None else column.gather(rows) for column in numeric]
    return {one.name: one.null_count() for one in chosen if one.null_count()}


def _notes(constant: list[str], missing: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if constant:
        what = "constant column" if len(constant) == 1 else f"{len(constant)} constant columns:"
        notes.append(f"Dropped {what} {listed(constant)}.")
    if missing:
        what = pluralize(sum(missing.values()), "missing value")
        notes.append(f"Imputed {what} in {listed(missing)} by the training median.")
    return tuple(notes)
