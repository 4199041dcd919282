"""How surely a share of rows is known, such as an accuracy.

Conventions
-----------
interval   Wilson's (1927, J. Am. Stat. Assoc. 22, 209) for 95 %; a share of 0 or 1 has a width too.
rows       they count for as many as tell as much with equal weights, as in `conformal`; weights are
           summed over the rows of one group: what they share is then seen once. m rows alike count
           for m, groups of equal size for as many as there are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.training.uncertainty import conformal

Z = 1.959963984540054  # of 95 %


def wilson(right: float, m: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of the share right / m."""
    p, w = right / m, Z * Z / m
    middle, half = p + w / 2.0, Z * math.sqrt(p * (1.0 - p) / m + w / (4.0 * m))
    # At 0 and 1 the limit is exactly 0 or 1; rounding may step over it.
    return max((middle - half) / (1.0 + w), 0.0), min((middle + half) / (1.0 + w), 1.0)


def effective_rows(m: int, weight: NDArray[Any] | None, groups: NDArray[Any] | None) -> float:
    """Return for how many rows m rows count.

    Parameters
    ----------
    weight, groups : (m,), groups as numbers 0, 1, ...; None where all weigh the same, or each
        stands by itself.
    """
    each = np.ones(m) if weight is None else np.asarray(weight, dtype=np.float64)
    if groups is not None:
        each = np.bincount(groups, weights=each).astype(np.float64)
    return conformal.effective_rows(each)
