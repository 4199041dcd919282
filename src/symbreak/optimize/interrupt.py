"""Ctrl-C that waits for the end of a tick, so that what was computed stays whole.

Python raises KeyboardInterrupt between any two steps, which could leave a search half updated.
While a search runs, the first Ctrl-C is noted and the search ends after the tick; the second is
raised at once, as ever.
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
        self.is_requested = False
        self._is_installed = False

    def __enter__(self) -> Self:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._is_installed = True
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
        if self.is_requested:
            signal.default_int_handler(number, frame)
        self.is_requested = True
