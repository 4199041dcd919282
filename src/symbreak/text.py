"""Small words for sentences, and tables of words."""

from __future__ import annotations

from collections.abc import Sequence


def pluralize(number: int, word: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def format_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table for a terminal, its columns two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
