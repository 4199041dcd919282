"""What columns say of the rows themselves: which belong together, when they were, what they weigh.

Such columns are no features, and a trained model needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.numbers import FloatArray, to_numbers
from symbreak.tables.table import Table
from symbreak.text import pluralize

_ISO = r"^\d{4}([-/.]\d{2}([-/.]\d{2}([T ]\d{2}:\d{2}.*)?)?)?$"


@dataclass(frozen=True, eq=False)
class RowFacts:
    """Facts of the rows of a table; make them with `RowFacts.of`.

    Attributes
    ----------
    groups
        (m,) the number of the group of each row; None where each stands by itself.
    time
        (m,) rising with time; None where the order means nothing.
    weight
        (m,) 0 or above; None where all rows weigh the same.
    columns
        The columns they are from.
    """

    groups: npt.NDArray[np.int64] | None = None
    time: npt.NDArray[np.int64] | None = None
    weight: FloatArray | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        table: Table,
        *,
        group: str | None = None,
        time: str | None = None,
        weight: str | None = None,
    ) -> RowFacts:
        """Read the columns of these names.

        Raises
        ------
        InvalidInput
            There is no such column, a value is missing or not of the right kind, all rows are of
            one group, or none weighs anything.
        """
        if group is not None and time is not None:
            raise InvalidInput(
                "A split must go by groups or by time. Got both a column of groups, "
                f"'{group}', and one of time, '{time}'; leave one out."
            )
        return cls(
            None if group is None else _groups(table, group),
            None if time is None else _times(table, time),
            None if weight is None else weights(table, weight),
            tuple(name for name in (group, time, weight) if name is not None),
        )

    def weight_of(self, rows: Any) -> FloatArray | None:
        """Return the weights of some rows, None where all weigh the same."""
        return None if self.weight is None else self.weight[rows]


def weights(table: Table, name: str) -> FloatArray:
    """Return the weights (m,) that stand in a column; see `RowFacts.of`."""
    found = to_numbers(_present(table, name, "Weights"), table.source)
    low = int(found.argmin())
    if found[low] < 0:
        raise InvalidInput(
            f"Weights '{name}' of '{table.source}' must be 0 or above. Got {found[low]:g} in row "
            f"{low + 1}."
        )
    if not found.any():
        raise InvalidInput(
            f"Weights '{name}' of '{table.source}' must be above 0 in some row. Got 0 in every row."
        )
    return found


def _groups(table: Table, name: str) -> npt.NDArray[np.int64]:
    column = _present(table, name, "Groups")
    found = column.cast(pl.String) if not column.dtype.is_numeric() else column
    values, number = np.unique(found.to_numpy(), return_inverse=True)
    if len(values) < 2:
        raise InvalidInput(
            f"Groups '{name}' of '{table.source}' must be at least two, to score on other groups "
            f"than those of the training. Got one in {pluralize(table.n_rows, 'row')}."
        )
    return number.astype(np.int64)


def _times(table: Table, name: str) -> npt.NDArray[np.int64]:
    column = _present(table, name, "Times")
    kind = column.dtype
    is_iso = kind == pl.String and column.str.contains(_ISO).all()
    if not (kind.is_numeric() or kind.is_temporal() or is_iso):
        raise InvalidInput(
            f"Times '{name}' of '{table.source}' must be numbers or dates such as 2024-05-31 or "
            f"2024-05-31 12:00, whose order is plain. Got '{column[0]}'."
        )
    return column.rank("dense").cast(pl.Int64).to_numpy()


def _present(table: Table, name: str, what: str) -> pl.Series:
    column = table.column(name)
    missing = column.is_null().arg_true()
    if len(missing):
        raise InvalidInput(
            f"{what} '{name}' of '{table.source}' must be there in every row. Got "
            f"{pluralize(len(missing), 'row')} without, the first is row {missing[0] + 1}."
        )
    return column
