"""Columns that name their row, or a place, and are no quantities: identifiers and zip codes.

    left out   text of which every row has its own, more than `FEW` of it; whole numbers of which
               every row has its own, in a column with the name of an identifier
    named      numbers that rise from row to row; numbers or text with the name of an identifier
               that are not left out; numbers with the name of a zip code

Nothing is left out that is asked for by name. Dates and numbers with a decimal comma are not meant:
`symbreak.tables.categories` refuses them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from symbreak.tables.categories import FEW, is_plain_text
from symbreak.tables.table import Table, leave_out

_IDENTIFIER = re.compile(
    r"(^|[_ .-])(id|uuid|guid|index|idx|row|rowid|row_?n(r|o|um|umber))$|^unnamed|^$"
)
_CAMEL = re.compile(r"[a-z](Id|ID|Uuid|UUID|Index)$")
_ZIP = re.compile(r"(^|[_ .-])(zip|zip[_ -]?code|post(al)?[_ -]?code|plz)$")


@dataclass(frozen=True)
class Identifiers:
    """What was found among the columns of a table.

    Attributes
    ----------
    left_out : columns that are no features.
    notes : sentences for the user, on these and on columns that may be meant as they are.
    """

    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def among(
        cls, table: Table, columns: Collection[str], keep: Collection[str] = ()
    ) -> Identifiers:
        """Look at columns; those of `keep` are features whatever they look like.

        Raises
        ------
        InvalidInput
            There is no column of a name in `keep`.
        """
        for name in keep:
            table.column(name)
        found = [
            (name, *judged) for name in columns
            if name not in keep and (judged := _judged(table.column(name)))
        ]  # fmt: skip
        left_out = tuple(name for name, is_left_out, _ in found if is_left_out)
        return cls(left_out, tuple(words for *_, words in found))


def _judged(column: pl.Series) -> tuple[bool, str] | None:
    """Return whether a column is left out, and what is said of it; None where it is as others."""
    name = column.name
    is_own = not column.null_count() and column.n_unique() == len(column) > FEW
    is_named = bool(_IDENTIFIER.search(name.lower()) or _CAMEL.search(name))
    if column.dtype == pl.String:
        if is_own and is_plain_text(column):
            return True, f"Left out '{name}': every row has a text of its own, as identifiers have."
        return (False, _named(name, "which tells nothing of other rows")) if is_named else None
    if not column.dtype.is_integer():
        return None
    if _ZIP.search(name.lower()):
        return False, (
            f"Column '{name}' looks like a zip code, whose size means nothing: {leave_out(name)}, "
            "or write it as text, with a letter before it (z02139); as a number it has lost its "
            "leading zeros."
        )
    if is_named:
        if is_own:
            return True, (
                f"Left out '{name}', an identifier by its name: every row has a number of its own. "
                f"To learn from it: --keep {name}."
            )
        return False, _named(name, "whose size means nothing")
    if is_own and bool((column.diff().drop_nulls() > 0).all()):
        return False, (
            f"Column '{name}' rises from row to row, as a row number does: if it is one, "
            f"{leave_out(name)}."
        )
    return None


def _named(name: str, why: str) -> str:
    return (
        f"Column '{name}' looks like an identifier, {why}: {leave_out(name)}, or keep its rows "
        "together with --group."
    )
