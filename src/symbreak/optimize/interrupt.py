"""Ctrl-C that waits for the end of a tick, so that what was computed stays whole.

Python raises KeyboardInterrupt between any two steps, which could leave a search half updated.
While a search runs, the first Ctrl-C is noted and the search ends after the tick; the second is
raised at once, as ever. Contexts may stand inside each other: the outermost takes the signals, and
all of them know of it, those in threads that run in its context (`contextvars`) too.
"""

from __future__ import annotations

import signal
import threading
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Self

_OUTERMOST: ContextVar[DeferredInterrupt | None] = ContextVar("who takes Ctrl-C", default=None)


class DeferredInterrupt:
    """A context in which the first Ctrl-C only sets `is_requested`.

    It takes no signals outside the main thread, where Python allows no handler, and where a program
    has its own handler.
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
        outer = _OUTERMOST.get()
        if outer is not None and outer._is_installed:
            self._outermost = outer
        elif (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._note)
            self._is_installed = True
            self._token = _OUTERMOST.set(self)
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
            _OUTERMOST.reset(self._token)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._presses += 1
        if self.is_repeated:
            signal.default_int_handler(number, frame)
