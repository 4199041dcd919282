"""Whether the first line of a text file holds the names of the columns, or values already.

Told by the first of these that holds; "below" are the first rows.

    names    a word stands over numbers
    values   a word occurs below in its own column, in a line that is not this one again (in a line
             of words alone, each of them does)
    names    there are only words
    values   a number stands there twice
    names    the numbers count the columns (0, 1, 2 or 1, 2), are years or rise by equal steps, and
             those of no row below do
    names    most numbers are unlike those below: far off, whole over fractions, or over words
    values   otherwise

A word without a letter, or that only a program takes for a number (-, $5, 5%, inf, 1_000), is not
held against the values where at least as many plain numbers stand beside such ones.

By what a training knows (`refuse_names`): a cell speaks for values where it is a number, or a
category or class that the training saw; any other word speaks for names. Columns that the training
did not use say nothing.

Where the line has no names the columns are called by their place: column_1, column_2 and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.categories import to_text
from symbreak.tables.columns import CategoryColumn
from symbreak.tables.table import MISSING, Table, listed

if TYPE_CHECKING:
    from symbreak.tables.preparation import Preparation
    from symbreak.tables.target import Target

Names = Callable[[int], Sequence[str]]
Cells = Sequence[str]
ENOUGH = 5  # values below that tell what a column is like
FAR, FAR_OF_FEW = 2.0, 100.0  # times the largest value below
YEARS = (1800, 2100)


@dataclass(frozen=True)
class FirstLine:
    """What the first line holds: names, or values; whether some of it are numbers.

    `again` is a word of a line of words alone that stands below in its own column too.
    """

    holds_names: bool
    has_numbers: bool
    again: str | None


def by_place(width: int) -> list[str]:
    """Return the names of columns that have none."""
    return [f"column_{place}" for place in range(1, width + 1)]


def as_in_training(width: int, target: str) -> Names:
    """Return how columns without names are called, so that they are those of a training.

    Parameters
    ----------
    width : how many columns the table of the training had.
    target : which of them is the target; rows to predict may come without it.
    """

    def names(found: int) -> Sequence[str]:
        if found == width:
            return by_place(width)
        if found == width - 1:
            return [name for name in by_place(width) if name != target]
        raise InvalidInput(
            f"A table without names must have the {width} columns of the training, or the "
            f"{width - 1} beside its target '{target}'. Got {found}."
        )

    return names


def judged(line: Cells, rows: Sequence[Cells]) -> FirstLine:
    """Tell what the first line holds from the rows below it.

    Parameters
    ----------
    line, rows : cells without spaces around them, as many in each row as in the line.
    """
    others = [row for row in rows if list(row) != list(line)]
    words = [j for j, cell in enumerate(line) if cell not in MISSING and as_number(cell) is None]
    places = [j for j, cell in enumerate(line) if as_number(cell) is not None]
    again = [line[j] for j in words if not places and any(row[j] == line[j] for row in others)]
    holds_names = _holds_names(line, rows, others, words, places)
    return FirstLine(holds_names, has_numbers=bool(places), again=next(iter(again), None))


def _holds_names(
    line: Cells, rows: Sequence[Cells], others: Sequence[Cells], words: list[int], places: list[int]
) -> bool:
    """Tell it from the places of the words and of the numbers in the line."""
    odd = {j for j in words if _is_odd_number(line[j])}
    strict = [j for j in words if j not in odd or len(odd) > len(places)]
    if any(_is_of_numbers(_column(others, j)) for j in strict):
        return True
    occur = [any(row[j] == line[j] for row in others) for j in words]
    if any(occur) if places else len(words) > 1 and all(occur):
        return False
    return not places or _are_names([line[j] for j in places], _of(rows, places))


def _are_names(line: Cells, rows: Sequence[Cells]) -> bool:
    """Tell whether a line of numbers holds names."""
    numbers = _numbers(line)
    if len(set(numbers)) < len(numbers):
        return False
    for is_pattern, has_pattern in _PATTERNS:
        if is_pattern(numbers) and not any(has_pattern(_numbers(row)) for row in rows):
            return True
    unlike = [_is_unlike(number, _column(rows, j)) for j, number in enumerate(numbers)]
    return 2 * sum(unlike) > len(unlike)


def _counts(numbers: Sequence[float]) -> bool:
    """Tell whether numbers count the columns from 0 or 1: names that a program gave."""
    n = len(numbers)
    return n > 1 and numbers[0] in (0, 1) and _is_run(numbers)


def _is_run(numbers: Sequence[float]) -> bool:
    return all(after == before + 1 for before, after in pairwise(numbers))


def _are_years(numbers: Sequence[float]) -> bool:
    low, high = YEARS
    return bool(numbers) and all(low <= one <= high and one == int(one) for one in numbers)


def _rises_evenly(numbers: Sequence[float]) -> bool:
    if len(numbers) < 3 or numbers[1] <= numbers[0]:
        return False
    step = (numbers[-1] - numbers[0]) / (len(numbers) - 1)
    off = (abs(one - numbers[0] - j * step) for j, one in enumerate(numbers))
    return max(off) < 1e-6 * step


def _is_unlike(number: float, cells: Cells) -> bool:
    """Tell whether a number is far from those below it in its column."""
    known = _numbers(cells)
    if not known:
        return bool(cells)
    low, high, is_enough = min(known), max(known), len(known) >= ENOUGH
    is_near = low - (high - low) <= number <= high + (high - low)
    is_large = abs(number) > (FAR if is_enough else FAR_OF_FEW) * max(abs(low), abs(high))
    is_fraction = not any(one.is_integer() for one in known)
    return (not is_near and (is_large or is_enough)) or (
        is_enough and is_fraction and number.is_integer()
    )


# What names may be, and what rows below would have to be for it to mean nothing.
_PATTERNS = ((_counts, _is_run), (_are_years, _are_years), (_rises_evenly, _rises_evenly))


def _is_odd_number(word: str) -> bool:
    """Tell whether a word may be a value in a column of numbers."""
    try:
        float(word)
    except ValueError:
        return not any(character.isalpha() for character in word)
    return True


def _is_of_numbers(cells: Cells) -> bool:
    return bool(cells) and all(as_number(cell) is not None for cell in cells)


def _column(rows: Sequence[Cells], place: int) -> Cells:
    """Return what stands in a column, without missing values."""
    return [row[place] for row in rows if row[place] not in MISSING]


def _of(rows: Sequence[Cells], places: Sequence[int]) -> list[Cells]:
    return [[row[j] for j in places] for row in rows]


def _numbers(cells: Cells) -> list[float]:
    return [number for number in map(as_number, cells) if number is not None]


def as_number(cell: str) -> float | None:
    """Return the number that a cell spells, also with a decimal comma."""
    if cell in MISSING or "_" in cell:
        return None
    try:
        number = float(cell.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def counts_columns(table: Table, width: int) -> bool:
    """Tell whether the first row is column_1, column_2 ... in any order: names that we gave."""
    row = _first_row(table)
    names = set(row.values())
    return names <= set(by_place(width)) and len(names) == len(row)


def refuse_names(table: Table, preparation: Preparation, target: Target) -> None:
    """Raise InvalidInput where every cell of the first row that says something speaks for names."""
    known: dict[str, set[str]] = {column.name: set() for column in preparation.columns}
    known |= {
        column.name: set(column.categories)
        for column in preparation.columns
        if isinstance(column, CategoryColumn)
    }
    known[target.name] = set(to_text(pl.Series(list(target.classes))))
    row = _first_row(table)
    cells = {name: cell for name, cell in row.items() if name in known and cell is not None}
    is_value = [cell in known[name] or as_number(cell) is not None for name, cell in cells.items()]
    if cells and not any(is_value):
        raise InvalidInput(
            f"The first line of '{table.source}' must hold values, as the training's file, which "
            f"has no names. Got {listed(cells.values())}, of which training saw none; say --header "
            "if they are names, --no-header if they are values."
        )


def _first_row(table: Table) -> dict[str, str | None]:
    """Return the cells of the first row as they were written, by column; None where missing."""
    return {name: to_text(table.column(name).head(1)).item() for name in table.columns}
