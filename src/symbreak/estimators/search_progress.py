"""How far a search is, on standard error: fits done, and where the stack in training stands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from symbreak.optimize import Progress

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
    def shown(self, n_fits: int) -> Iterator[None]:
        """Show the bar for so many fits."""
        self._done, self._total = 0, n_fits
        try:
            yield
        finally:
            if self._is_wanted:
                self._write(f"\r{self._bar()}\n")

    def fit_done(self) -> None:
        """Count a fit."""
        self._done += 1

    def look(self, where: Progress) -> None:
        """Show where the stack in training stands."""
        if self._is_wanted and sys.stderr.isatty():
            text = f"iteration {where.iteration}, {where.n_running} of {where.n_starts} starts run"
            self._write(f"\r{self._bar()}, {text}\033[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def _bar(self) -> str:
        full = _WIDTH * self._done // max(1, self._total)
        return f"[{'#' * full}{'.' * (_WIDTH - full)}] {self._done} of {self._total} fits"
