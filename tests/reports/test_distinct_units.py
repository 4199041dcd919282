"""Units that differ by rounding are one; by more, two. Compared with all pairs, one by one."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.reports.distinct_units import distinct_up_to_rounding

NET = sb.Network((3, 6, 5, 2), "tanh", "cross_entropy")


def all_pairs(units, limit):
    """Count greedily, every unit against every one that was counted."""
    kept: list[np.ndarray] = []
    for unit in units:
        if all(np.abs(unit - other).max() > limit for other in kept):
            kept.append(unit)
    return len(kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(5))
def test_the_count_is_that_of_all_pairs(dtype, seed):
    random = np.random.default_rng(seed)
    theta = random.normal(size=NET.n_parameters).astype(dtype)
    eps = float(np.finfo(dtype).eps)
    Theta1, Theta2, Theta3 = NET.thetas(theta)
    Theta1[1:4], Theta2[:, 2:5] = Theta1[0], Theta2[:, [1]]  # units 0 to 3 are one
    Theta1[2, 1] += dtype(100 * eps)  # but for rounding
    Theta1[3, 1] += dtype(1e5 * eps)  # and by more than that
    Theta2[4], Theta3[:, 5] = Theta2[0], Theta3[:, 1]
    limit = 1024 * eps * np.abs(theta).max()
    wanted = [
        all_pairs(np.hstack([Theta1, Theta2[:, 1:].T]), limit),
        all_pairs(np.hstack([Theta2, Theta3[:, 1:].T]), limit),
    ]
    assert distinct_up_to_rounding(NET, theta) == wanted == [4, 4]


def test_numbers_that_are_none_are_distinct():
    assert distinct_up_to_rounding(NET, np.full(NET.n_parameters, np.nan)) == [6, 5]
