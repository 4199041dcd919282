"""The first line of a text file: what separates its values, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from symbreak.errors import InvalidInput
from symbreak.tables.header import FirstLine, as_number, judged
from symbreak.tables.table import refuse_repeated
from symbreak.tables.text_rows import cells_of, lines_of

_ROWS, _CELLS = 1000, 200_000  # that tell whether the first line holds names
_FEWEST_ROWS = 20


@dataclass(frozen=True)
class Head:
    """The first line that is not blank.

    Attributes
    ----------
    separator : what stands between its cells.
    cells : without the spaces around them.
    text : as it is written, with the blank lines above it.
    """

    separator: str
    cells: list[str]
    text: str

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.cells)


def head_of(content: bytes, separators: str) -> Head:
    """Return the first line; see `read_text` on which separator is taken."""
    lines = {one: _first_rows(content, one, 0)[0] for one in separators}
    n_cells = {one: _n_cells(line) for one, line in lines.items()}
    separator = max(separators, key=n_cells.__getitem__)
    if sum(n > 1 for n in n_cells.values()) > 1:
        separator = max(
            separators, key=lambda one: (*_fit(content, one, n_cells[one]), n_cells[one])
        )
    return Head(separator, _stripped(lines[separator]), _text(content, separator))


def told(content: bytes, head: Head) -> FirstLine:
    """Tell from the first rows whether the first line holds names."""
    most = max(_FEWEST_ROWS, min(_ROWS, _CELLS // head.width))
    rows = _first_rows(content, head.separator, most)[1:]
    return judged(head.cells, [_stripped(row) for row in rows if len(row) == head.width])


def checked_names(head: Head, source: str) -> list[str]:
    """Return the names, which must be there and differ.

    Raises
    ------
    InvalidInput
        A name is missing, or two are the same.
    """
    otherwise = ", or say --no-header if the first line holds values"
    if "" in head.cells:
        raise InvalidInput(
            f"Column {head.cells.index('') + 1} of '{source}' must have a name in the first line. "
            f"Got none; name it, write the file without row numbers{otherwise}."
        )
    refuse_repeated(head.cells, source, otherwise)
    return head.cells


def notes_on(found: FirstLine, head: Head, source: str) -> tuple[str, ...]:
    """Return what was made of a first line that is no line of words over numbers."""
    if not found.holds_names:
        return (
            f"The first line of '{source}' was read as values, so the columns are called column_1 "
            f"to column_{head.width}. If it holds their names, say --header.",
        )
    why = "it holds numbers" if found.has_numbers else f"'{found.again}' stands below it too"
    if not found.has_numbers and found.again is None:
        return ()
    return (
        f"The first line of '{source}' was read as the names of the columns, though {why}. "
        "If they are values, say --no-header.",
    )


def _first_rows(content: bytes, separator: str, below: int) -> list[list[str]]:
    """Return the first row that is not blank and as many below it."""
    rows = cells_of(lines_of(content), separator)
    first = next(row for row in rows if row)
    return [first, *islice(rows, below)]


def _text(content: bytes, separator: str) -> str:
    rows = cells_of(lines_of(content), separator)
    next(row for row in rows if row)
    return "".join(islice(lines_of(content), rows.line_num))


def _fit(content: bytes, separator: str, width: int) -> tuple[float, float]:
    """Return the share of the next rows that a separator splits alike, and of numbers in them."""
    rows = _first_rows(content, separator, _FEWEST_ROWS)[1:] if width > 1 else []
    cells = [as_number(cell) is not None for row in rows for cell in _stripped(row)]
    alike = sum(len(row) == width for row in rows)
    return alike / max(len(rows), 1), sum(cells) / max(len(cells), 1)


def _n_cells(line: list[str]) -> int:
    # The wrong separator cuts quoted names and leaves quotes in the pieces.
    return len(line) if '"' not in "".join(line) else 0


def _stripped(line: list[str]) -> list[str]:
    return [cell.strip() for cell in line]
