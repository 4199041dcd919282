"""Threads that take turns in Python, and let each other go on while the core computes.

Python's own lock changes hands at every operation on some hundred numbers when several threads want
it, and each time one of them has to be woken, which takes longer than the operation. So fits that
run side by side hold a lock of their own from one burst of the core to the next. Threads that have
joined no others take no notice of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

# Multiplications, some tens of microseconds: what takes longer is worth the change.
_LONG = 2**19


class _Mine(threading.local):
    lock: threading.Lock | None = None
    has_turn = False


_mine = _Mine()


def join(lock: threading.Lock | None) -> None:
    """Let this thread take turns with all that have joined the same lock; with nobody for None."""
    _mine.lock = lock


@contextmanager
def turn() -> Iterator[None]:
    """A context that one of the threads is in at a time; once more within it, nothing happens."""
    if _mine.lock is None or _mine.has_turn:
        yield
        return
    with _mine.lock:
        _mine.has_turn = True
        try:
            yield
        finally:
            _mine.has_turn = False


def let_go_for(multiplications: float) -> AbstractContextManager[None]:
    """Return the context in which the core computes so much outside a burst."""
    return let_go() if multiplications > _LONG else nullcontext()


@contextmanager
def let_go() -> Iterator[None]:
    """A context within a turn in which others have theirs."""
    if _mine.lock is None or not _mine.has_turn:
        yield
        return
    _mine.has_turn = False
    _mine.lock.release()
    try:
        yield
    finally:
        _mine.lock.acquire()
        _mine.has_turn = True
