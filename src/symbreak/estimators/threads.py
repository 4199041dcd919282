"""One thread where the work is too small to be shared.

Handing a product of small matrices to other threads takes longer than the product, and much
longer where the cores are busy. Below `SMALL` multiplications for a pass torch computes on one
thread; what was set comes back afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 2**22


@contextmanager
def threads_for(multiplications: int) -> Iterator[None]:
    """Compute on one thread inside, if the work of a pass is small."""
    before = torch.get_num_threads()
    if before == 1 or multiplications >= SMALL:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
