"""Rows that repeat another one, which a network that was trained on that one knows already.

    copies      equal in all columns that are used, the target among them, where one of these
                columns has a value of its own in most of the different rows
    by chance   equal in tables of few different rows, as of some questions with yes and no

Copies stay together in hold-out and folds, as groups do. Rows that are equal by chance do not: new
rows will equal old ones as well, and to leave out all of one kind asks for more than new rows do.
Where chance can hardly have made all that repeats, but no column tells, the note asks.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbreak.tables.row_facts import RowFacts
from symbreak.tables.table import Table

# A smaller share hardly changes a score.
NOTABLE = 0.05
# Fewer values of a column can come again by chance.
LEAST_OWN = 20
_REMEDY = "Drop them, or keep what belongs together with a --group column."


@dataclass(frozen=True, eq=False)
class Copies:
    """What repeats in a table; make it with `Copies.among`.

    Attributes
    ----------
    first
        (m,) the first row that each row equals; None where rows are split one by one.
    notes
        Sentences for the user.
    """

    first: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def among(cls, table: Table, columns: Collection[str], facts: RowFacts) -> Copies:
        """Look for them in these columns; with groups nothing is left to say."""
        rows = table.frame.select(columns)
        _, first, place = np.unique(
            rows.hash_rows().to_numpy(), return_index=True, return_inverse=True
        )
        n = table.n_rows - len(first)
        if facts.groups is not None or n < NOTABLE * table.n_rows:
            return cls()
        values = [column.n_unique() for column in rows[np.sort(first)]]
        said = f"{n:,} of {table.n_rows:,} rows repeat another one in every column"
        is_copied = max(values) >= max(LEAST_OWN, len(first) / 2)
        if is_copied and facts.time is None:
            note = f"{said}: equal rows stay together in hold-out and folds. Drop mere repeats."
            return cls(first[place].astype(np.int64), (note,))
        if is_copied or math.prod(values) > table.n_rows:
            return cls(notes=(f"{said}: if they are copies, the score is too good. {_REMEDY}",))
        return cls()
