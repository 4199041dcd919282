"""The best point: lowest J; within rounding of it, the smallest gradient."""

from __future__ import annotations

import numpy as np

from symbreak.optimize.protocols import Point
from symbreak.optimize.running import BestPoints

TIE = 3.0 * float(np.finfo(float).eps)


def offer(*points):
    """Offer (J, gradient norm) pairs of one start; return the index of the one kept."""
    best = BestPoints(np.zeros((1, 1)))
    for index, (value, norm) in enumerate(points):
        theta = np.array([[float(index)]])
        best.offer(Point(theta, np.array([value]), theta, np.array([norm])), np.array([index]))
    kept = int(best.theta[0, 0])
    assert best.iteration.tolist() == [kept]
    assert (best.value[0], best.gradient_norm[0]) == points[kept]
    return kept


def test_lower_value_wins_whatever_its_gradient():
    assert offer((2.0, 1e-9), (1.0, 5.0)) == 1
    assert offer((1.0, 5.0), (2.0, 1e-9)) == 0


def test_ties_go_to_the_smaller_gradient():
    assert offer((1.0, 1.0), (1.0 + TIE, 0.5)) == 1
    assert offer((1.0, 0.5), (1.0 + TIE, 1.0)) == 0
    assert offer((1.0 + TIE, 0.5), (1.0, 1.0)) == 0


def test_ties_never_climb_away_from_the_lowest_value():
    climbing = [(1.0 + step * TIE, 1.0 / (1 + step)) for step in range(20)]
    kept = offer(*climbing)
    assert climbing[kept][0] <= 1.0 + 10 * np.finfo(float).eps
    assert kept > 0


def test_a_point_whose_gradient_is_not_finite_does_not_count():
    assert offer((2.0, 1.0), (1.0, np.nan), (0.5, np.inf)) == 0


def test_starts_do_not_see_each_other():
    best = BestPoints(np.zeros((2, 1)))
    ones = np.ones((2, 1))
    best.offer(Point(ones, np.array([3.0, 1.0]), ones, np.ones(2)), np.array([4, 5]))
    best.offer(Point(2 * ones, np.array([2.0, 2.0]), ones, np.ones(2)), np.array([5, 9]))
    assert best.theta[:, 0].tolist() == [2.0, 1.0]
    assert best.iteration.tolist() == [5, 5]
    best.keep(np.array([False, True]))
    assert best.value.tolist() == [1.0]
