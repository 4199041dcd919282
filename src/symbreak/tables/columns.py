"""How one column of a table becomes columns of X.

    numbers:     (x - mean) / std, a missing x first replaced by the median
    categories:  one column of 0 and 1 for each category; all 0 for a missing or unknown one

Median, mean, std and the categories are those of the training rows. Where the tails are heavy, the
median and the distance of the quartiles stand for mean and std (`symbreak.scaling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from symbreak.errors import InvalidInput
from symbreak.scaling import robust
from symbreak.tables.categories import to_text
from symbreak.tables.numbers import FloatArray, mean_and_std, median, standardise, to_numbers
from symbreak.tables.settings import take, take_all, take_number

Rows = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class NumericColumn:
    """Numbers: imputed by `median`, then standardised by `mean` and `std` (above 0)."""

    name: str
    median: float
    mean: float
    std: float

    @classmethod
    def fit(
        cls, name: str, values: FloatArray, weight: FloatArray | None = None
    ) -> NumericColumn | None:
        """Learn from the training values, shape (m,), NaN where missing; None if constant."""
        present = ~np.isnan(values)
        if weight is not None:
            present &= weight > 0
        if not present.any():
            return None
        middle = median(values[present], None if weight is None else weight[present])
        filled = np.where(np.isnan(values), middle, values)
        mean, std = mean_and_std(filled, weight)
        if not std > 0:
            return None
        shift, scale = robust(filled, mean, std, weight)
        return cls(name, middle, float(shift), float(scale))

    def refitted(
        self, column: pl.Series, source: str, rows: Rows, weight: FloatArray | None = None
    ) -> NumericColumn:
        """Return what other training rows teach; the column as it is where they are all equal."""
        return NumericColumn.fit(self.name, to_numbers(column, source)[rows], weight) or self

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of X."""
        return (self.name,)

    def transform(self, column: pl.Series, source: str) -> FloatArray:
        """Return (m, 1).

        Raises
        ------
        InvalidInput
            A value is no number, or lies beyond what can be standardised.
        """
        values = to_numbers(column, source)
        filled = np.where(np.isnan(values), self.median, values)
        return standardise(filled, self.mean, self.std, self.name, source)[:, None]

    def to_settings(self) -> dict[str, Any]:
        """Return plain data from which `column_from_settings` rebuilds this column."""
        return {
            "kind": "number",
            "name": self.name,
            "median": self.median,
            "mean": self.mean,
            "std": self.std,
        }


@dataclass(frozen=True)
class CategoryColumn:
    """Categories, sorted, each of which becomes one column."""

    name: str
    categories: tuple[str, ...]

    @classmethod
    def fit(cls, name: str, values: pl.Series) -> CategoryColumn | None:
        """Learn from the training values, null where missing; None if constant."""
        if values.n_unique() < 2:
            return None
        return cls(name, tuple(sorted(values.drop_nulls().unique().to_list())))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of X."""
        return tuple(f"{self.name}={category}" for category in self.categories)

    def transform(self, column: pl.Series, source: str) -> FloatArray:
        """Return (m, categories) of 0 and 1.

        Raises
        ------
        InvalidInput
            The column is neither text nor numbers nor booleans.
        """
        if column.dtype.is_nested():
            raise InvalidInput(
                f"Column '{self.name}' of '{source}' must hold categories. Got {column.dtype}."
            )
        place = {category: j for j, category in enumerate(self.categories)}
        codes = np.array([place.get(value, -1) for value in to_text(column).to_list()])
        known = np.flatnonzero(codes >= 0)
        X = np.zeros((len(codes), len(self.categories)))
        X[known, codes[known]] = 1.0
        return X

    def unknown(self, column: pl.Series) -> list[str]:
        """Return the values, row by row, that are neither known nor missing."""
        known = set(self.categories)
        return [value for value in to_text(column).drop_nulls().to_list() if value not in known]

    def to_settings(self) -> dict[str, Any]:
        """Return plain data from which `column_from_settings` rebuilds this column."""
        return {"kind": "category", "name": self.name, "categories": list(self.categories)}


Column = NumericColumn | CategoryColumn


def column_from_settings(settings: object) -> Column:
    """Rebuild a column from its plain settings.

    Raises
    ------
    InvalidInput
        The settings are not those of a column.
    """
    kind, name = take(settings, "kind", str), take(settings, "name", str)
    if kind == "number":
        median, mean = take_number(settings, "median"), take_number(settings, "mean")
        return NumericColumn(name, median, mean, take_number(settings, "std", positive=True))
    categories = take_all(settings, "categories", str)
    if kind != "category" or not categories or any(a >= b for a, b in pairwise(categories)):
        raise InvalidInput(f"Setting 'columns' must hold sorted categories. Got {settings!r}.")
    return CategoryColumn(name, categories)
