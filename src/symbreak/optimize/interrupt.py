"""Ctrl-C that waits for the end of a tick, so that what was computed stays whole.

Python raises KeyboardInterrupt between any two steps, which could leave a search half updated.
While a search runs, the first Ctrl-C is noted and the search ends after the tick; the second is
raised at once, as ever. Contexts may stand inside each other: the outermost takes the signals, and
all of them know of it.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class DeferredInterrupt:
    """A context in which the first Ctrl-C only sets `is_requested`.

    It leaves everything as it is outside the main thread, where Python allows no handler, and where
    a program has its own handler.
    """

    def __init__(self) -> None:
        self._presses = 0
        self._is_installed = False
        self._outermost = self

    @property
    def is_requested(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._outermost._presses > 0

    @property
    def is_repeated(self) -> bool:
        """Whether it was pressed again, which has raised KeyboardInterrupt."""
        return self._outermost._presses > 1

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            owner = getattr(handler, "__self__", None)
            if handler is signal.default_int_handler:
                signal.signal(signal.SIGINT, self._note)
                self._is_installed = True
            elif isinstance(owner, DeferredInterrupt):
                self._outermost = owner
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._is_installed = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._presses += 1
        if self.is_repeated:
            signal.default_int_handler(number, frame)
