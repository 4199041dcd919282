"""The compiled core: J and its gradient in C++, one start after another in the cache.

Conventions
-----------
The core computes on the CPU in float32 and float64 for the activations and losses that have a twin
in C++; all else goes through `propagation`, whose arithmetic is the same up to rounding.
Results are the same to the last bit for the same level of instructions, whatever threads and starts.

`SYMBREAK_NATIVE=0` switches it off; `SYMBREAK_REQUIRE_NATIVE=1` makes it an error that it is missing.
"""

from symbreak.native.door import engine, load
from symbreak.native.packed import Packed
from symbreak.native.threads import n_threads
from symbreak.native.twins import native_network

__all__ = ["Packed", "engine", "load", "n_threads", "native_network"]
