"""`python -m symbreak` is the command `symbreak`."""

from __future__ import annotations

import sys

from symbreak.cli import main

if __name__ == "__main__":
    sys.exit(main())
