"""The rows of a text file one by one: its first ones, and the one that is not as it must be.

Whole files are read by polars, which does not say of a bad row where it is.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbreak.errors import InvalidInput

if TYPE_CHECKING:
    from _csv import Reader

_LONGEST_CELL = 2**31 - 1  # the most that the csv module takes on every system
_SHOWN = 40  # characters of a line in a message
_csv_limit = threading.Lock()


@dataclass(frozen=True)
class Layout:
    """How the rows of a text file are laid out.

    Attributes
    ----------
    separator, width : what stands between the cells, and how many a row has.
    n_above : the lines above the first row.
    source : the file, for messages.
    """

    separator: str
    width: int
    n_above: int
    source: str


@dataclass(frozen=True)
class _Row:
    """A row: how many lines stand above it, its text, and its cells: none if it is blank."""

    n_above: int
    text: str
    cells: list[str]


@contextmanager
def cells_of_any_length() -> Iterator[None]:
    """Lift the limit of the csv module, which is one for the whole process, and put it back."""
    with _csv_limit:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def lines_of(content: bytes) -> io.TextIOWrapper:
    """Return the lines of UTF-8 text, decoded as they are asked for."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="\n")


def cells_of(lines: Iterable[str], separator: str, *, strict: bool = False) -> Reader:
    """Return the cells of row after row; none of a blank line."""
    # skipinitialspace: a quote may follow a space, as in: a, "b c"
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def blank_rows(rows: bytes, layout: Layout) -> list[int]:
    """Return which rows, from 0, are blank lines.

    Raises
    ------
    InvalidInput
        A row has more or fewer cells than the first line; if its quotes are why, that is said.
    """
    blank = []
    for place, row in enumerate(_each(rows, layout)):
        if not row.cells:
            blank.append(place)
        elif len(row.cells) != layout.width:
            where = _where(row, place + 1 - len(blank), layout)
            if _has_broken_quotes(row, layout):
                raise broken_quotes(where, row.text)
            raise InvalidInput(
                f"{where} must have {layout.width} values, as many as the first line has. "
                f"Got {len(row.cells)}."
            )
    return blank


def refuse_broken_quotes(rows: bytes, layout: Layout) -> None:
    """Raise InvalidInput at the first row whose quotes are not closed, or in the midst of text."""
    number = 0
    for row in _each(rows, layout):
        number += bool(row.cells)
        if _has_broken_quotes(row, layout):
            raise broken_quotes(_where(row, number, layout), row.text)


def broken_quotes(where: str, text: str) -> InvalidInput:
    """Return the error that says in which row, which begins with `text`, quotes are broken."""
    begin = text.lstrip("\n").split("\n", 1)[0]
    shown = begin if len(begin) <= _SHOWN else f"{begin[:_SHOWN]} ..."
    return InvalidInput(
        f"{where} must have quotes around whole values, and two where one is meant. "
        f"Got a quote that is not closed, or stands within a value: {shown}"
    )


def has_odd_quotes(text: str) -> bool:
    """Tell whether a quote has no partner."""
    return text.count('"') % 2 == 1


def _has_broken_quotes(row: _Row, layout: Layout) -> bool:
    try:
        for _ in cells_of(io.StringIO(row.text), layout.separator, strict=True):
            pass
    except csv.Error:
        return True
    return has_odd_quotes(row.text)


def _where(row: _Row, number: int, layout: Layout) -> str:
    return f"Row {number} of '{layout.source}' (line {layout.n_above + row.n_above + 1})"


def _each(rows: bytes, layout: Layout) -> Iterator[_Row]:
    read: list[str] = []

    def lines() -> Iterator[str]:
        for line in lines_of(rows):
            read.append(line)
            yield line

    reader, n_above = cells_of(lines(), layout.separator), 0
    for cells in reader:
        yield _Row(n_above, "".join(read), cells)
        n_above = reader.line_num
        read.clear()
