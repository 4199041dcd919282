"""The compiled core: J and its gradient in C++, one start after another in the cache.

Conventions
-----------
The core computes on the CPU in float32 and float64 for the activations and losses that have a twin
in C++; all else goes through `propagation`, whose arithmetic is the same up to rounding.
The same level of instructions gives the same bits, whatever threads and starts.

`SYMBREAK_NATIVE=0` switches it off; with `SYMBREAK_REQUIRE_NATIVE=1` it is an error that it is not
there.
"""

from symbreak.native.door import engine, load, why_missing
from symbreak.native.threads import n_threads

__all__ = ["engine", "load", "n_threads", "why_missing"]
