"""Classification or regression, told from the target column.

The rule: text and true/false are classes; numbers are classes if all are whole and at most
`MOST_CLASSES` different ones occur; everything else is a quantity.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

Task = Literal["classification", "regression"]
TASKS: tuple[Task, ...] = ("classification", "regression")
MOST_CLASSES = 20


def infer_task(column: pl.Series) -> Task:
    """Return the task that the rule of this module finds for a target column."""
    if not column.dtype.is_numeric():
        return "classification"
    few = column.drop_nulls().n_unique() <= MOST_CLASSES
    return "classification" if few and is_whole(column) else "regression"


def is_whole(numbers: pl.Series) -> bool:
    """Return whether every number that is there is a whole one."""
    if numbers.dtype.is_integer():
        return True
    present = numbers.drop_nulls()
    return bool((present.is_finite() & (present == present.floor())).all())
