"""How many hidden units differ by more than rounding.

Conventions
-----------
Two units of a layer are one when each weight in and out differs by at most 1024 eps max |theta|
(eps of the dtype). Rounding makes weights of equal units part in the last places long before it
matters; counting every bit would call them different.

Not all pairs are compared: units whose weights differ by at most t have sums  sum_k r_k w_k  that
differ by at most t sum |r_k|, for any r. Sorted by such sums, only neighbours are.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.network import Network

ROUNDING = 1024.0


def tolerance(theta: NDArray[Any]) -> float:
    """Return how far apart equal weights may be."""
    finite = np.abs(theta[np.isfinite(theta)])
    return ROUNDING * float(np.finfo(theta.dtype).eps) * float(finite.max(initial=0.0))


def distinct_up_to_rounding(network: Network, theta: NDArray[Any]) -> list[int]:
    """Return the number of distinct units of each hidden layer of theta (n,)."""
    limit = tolerance(theta)
    return [
        _distinct(np.hstack([incoming, outgoing[:, 1:].T]).astype(np.float64), limit)
        for incoming, outgoing in pairwise(network.thetas(theta))
    ]


def _distinct(units: NDArray[np.float64], limit: float) -> int:
    r = np.cos(np.arange(units.shape[1]) + 1.0)
    with np.errstate(invalid="ignore"):
        sums = units @ r
    # Twice the bound: the sums themselves are rounded.
    window, found, near = 2.0 * limit * np.abs(r).sum(), 0, list[int]()
    for unit in np.argsort(sums, kind="stable"):
        near = [other for other in near if sums[unit] - sums[other] <= window]
        if not any(np.abs(units[unit] - units[other]).max() <= limit for other in near):
            found += 1
            near.append(int(unit))
    return found
