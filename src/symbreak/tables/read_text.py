"""Reading CSV, TSV and TXT files.

Everything is read as text first and the kind of a column is found from the whole of it: whole
numbers, else numbers, else true/false, else text. So a column that becomes text in its last row
is text, and no guess from the first rows can fail.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.table import refuse_repeated, without_missing_words

if TYPE_CHECKING:
    from _csv import Reader as _Lines


def read_text(path: Path, separators: str, text: Collection[str]) -> pl.DataFrame:
    """Read one file of separated values with a header line.

    Parameters
    ----------
    separators
        The characters that may separate values; the one that splits the header most is taken.
    text
        Names of columns that stay text.

    Raises
    ------
    InvalidInput
        The file is not UTF-8 text, or its header or a row is not as it must be.
    """
    content = _decoded(path)
    separator, header = _header(content, separators, path.name)
    frame = _as_text(content, separator, header, path.name)
    frame = without_missing_words(frame)
    return frame.with_columns(
        _typed(column) for column in frame.iter_columns() if column.name not in text
    )


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


def _header(content: str, separators: str, source: str) -> tuple[str, list[str]]:
    headers = {one: next(_lines(content, one)) for one in separators}
    separator = max(headers, key=lambda one: _n_names(headers[one]))
    header = [name.strip() for name in headers[separator]]
    if "" in header:
        raise InvalidInput(
            f"Column {header.index('') + 1} of '{source}' must have a name in the first line. "
            "Got none; name it, or write the file without row numbers."
        )
    refuse_repeated(header, source)
    return separator, header


def _n_names(header: list[str]) -> int:
    # The wrong separator cuts quoted names and leaves quotes in the pieces.
    return len(header) if '"' not in "".join(header) else 0


def _lines(content: str, separator: str) -> _Lines:
    # skipinitialspace: a quote may follow a space, as in: a, "b c"
    return csv.reader(io.StringIO(content), delimiter=separator, skipinitialspace=True)


def _as_text(content: str, separator: str, header: list[str], source: str) -> pl.DataFrame:
    # Plain names in place of the header: polars renames and looks for patterns in real ones.
    plain = separator.join(f"c{j}" for j in range(len(header)))
    body = _without_spaces(_without_header(content, separator), separator)
    try:
        frame = pl.read_csv(f"{plain}\n{body}".encode(), separator=separator, infer_schema=False)
    except pl.exceptions.ComputeError:
        _blank_lines(content, separator, len(header), source)
        raise
    frame.columns = header
    # A row that is too short, or a blank line, always leaves the last value open.
    if frame.height and frame.to_series(-1).null_count():
        blank = _blank_lines(content, separator, len(header), source)
        frame = frame.filter(~pl.Series(range(frame.height)).is_in(blank))
    return frame


def _without_header(content: str, separator: str) -> str:
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


def _blank_lines(content: str, separator: str, width: int, source: str) -> list[int]:
    lines = _lines(content, separator)
    next(lines)
    blank = []
    for row, values in enumerate(lines):
        if not values:
            blank.append(row)
        elif len(values) != width:
            raise InvalidInput(
                f"Row {row + 1 - len(blank)} of '{source}' must have {width} values, as many as "
                f"the first line has names. Got {len(values)}."
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
