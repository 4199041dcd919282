"""What a step says about the curvature of J, in numbers whose squares are numbers too.

A pair s, y may be divided by any one number: the inverse Hessians of quasi-Newton methods hang on
the ratio alone. Where squares would leave the range of the dtype it is divided by a power of two
near the largest |y|, which costs no rounding, so that the scale of J is of no account.
"""

from __future__ import annotations

import numpy as np

from symbreak.arrays import Array, namespace
from symbreak.optimize.per_start import Floats, Mask, device_like, host, largest, limits_of


def scaled_pair(active: Mask, s: Array, y: Array) -> tuple[Array, Mask]:
    """Return s and y, (starts, 2, n), over one number a start, and which of `active` are curved.

    Curved is where s · y is positive beyond rounding, and |s| / |y| a number of the dtype; the
    other starts may hold anything.
    """
    limits = limits_of(s)
    pair = namespace(s).stack([s, y], axis=1)
    squares, sy = _products(pair)
    # Squares that are farther than this from the ends of the range have kept their precision.
    margin = limits.smallest_normal / limits.eps**2
    beyond = active & ~((squares > margin) & (squares < 1.0 / margin)).all(axis=1)
    if beyond.any():
        pair, squares, sy = _rescaled(pair, beyond)
    norms = np.sqrt(squares)
    return pair, active & (sy > limits.eps * norms[:, 0] * norms[:, 1])


def _rescaled(pair: Array, active: Mask) -> tuple[Array, Floats, Floats]:
    """Return pairs over a power of two near |y| in `active`, and the products of unit vectors."""
    limits = limits_of(pair)
    sizes = np.stack([host(largest(pair[:, one, :])) for one in (0, 1)], axis=1)
    with np.errstate(all="ignore"):
        powers = np.clip(
            np.ldexp(1.0, -np.frexp(sizes)[1]), limits.smallest_normal, 1.0 / limits.smallest_normal
        )
        powers[~active] = 1.0
        ratio = sizes[:, 0] * powers[:, 1]
    by = device_like(powers, pair)[:, :, None]
    squares, sy = _products(pair * by)
    lost = active & ~(
        (ratio > limits.smallest_normal / limits.eps) & (ratio < limits.eps * limits.max)
    )
    return pair * by[:, 1:, :], squares, np.where(lost, np.nan, sy)


def _products(pair: Array) -> tuple[Floats, Floats]:
    """Return |s|² and |y|², (starts, 2), and s · y, (starts,)."""
    gram = host(pair @ pair.mT)
    return gram[:, [0, 1], [0, 1]], gram[:, 0, 1]
