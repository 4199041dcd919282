"""What a thread keeps from one call to the next.

Buffers that are used again would be overwritten by a call from another thread. So each thread has
its own, which end with it. A copy or a pickle holds none of them.
"""

from __future__ import annotations

import threading
from typing import Any


class PerThread(threading.local):
    """The base of what a thread keeps; in each, attributes begin as `__init__` sets them."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()
