"""Reading CSV, TSV and TXT files: polars reads the cells as text, whose kinds are found after that.

What polars does otherwise than is promised here is put right before and after it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection
from pathlib import Path

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.first_line import Head, checked_names, head_of, notes_on, told
from symbreak.tables.header import Names, by_place
from symbreak.tables.kinds import typed
from symbreak.tables.table import Table
from symbreak.tables.text_rows import (
    Layout,
    blank_rows,
    broken_quotes,
    cells_of,
    cells_of_any_length,
    has_odd_quotes,
    lines_of,
    refuse_broken_quotes,
)

_BLOCK = 1 << 20  # bytes decoded at a time


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
    content = _checked(path)
    with cells_of_any_length():
        head = head_of(content, separators)
        found = told(content, head)
        has_names = found.holds_names if header is None else header
        columns = checked_names(head, path.name) if has_names else list(names(head.width))
        rows, n_above = _rows(content, head) if has_names else (content, 0)
        del content
        cells = _cells(rows, Layout(head.separator, head.width, n_above, path.name))
        if not cells.height and has_odd_quotes(head.text):
            raise broken_quotes(f"The first line of '{path.name}'", head.text)
    frame = typed(cells, {f"c{j}" for j, name in enumerate(columns) if name in text})
    frame.columns = columns
    notes = () if header is not None else notes_on(found, head, path.name)
    return Table.of(frame, path.name, is_unnamed=not has_names, notes=notes)


def _checked(path: Path) -> bytes:
    """Return the text in UTF-8 with lines that end in a line feed."""
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if b"\0" in content or not _is_utf8(content):
        raise InvalidInput(
            f"Data file '{path}' must be text in UTF-8. Got other bytes; "
            "save it again as CSV in UTF-8."
        )
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not any(line.strip() for line in lines_of(content)):
        raise InvalidInput(f"Data file '{path}' must hold a table. Got only blank lines.")
    return content


def _rows(content: bytes, head: Head) -> tuple[bytes, int]:
    """Return what stands below the first line, and how many lines stand above that."""
    return content[len(head.text.encode()) :], head.text.count("\n")


def _is_utf8(content: bytes) -> bool:
    decoder, whole = codecs.getincrementaldecoder("utf-8")(), memoryview(content)
    try:
        for begin in range(0, len(whole), _BLOCK):
            decoder.decode(whole[begin : begin + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _cells(rows: bytes, layout: Layout) -> pl.DataFrame:
    """Return the cells as columns of text, called c0, c1 and so on."""
    # Columns get plain names: polars renames some real ones and looks for patterns in others.
    names = layout.separator.join(f"c{j}" for j in range(layout.width)).encode()
    try:
        plain = _for_polars(rows, layout.separator)
        read = b"\n".join([names, plain])
        cells = pl.read_csv(read, separator=layout.separator, infer_schema=False)
    except (pl.exceptions.ComputeError, csv.Error):
        blank_rows(rows, layout)
        refuse_broken_quotes(rows, layout)
        raise
    if not _may_have_blank_rows(cells, plain, layout):
        return cells
    blank = blank_rows(rows, layout)
    if b'"' not in rows:
        return cells  # without blank lines: `_for_polars` took them out
    return cells.filter(~pl.Series(range(cells.height)).is_in(blank))


def _for_polars(rows: bytes, separator: str) -> bytes:
    """Return the rows without what polars does not pass over: blank lines, spaces before quotes.

    Blank lines stay where quotes are: they may stand within a value.
    """
    if b'"' not in rows:
        return re.sub(rb"^\n+|(?<=\n)\n+", b"", rows) if _has_blank_line(rows) else rows
    if b' "' not in rows or not re.search(rb'(?:^|[%s\n]) +"' % separator.encode(), rows):
        return rows
    written = io.StringIO()
    cells = cells_of(lines_of(rows), separator, strict=True)
    csv.writer(written, delimiter=separator, lineterminator="\n").writerows(cells)
    return written.getvalue().encode()


def _may_have_blank_rows(cells: pl.DataFrame, rows: bytes, layout: Layout) -> bool:
    """Tell whether a row may be blank or of another width; all such leave the last value open."""
    separator = layout.separator.encode()
    # Of an empty value too many polars says nothing where the file ends behind its separator.
    if rows.endswith(separator):
        return True
    if not cells.height or not cells.to_series(-1).null_count():
        return False
    if layout.width == 1:
        return _has_blank_line(rows)
    # A separator stands between two cells, or is part of one.
    n_separators = rows.count(separator)
    if b'"' in rows:
        within = pl.all().str.count_matches(layout.separator, literal=True)
        n_separators -= int(cells.select(pl.sum_horizontal(within.sum())).item())
    return n_separators != (layout.width - 1) * cells.height


def _has_blank_line(rows: bytes) -> bool:
    return rows.startswith(b"\n") or b"\n\n" in rows
