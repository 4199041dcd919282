"""Where a curve through two trials of a line search is lowest or flat.

Conventions
-----------
A point is a row (t, phi, phi'); a stack of them is (starts, 3). Without an answer it is NaN.
"""

from __future__ import annotations

import numpy as np

from symbreak.optimize.per_start import Floats


def cubic_minimiser(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Return the minimiser of the cubic through both points, and its share of the way from `one`.

    NaN where the cubic has none; scaled so that no square overflows.
    """
    (t1, f1, d1), (t2, f2, d2) = one.T, other.T
    e = d1 + d2 - 3.0 * (f1 - f2) / (t1 - t2)
    scale = np.maximum(np.abs(e), np.maximum(np.abs(d1), np.abs(d2)))
    square = (e / scale) ** 2 - (d1 / scale) * (d2 / scale)
    root = np.where(square > 0.0, scale * np.sqrt(square), np.nan) * np.sign(t2 - t1)
    share = (root - d1 + e) / (root - d1 + root + d2)
    return t1 + share * (t2 - t1), share


def secant_zero(low: Floats, at: Floats) -> Floats:
    """Return where the line through both slopes is zero."""
    (t1, _, d1), (t2, _, d2) = low.T, at.T
    return np.asarray(t2 + d2 / (d2 - d1) * (t1 - t2))
