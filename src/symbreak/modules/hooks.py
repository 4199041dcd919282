"""Hooks on the parts of a module, and their end.

A hook is a plain function, never a method: a module that copies itself in its forward copies what
a method belongs to as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from torch.utils.hooks import RemovableHandle


@contextmanager
def hooked(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Take hooks out again at the end.

    Parameters
    ----------
    handles : of the hooks; an iterator that registers them one by one does so at the beginning.
    """
    with ExitStack() as stack:
        for handle in handles:
            stack.callback(handle.remove)
        yield
