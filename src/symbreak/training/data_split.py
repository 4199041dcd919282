"""From a table to the examples to train on, to validate with and to score on.

    table -> training | validation | hold-out rows (stratified by class for classification)

The preparation of the columns and the scale of a numeric target are learned from the training rows
alone. With a table of its own for the test, all rows of the first table are for training and
validation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import InvalidInput
from symbreak.tables.preparation import Preparation
from symbreak.tables.split import split_rows
from symbreak.tables.table import Table
from symbreak.tables.target import Target, task_of


class Subset(NamedTuple):
    """X (m, features) and y (m,): class indices, or standardised numbers."""

    X: NDArray[np.float64]
    y: NDArray[Any]

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.y)


@dataclass(frozen=True, eq=False)
class DataSplit:
    """A table, split and prepared; make one with `DataSplit.of`.

    Attributes
    ----------
    preparation, target : how tables become X and y.
    train, validation, holdout : the examples; `validation` may hold none.
    n_rows, n_columns : of the table, without the target and what was dropped.
    n_unnamed : how many columns the table has in all, where its file has no names of them; else 0.
    """

    preparation: Preparation
    target: Target
    train: Subset
    validation: Subset
    holdout: Subset
    n_rows: int
    n_columns: int
    n_unnamed: int = 0

    @classmethod
    def of(
        cls,
        table: Table,
        target: str,
        *,
        task: str | None = None,
        drop: Collection[str] = (),
        holdout: float = 0.2,
        validation: float = 0.15,
        seed: int = 0,
        separate_test: bool = False,
    ) -> DataSplit:
        """Split a table and prepare its columns.

        Parameters
        ----------
        target : the column to learn.
        task : "classification", "regression" or None to infer it.
        drop : columns to leave out.
        holdout : share of the rows that is kept for the score, above 0.
        validation : share of the remaining rows that scores single starts, 0 for none.
        seed : of the split.
        separate_test : split no hold-out off: `with_test` gives it.

        Raises
        ------
        InvalidInput
            A share is out of range, or the table or its target cannot be used.
        """
        shares = _shares(0.0 if separate_test else _share("holdout", holdout, 0.0), validation)
        found, y, (rows, validation_rows, holdout_rows) = _target_and_rows(
            table, target, task, shares, seed
        )
        preparation = Preparation.fit(table, target=target, drop=drop, rows=rows)
        everything = Subset(preparation.transform(table), y)
        return cls(
            preparation,
            found,
            _take(everything, rows),
            _take(everything, validation_rows),
            _take(everything, holdout_rows),
            table.n_rows,
            len(set(table.columns) - {target, *drop}),
            table.frame.width if table.is_unnamed else 0,
        )

    def with_test(self, table: Table) -> DataSplit:
        """Return this split with the rows of another table as the hold-out."""
        test = Subset(self.preparation.transform(table), self.target.encode(table))
        return replace(self, holdout=test)

    @property
    def loss(self) -> str:
        """The loss for the task: soft-max, one output for each class, or the squared error."""
        return "cross_entropy" if self.target.classes else "squared_error"

    @property
    def n_outputs(self) -> int:
        """One for each class, or one number."""
        return len(self.target.classes) or 1


def _target_and_rows(
    table: Table, name: str, task: str | None, shares: tuple[float, ...], seed: int
) -> tuple[Target, NDArray[Any], tuple[NDArray[np.int64], ...]]:
    """Return the target, y (m,) and the rows of each part.

    The parts have the classes of all rows in equal shares; numbers are scaled by the training rows.
    """
    task = task_of(table, name, task)
    if task == "classification":
        target = Target.fit(table, name, task)
        y = target.encode(table)
        return target, y, split_rows(y, shares, task, seed)
    rows = split_rows(np.empty(table.n_rows), shares, task, seed)
    target = Target.fit(table, name, task, rows[0])
    return target, target.encode(table), rows


def _take(examples: Subset, rows: NDArray[np.int64]) -> Subset:
    return Subset(examples.X[rows], examples.y[rows])


def _shares(holdout: float, validation: float) -> tuple[float, float, float]:
    second = _share("validation", validation, -math.inf) * (1.0 - holdout)
    return 1.0 - holdout - second, second, holdout


def _share(what: str, share: float, above: float) -> float:
    if not (above < share < 1.0 and share >= 0.0):
        least = "above 0" if above == 0.0 else "0 or above"
        raise InvalidInput(f"{what} must be a share, {least} and below 1. Got {share!r}.")
    return share
