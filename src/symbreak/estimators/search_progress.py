"""How far a search is, on standard error: the fits that are done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_WIDTH = 24


class SearchProgress:
    """A bar that is rewritten in place on a terminal, and a last line elsewhere.

    Parameters
    ----------
    is_wanted : False says nothing.
    """

    def __init__(self, *, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self._done = self._total = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar while fits come and are done."""
        self._done = self._total = 0
        try:
            yield
        finally:
            if self._is_wanted:
                self._write(f"\r{self._bar()}\n")

    def fit_comes(self) -> None:
        """Count a fit that is to be done."""
        self._total += 1

    def fit_done(self) -> None:
        """Count a fit that is done, and show the bar."""
        self._done += 1
        if self._is_wanted and sys.stderr.isatty():
            self._write(f"\r{self._bar()}")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def _bar(self) -> str:
        full = _WIDTH * self._done // max(1, self._total)
        return f"[{'#' * full}{'.' * (_WIDTH - full)}] {self._done} of {self._total} fits"
