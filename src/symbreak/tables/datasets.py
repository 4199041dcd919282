"""The small data sets that come with scikit-learn, as tables with a column "target"."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from symbreak.errors import choose
from symbreak.tables.table import Table
from symbreak.tables.task import Task

DATASETS: dict[str, Task] = {
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
    "breast-cancer": "classification",
    "diabetes": "regression",
}


def load_dataset(name: str) -> tuple[Table, Task]:
    """Return a bundled data set and its task; nothing is downloaded.

    The target holds class names as text, except the digits 0 .. 9 (whole numbers) and the disease
    progression of "diabetes" (numbers).

    Raises
    ------
    InvalidInput
        There is none of that name; the sentence gives the choices and the nearest one.
    """
    choose("The data set", name, DATASETS)
    from sklearn import datasets

    bunch: Any = getattr(datasets, f"load_{name.replace('-', '_')}")()
    columns = {str(key): bunch.data[:, j] for j, key in enumerate(bunch.feature_names)}
    named = DATASETS[name] == "classification" and name != "digits"
    target = np.asarray(bunch.target_names)[bunch.target].astype(str) if named else bunch.target
    return Table.of(pl.DataFrame({**columns, "target": target}), name), DATASETS[name]
