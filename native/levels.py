"""Prints the levels of the compiled core that are installed and run here; for `make wheel`."""

from symbreak.native.door import levels_here

print(*levels_here())
