"""The target column: classes as indices 0 .. K-1, or standardised numbers.

classification:  y = the place of the label among the sorted classes
regression:      y = (t - mean) / std with mean and std of the training rows; t = y std + mean
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from symbreak.errors import InvalidInput, choose
from symbreak.tables.categories import refuse_unusable, to_text
from symbreak.tables.numbers import FloatArray, mean_and_std, standardise, to_numbers
from symbreak.tables.settings import take, take_all, take_number
from symbreak.tables.table import Table, listed
from symbreak.tables.task import TASKS, infer_task, is_whole
from symbreak.text import pluralize

Label = str | int | bool
Rows = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Target:
    """What is predicted; make one with `Target.fit`.

    Attributes
    ----------
    name
        The column.
    task
        "classification" or "regression".
    classes
        Classification: the labels, sorted, all text or all whole numbers or all booleans.
    mean, std
        Regression: of the training rows.
    """

    name: str
    task: str
    classes: tuple[Label, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def fit(
        cls,
        table: Table,
        name: str,
        task: str | None = None,
        rows: Rows | None = None,
        weight: FloatArray | None = None,
    ) -> Target:
        """Learn the classes (from all rows) or the scale (from the training rows).

        Parameters
        ----------
        task
            "classification" or "regression"; inferred from the column if None.
        rows
            Indices of the training rows; all rows if None.
        weight
            Of the training rows, shape (rows,); None for all alike.

        Raises
        ------
        InvalidInput
            There is no such column, a value is missing, infinite or of the wrong kind, or all
            values are equal.
        """
        column, task = table.column(name), task_of(table, name, task)
        if task == "classification":
            return cls(name, task, classes=_classes(column, table.source))
        values = to_numbers(column, table.source)
        mean, std = mean_and_std(values if rows is None else values[rows], weight)
        if not std > 0:
            raise InvalidInput(
                f"Target '{name}' of '{table.source}' must have different values. Got {mean:g} in "
                "every training row; choose another target."
            )
        return cls(name, task, mean=mean, std=std)

    def refitted(self, table: Table, rows: Rows, weight: FloatArray | None = None) -> Target:
        """Return the same target, its scale learned from other training rows that differ."""
        if self.classes:
            return self
        values = to_numbers(table.column(self.name), table.source)[rows]
        mean, std = mean_and_std(values, weight)
        return replace(self, mean=mean, std=std) if std > 0 else self

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns to read as text: see `read_table(path, text=...)`."""
        return (self.name,) if self.classes and isinstance(self.classes[0], str) else ()

    def encode(self, table: Table) -> npt.NDArray[Any]:
        """Return y (m,): class indices (int64) or standardised numbers (float64).

        Raises
        ------
        InvalidInput
            The column is missing, or has a missing value or one that training did not know.
        """
        column = table.column(self.name)
        _refuse_missing(column, table.source)
        if self.task == "regression":
            values = to_numbers(column, table.source)
            return standardise(values, self.mean, self.std, self.name, table.source)
        place = {label: index for index, label in enumerate(self.classes)}
        labels = (to_text(column) if self.text_columns else column).to_list()
        unknown = [(row, one) for row, one in enumerate(labels) if one not in place]
        if unknown:
            row, label = unknown[0]
            raise InvalidInput(
                f"Target '{self.name}' of '{table.source}' must hold the classes of the training, "
                f"{listed(self.classes)}. Got {listed([label])} in row {row + 1}."
            )
        return np.array([place[one] for one in labels], dtype=np.int64)

    def labels(self, indices: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the labels of class indices, in the kind that the training column had."""
        labels: npt.NDArray[Any] = np.array(self.classes)[np.asarray(indices)]
        return labels

    def unscale(self, y: npt.ArrayLike) -> FloatArray:
        """Return numbers in the unit of the training column from standardised ones."""
        return np.asarray(y, dtype=np.float64) * self.std + self.mean

    def to_settings(self) -> dict[str, Any]:
        """Return plain data (as JSON holds it) for `from_settings`."""
        return {
            "name": self.name,
            "task": self.task,
            "classes": list(self.classes),
            "mean": self.mean,
            "std": self.std,
        }

    @classmethod
    def from_settings(cls, settings: object) -> Target:
        """Rebuild a target.

        Raises
        ------
        InvalidInput
            The settings are not those of a target.
        """
        task = choose("Setting 'task'", take(settings, "task", str), TASKS)
        classes = take(settings, "classes", list)
        kind = type(classes[0]) if classes else str
        if kind not in (str, int, bool) or (len(set(map(str, classes))) > 1) != (
            task == "classification"
        ):
            raise InvalidInput(f"Setting 'classes' must hold the labels. Got {classes!r}.")
        return cls(
            take(settings, "name", str),
            task,
            take_all(settings, "classes", kind),
            take_number(settings, "mean"),
            take_number(settings, "std", positive=True),
        )


def task_of(table: Table, name: str, task: str | None = None) -> str:
    """Return the task that a target column poses, "classification" or "regression".

    Raises
    ------
    InvalidInput
        There is no such column or task, or a value is missing.
    """
    column = table.column(name)
    _refuse_missing(column, table.source)
    return infer_task(column) if task is None else choose("The task", task, TASKS)


def _refuse_missing(column: pl.Series, source: str) -> None:
    missing = column.is_null().arg_true()
    if len(missing):
        rows = pluralize(len(missing), "row")
        raise InvalidInput(
            f"Target '{column.name}' of '{source}' must have a value in every row. Got {rows} "
            f"without one, the first is row {missing[0] + 1}; fill or remove them."
        )


def _classes(column: pl.Series, source: str) -> tuple[Label, ...]:
    refuse_unusable(column, source)
    if column.dtype.is_numeric():
        column = _whole(column, source)
    classes = sorted(column.unique().to_list())
    if len(classes) < 2:
        raise InvalidInput(
            f"Target '{column.name}' of '{source}' must have at least two classes. "
            f"Got only {listed(classes)}; choose another target."
        )
    return tuple(classes)


def _whole(column: pl.Series, source: str) -> pl.Series:
    to_numbers(column, source)
    if not is_whole(column):
        fraction = next(one for one in column.to_list() if one != int(one))
        raise InvalidInput(
            f"Target '{column.name}' of '{source}' must hold text, whole numbers or booleans for "
            f"classification. Got {fraction}; choose the task regression."
        )
    return column if column.dtype.is_integer() else column.cast(pl.Int64)
