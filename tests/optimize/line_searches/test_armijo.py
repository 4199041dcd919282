"""Backtracking: sufficient decrease, and interpolation that is exact where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.optimize.line_searches.armijo import Armijo
from symbreak.optimize.line_searches.bounded import MAX_TRIALS
from tests.optimize.line_searches.scalar import Phi, quartic, random_functions, search


@pytest.mark.parametrize("c1", [1e-4, 0.1, 0.4])
def test_accepted_steps_decrease_enough(c1):
    phis, firsts = random_functions(150, seed=11)
    for phi, first in zip(phis, firsts, strict=True):
        found = search(Armijo(c1), phi, first)
        assert phi.value(found.step) <= phi.value(0.0) + c1 * found.step * phi.slope(0.0)
        for t in found.trials[:-1]:  # each of these had to be refused
            value = phi.value(t)
            assert not np.isfinite(value) or value > phi.value(0.0) + c1 * t * phi.slope(0.0)
        assert not found.is_retry


def test_every_trial_is_a_tenth_to_a_half_of_the_one_before():
    phis, firsts = random_functions(150, seed=12)
    for phi, first in zip(phis, firsts, strict=True):
        trials = np.array(search(Armijo(0.4), phi, first).trials)
        ratios = trials[1:] / trials[:-1]
        assert np.all((ratios >= 0.1 * (1 - 1e-12)) & (ratios <= 0.5))


def test_the_second_trial_of_a_parabola_is_its_minimum():
    found = search(Armijo(), quartic(2.0, 0.0, 0.0), 1.0)  # -t + 2 t², minimum at 1/4
    np.testing.assert_allclose(found.trials, [1.0, 0.25], rtol=1e-14)


@pytest.mark.parametrize(("a", "b"), [(6.0, -5.0), (20.0, 100.0), (-1.0, 180.0)])
def test_the_third_trial_of_a_cubic_is_its_minimum(a, b):
    found = search(Armijo(0.49), quartic(a, b, 0.0), 1.0)
    minimum = next(t for t in np.roots([3 * b, 2 * a, -1.0]) if 2 * a + 6 * b * t > 0)
    assert 0.1 * found.trials[1] < minimum < 0.5 * found.trials[1]
    np.testing.assert_allclose(found.trials[2], minimum, rtol=1e-12)


def test_interpolation_is_kept_within_bounds():
    steep = Phi(lambda t: -t + 1e6 * t**2, lambda t: -1.0 + 2e6 * t)  # minimum at 5e-7
    assert search(Armijo(), steep, 1.0).trials[1] == 0.1
    nearly = quartic(0.9, 0.0, 0.0)  # minimum at 0.56; 1 is refused for lack of decrease
    assert search(Armijo(0.2), nearly, 1.0).trials[1] == 0.5


def test_a_step_that_changes_nothing_is_no_decrease():
    # 1e10 - t: from t = 1e-7 on the values are equal, and c1 t d0 drowns as well.
    phi = Phi(lambda t: 1e10 + (t > 1e-7), lambda t: -1.0)
    found = search(Armijo(), phi, 1.0)
    assert found.step is None
    assert len(found.trials) == MAX_TRIALS


def test_the_lowest_point_is_tried_again_when_none_decreases_enough():
    # One point dips, but not by c1 = 0.4 of what the slope promises.
    phi = Phi(lambda t: 0.0 if t == 0.0 else -1e-3 if t == 0.5 else 1.0, lambda t: -1.0)
    found = search(Armijo(0.4), walled_at(phi, 0.6), 1.0)
    assert found.step == 0.5
    assert len(found.trials) == MAX_TRIALS + 1


def walled_at(phi, place):
    return Phi(lambda t: phi.value(t) if t < place else np.nan, phi.slope)
