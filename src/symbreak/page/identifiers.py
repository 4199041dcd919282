"""Ids of elements, counted: the same page has the same ids every time it is made."""

from __future__ import annotations

from collections import Counter


class Identifiers:
    """Hands out "word-1", "word-2", ..., each once."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def __call__(self, word: str) -> str:
        """Return the next id that begins with `word`."""
        self._used[word] += 1
        return f"{word}-{self._used[word]}"
