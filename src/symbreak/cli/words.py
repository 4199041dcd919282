"""Small words for sentences."""

from __future__ import annotations


def counted(number: int, word: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
