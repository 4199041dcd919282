"""Where the warning of a symmetric start points: to the line of the user's that asked for it.

Python shows equal warnings from one place once. Were that place a line of this package, the second
symmetric start of a session would be trained silently.
"""

from __future__ import annotations

import sys
import warnings
from types import FrameType

from symbreak.errors import SymmetryWarning

_PACKAGE = __name__.partition(".")[0]


def warn_symmetric(text: str) -> None:
    """Emit a `SymmetryWarning` at the nearest line outside of this package."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame is not None and _is_ours(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, SymmetryWarning, stacklevel=level)


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE
