"""Reading CSV, TSV and TXT files.

Everything is read as text first and the kind of a column is found from the whole of it: whole
numbers, else numbers, else true/false, else text. So a column that becomes text in its last row
is text, and no guess from the first rows can fail.
"""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.header import FirstLine, Names, as_number, by_place, judged
from symbreak.tables.table import Table, refuse_repeated, without_missing_words

if TYPE_CHECKING:
    from _csv import Reader as _Lines

_ROWS, _CELLS = 1000, 200_000  # that tell whether the first line holds names
_FEWEST_ROWS = 20
_LONGEST_CELL = 2**31 - 1  # the most that the csv module takes on every system
_csv_limit = threading.Lock()


def read_text(
    path: Path,
    separators: str,
    text: Collection[str],
    *,
    header: bool | None = None,
    names: Names = by_place,
) -> Table:
    """Read one file of separated values.

    Parameters
    ----------
    separators
        The characters that may separate values. Of several that split the first line the one is
        taken that splits the next rows alike, then the one between more numbers, then the one that
        splits it most.
    text
        Names of columns that stay text.
    header
        Whether the first line holds the names of the columns; None tells it from the values.
    names
        The names of so many columns where the file has none.

    Raises
    ------
    InvalidInput
        The file is not UTF-8 text, or its header or a row is not as it must be.
    """
    content = _decoded(path)
    with _cells_of_any_length():
        separator, line = _first_line(content, separators)
        found = _told(content, separator, line)
        has_names = found.holds_names if header is None else header
        if has_names:
            columns = _checked(line, path.name)
            content = _without_first_line(content, separator)
        else:
            columns = list(names(len(line)))
        frame = _as_text(content, separator, columns, path.name)
    frame = without_missing_words(frame)
    typed = [_typed(one) for one in frame.iter_columns() if one.name not in text]
    notes = () if header is not None else _notes(found, line, path.name)
    frame = frame.with_columns(typed)
    return Table.of(frame, path.name, is_unnamed=not has_names, notes=notes)


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = "\0"
    if "\0" in content:
        raise InvalidInput(
            f"Data file '{path}' must be text in UTF-8. Got other bytes; "
            "save it again as CSV in UTF-8."
        )
    content = content.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    if not content.strip():
        raise InvalidInput(f"Data file '{path}' must hold a table. Got only blank lines.")
    return content


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Lift the limit of the csv module, which is one for the whole process, and put it back."""
    with _csv_limit:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _first_line(content: str, separators: str) -> tuple[str, list[str]]:
    lines = {one: next(_lines(content, one)) for one in separators}
    n_cells = {one: _n_cells(line) for one, line in lines.items()}
    separator = max(separators, key=n_cells.__getitem__)
    if sum(n > 1 for n in n_cells.values()) > 1:
        separator = max(
            separators, key=lambda one: (*_fit(content, one, n_cells[one]), n_cells[one])
        )
    return separator, _stripped(lines[separator])


def _fit(content: str, separator: str, width: int) -> tuple[float, float]:
    """Return the share of the next rows that a separator splits alike, and of numbers in them."""
    rows = [*islice(_lines(content, separator), 1, _FEWEST_ROWS + 1)] if width > 1 else []
    cells = [as_number(cell) is not None for row in rows for cell in _stripped(row)]
    alike = sum(len(row) == width for row in rows)
    return alike / max(len(rows), 1), sum(cells) / max(len(cells), 1)


def _n_cells(line: list[str]) -> int:
    # The wrong separator cuts quoted names and leaves quotes in the pieces.
    return len(line) if '"' not in "".join(line) else 0


def _stripped(line: list[str]) -> list[str]:
    return [cell.strip() for cell in line]


def _told(content: str, separator: str, line: list[str]) -> FirstLine:
    """Tell from the first rows whether the first line holds names."""
    most = max(_FEWEST_ROWS, min(_ROWS, _CELLS // len(line)))
    rows = islice(_lines(content, separator), 1, most + 1)
    return judged(line, [_stripped(row) for row in rows if len(row) == len(line)])


def _checked(header: list[str], source: str) -> list[str]:
    """Return the names, which must be there and differ."""
    otherwise = ", or say --no-header if the first line holds values"
    if "" in header:
        raise InvalidInput(
            f"Column {header.index('') + 1} of '{source}' must have a name in the first line. "
            f"Got none; name it, write the file without row numbers{otherwise}."
        )
    refuse_repeated(header, source, otherwise)
    return header


def _notes(found: FirstLine, line: list[str], source: str) -> tuple[str, ...]:
    """Return what was made of a first line that is no line of words over numbers."""
    if not found.holds_names:
        return (
            f"The first line of '{source}' was read as values, so the columns are called column_1 "
            f"to column_{len(line)}. If it holds their names, say --header.",
        )
    why = "it holds numbers" if found.has_numbers else f"'{found.again}' stands below it too"
    if not found.has_numbers and found.again is None:
        return ()
    return (
        f"The first line of '{source}' was read as the names of the columns, though {why}. "
        "If they are values, say --no-header.",
    )


def _lines(content: str, separator: str) -> _Lines:
    # skipinitialspace: a quote may follow a space, as in: a, "b c"
    return csv.reader(io.StringIO(content), delimiter=separator, skipinitialspace=True)


def _as_text(body: str, separator: str, columns: Sequence[str], source: str) -> pl.DataFrame:
    # Plain names in place of the header: polars renames and looks for patterns in real ones.
    plain = separator.join(f"c{j}" for j in range(len(columns)))
    rows = _without_spaces(body, separator)
    try:
        frame = pl.read_csv(f"{plain}\n{rows}".encode(), separator=separator, infer_schema=False)
    except pl.exceptions.ComputeError:
        _blank_lines(body, separator, len(columns), source)
        raise
    frame.columns = list(columns)
    # A row that is too short, or a blank line, always leaves the last value open.
    if frame.height and frame.to_series(-1).null_count():
        blank = _blank_lines(body, separator, len(columns), source)
        frame = frame.filter(~pl.Series(range(frame.height)).is_in(blank))
    return frame


def _without_first_line(content: str, separator: str) -> str:
    lines = _lines(content, separator)
    next(lines)
    return "".join(content.split("\n", lines.line_num)[lines.line_num :])


def _without_spaces(body: str, separator: str) -> str:
    """Return the lines without the spaces before quotes, which polars does not pass over."""
    if not re.search(rf'(^|{separator}) +"', body, re.MULTILINE):
        return body
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator="\n").writerows(
        csv.reader(io.StringIO(body), delimiter=separator, skipinitialspace=True, strict=True)
    )
    return written.getvalue()


def _blank_lines(body: str, separator: str, width: int, source: str) -> list[int]:
    blank = []
    for row, values in enumerate(_lines(body, separator)):
        if not values:
            blank.append(row)
        elif len(values) != width:
            raise InvalidInput(
                f"Row {row + 1 - len(blank)} of '{source}' must have {width} values, as many as "
                f"the first line has. Got {len(values)}."
            )
    return blank


def _typed(column: pl.Series) -> pl.Series:
    missing = column.null_count()
    for kind in (pl.Int64, pl.Float64):
        numbers = column.cast(kind, strict=False)
        if numbers.null_count() == missing:
            return numbers
    lower = column.str.to_lowercase()
    if lower.drop_nulls().is_in(["true", "false"]).all():
        return lower == "true"
    return column
