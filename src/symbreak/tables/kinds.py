"""The kind of each column of text: whole numbers, else numbers, else true/false, else text.

It is found from the whole column. So a column that becomes text in its last row is text, and no
guess from the first rows can fail: they only spare attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import polars as pl

from symbreak.tables.table import MISSING, without_missing_words

Reading = Callable[[pl.DataFrame], pl.DataFrame]
_TELLING = 100  # first rows, which mostly tell that a column is of another kind
_BOOLEANS = ["true", "false"]


def typed(cells: pl.DataFrame, text: Collection[str]) -> pl.DataFrame:
    """Return the columns in their kinds, null where a value is missing.

    Parameters
    ----------
    cells : columns of text, by names that are no patterns of polars.
    text : columns that stay text.
    """
    order = cells.columns
    named_text = [name for name in order if name in text]
    # Few numbers stand between spaces, and stripping them takes longer than reading the numbers.
    found = _in_kinds(_without_plain_words(cells.drop(named_text)), (_whole, _numbers))
    rest = without_missing_words(cells.drop([column.name for column in found]))
    found += _in_kinds(rest.drop(named_text), (_whole, _numbers, _booleans))
    return rest.with_columns(found).select(order)


def _without_plain_words(cells: pl.DataFrame) -> pl.DataFrame:
    every = pl.all()
    return cells.with_columns(pl.when(~every.is_in(MISSING)).then(every))


def _in_kinds(cells: pl.DataFrame, readings: Collection[Reading]) -> list[pl.Series]:
    """Return the columns of which one of these readings loses no value, as the first reads them."""
    found = list[pl.Series]()
    for read in readings:
        likely = _lossless(cells.head(_TELLING), read).columns
        found += _lossless(cells.select(likely), read).get_columns()
        cells = cells.drop([column.name for column in found], strict=False)
    return found


def _lossless(cells: pl.DataFrame, read: Reading) -> pl.DataFrame:
    if not cells.width:
        return cells
    values = read(cells)
    missing, lost = cells.null_count().row(0), values.null_count().row(0)
    return values[:, [before == after for before, after in zip(missing, lost, strict=True)]]


def _whole(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.cast(pl.Int64, strict=False)


def _numbers(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.cast(pl.Float64, strict=False)


def _booleans(cells: pl.DataFrame) -> pl.DataFrame:
    lower = pl.all().str.to_lowercase()
    return cells.select(pl.when(lower.is_in(_BOOLEANS)).then(lower == "true"))
