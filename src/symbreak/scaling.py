"""By what columns are shifted and scaled where a few far values would rule mean and deviation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_QUARTILES = 1.349  # from quartile to quartile of a normal column with deviation 1
HEAVY = 2.0  # times that of a normal column with the same quartiles: the deviation from here on


def robust(columns: Array, mean: Any, std: Any, weight: Array | None = None) -> tuple[Array, Array]:
    """Return mean and deviation, but median and quartiles of columns whose tails are heavy.

    There the deviation is that of the outliers, and would shrink all other rows to nothing.

    Parameters
    ----------
    columns : (m,) or (m, columns), finite.
    mean, std : of the columns.
    weight : (m,) or None.
    """
    low, median, high = np.quantile(
        columns, (0.25, 0.5, 0.75), axis=0, weights=weight, method="inverted_cdf"
    )
    spread = (high - low) / _QUARTILES
    # Where the far values would overflow, they have to rule.
    largest = math.sqrt(float(np.finfo(columns.dtype).max)) / 1e10
    with np.errstate(over="ignore", invalid="ignore"):
        farthest = np.abs(columns - median).max(axis=0)
        heavy = (std > HEAVY * spread) & (spread > 0.0) & (farthest < largest * spread)
    return np.where(heavy, median, mean), np.where(heavy, spread, std)
