"""A table: named columns of equal length and where they came from, in one normal form.

Whatever the file was: missing values are null (a NaN is a missing value, and so are the words of
`MISSING`), categories are text without spaces around it, decimals are floats.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from symbreak.errors import InvalidInput, nearest

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")


@dataclass(frozen=True, eq=False)
class Table:
    """Columns by name.

    Attributes
    ----------
    frame
        In the normal form of this module: make one with `Table.of`.
    source
        The name of the file or data set, for messages.
    is_unnamed
        Whether the file has no names of columns: they are called by their place.
    notes
        Sentences for the user on how the file was read.
    """

    frame: pl.DataFrame
    source: str
    is_unnamed: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        frame: pl.DataFrame,
        source: str,
        *,
        is_unnamed: bool = False,
        notes: tuple[str, ...] = (),
    ) -> Table:
        """Bring `frame` into the normal form.

        Raises
        ------
        InvalidInput
            There is no row or no column.
        """
        if not frame.height or not frame.width:
            raise InvalidInput(
                f"Table '{source}' must have at least one row and one column. "
                f"Got {frame.height} rows and {frame.width} columns."
            )
        odd = cs.decimal() | cs.by_dtype(pl.Null, pl.Int128)
        frame = frame.with_columns(odd.cast(pl.Float64))
        frame = frame.with_columns(cs.float().fill_nan(None))
        return cls(without_missing_words(frame), source, is_unnamed, notes)

    @property
    def columns(self) -> list[str]:
        """The names, in the order of the file."""
        return self.frame.columns

    @property
    def n_rows(self) -> int:
        """The number of examples."""
        return self.frame.height

    def column(self, name: str) -> pl.Series:
        """Return one column.

        Raises
        ------
        InvalidInput
            There is none of that name; the sentence gives the nearest one and the choices.
        """
        found: pl.Series | None = self.frame.get_column(name, default=None)
        if found is None:
            why = ", which has no names in its first line" if self.is_unnamed else ""
            raise InvalidInput(
                f"Column '{name}' must be a column of '{self.source}'{why}: "
                f"{listed(self.columns)}.{nearest(name, self.columns)}"
            )
        return found


def without_missing_words(frame: pl.DataFrame) -> pl.DataFrame:
    """Strip the spaces around text and make every word of `MISSING` a null."""
    text = cs.string(include_categorical=True) | cs.enum()
    stripped = frame.with_columns(text.cast(pl.String).str.strip_chars())
    return stripped.with_columns(cs.string().replace(list(MISSING), [None] * len(MISSING)))


def refuse_repeated(names: Iterable[str], source: str, otherwise: str = "") -> None:
    """Raise InvalidInput when two columns of `source` have one name.

    Parameters
    ----------
    otherwise
        What else to do than to rename them.
    """
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InvalidInput(
            f"The columns of '{source}' must have different names. Got {listed(repeated)} more "
            f"than once; rename them{otherwise}."
        )


def listed(words: Iterable[object], limit: int = 8) -> str:
    """Return "'a', 'b', 'c'", or the first `limit` of them and how many more there are."""
    quoted = [f"'{word}'" if isinstance(word, str) else str(word) for word in words]
    if len(quoted) <= limit:
        return ", ".join(quoted)
    return f"{', '.join(quoted[:limit])} and {len(quoted) - limit} more"


def leave_out(name: str) -> str:
    """Return how to leave a column out on the command line."""
    return f"leave it out with --drop {shlex.quote(name)}"
