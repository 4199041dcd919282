"""Ctrl-C while packages are loaded waits for the end of that.

Raised inside their own code it may come out as any other error, and from compiled code as an abort.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def loading() -> Iterator[None]:
    """A context of imports, after which a Ctrl-C of meanwhile is raised; a second one at once.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C was pressed.
    """
    pressed = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal asks for
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    is_ours = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if is_ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt
