"""The line search on scalar functions: accepted steps meet the Wolfe conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbreak.optimize.line_searches.wolfe import DELTA, MAX_TRIALS, SIGMA, WolfeSearch

EPS = float(np.finfo(float).eps)

FUNCTIONS = {
    "parabola": (lambda t: (t - 3.0) ** 2, lambda t: 2.0 * (t - 3.0)),
    "far": (lambda t: (t - 1e6) ** 2, lambda t: 2.0 * (t - 1e6)),
    "near": (lambda t: (t - 1e-6) ** 2, lambda t: 2.0 * (t - 1e-6)),
    "quartic": (lambda t: (t - 2.0) ** 4 - t, lambda t: 4.0 * (t - 2.0) ** 3 - 1.0),
    "wall": (
        lambda t: -t if t < 0.3 else np.nan if t > 0.7 else -t + (t - 0.3) ** 2 * 9,
        lambda t: -1.0 if t < 0.3 else np.nan if t > 0.7 else -1.0 + (t - 0.3) * 18,
    ),
    "bottomless": (
        lambda t: -np.inf if t > 0.9 else t**2 - t,
        lambda t: -1.0 if t > 0.9 else 2 * t - 1,
    ),
    "infinite wall": (
        lambda t: np.inf if t > 1e-3 else (t - 5e-4) ** 2,
        lambda t: np.nan if t > 1e-3 else 2 * (t - 5e-4),
    ),
}


def search(phi, slope):
    """Run one search; return the step accepted (None if it failed) and the trials."""
    rule = WolfeSearch()
    rule.start(1, EPS)
    one = np.array([True])
    rule.begin(one, np.array([phi(0.0)]), np.array([slope(0.0)]), np.ones(1))
    for trial in range(1, MAX_TRIALS + 3):
        t = float(rule.steps[0])
        accepted, failed = rule.judge(np.array([phi(t)]), np.array([slope(t)]))
        assert not (accepted[0] and failed[0])
        if accepted[0] or failed[0]:
            return (t if accepted[0] else None), trial
    raise AssertionError("the search did not end")


def meets_wolfe(phi, slope, t):
    rounding = 10 * EPS * abs(phi(0.0))
    enough = phi(t) <= phi(0.0) + DELTA * t * slope(0.0) or (
        phi(t) <= phi(0.0) + rounding and slope(t) <= (2 * DELTA - 1) * slope(0.0)
    )
    return enough and slope(t) >= SIGMA * slope(0.0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_accepted_steps_meet_the_conditions(name):
    phi, slope = FUNCTIONS[name]
    step, trials = search(phi, slope)
    assert step is not None
    assert meets_wolfe(phi, slope, step)
    assert trials <= 20


@given(
    st.floats(1e-3, 1e3),
    st.floats(-5.0, 5.0),
    st.floats(-5.0, 5.0),
    st.floats(1e-3, 10.0),
)
def test_random_functions_of_one_variable(scale, a, b, wall):
    # A falling start, any bends after it, and beyond `wall` no value at all.
    def phi(t):
        return np.nan if t > wall else scale * (-t + a * t**2 + b * t**3 + 50.0 * t**4)

    def slope(t):
        return np.nan if t > wall else scale * (-1.0 + 2 * a * t + 3 * b * t**2 + 200.0 * t**3)

    step, _ = search(phi, slope)
    assert step is not None
    assert phi(step) <= phi(0.0)


def test_rows_search_for_themselves():
    parts = [FUNCTIONS["parabola"], FUNCTIONS["near"], FUNCTIONS["wall"]]
    rule = WolfeSearch()
    rule.start(3, EPS)
    rows = np.ones(3, dtype=bool)
    rule.begin(
        rows,
        np.array([phi(0.0) for phi, _ in parts]),
        np.array([slope(0.0) for _, slope in parts]),
        np.ones(3),
    )
    found = np.full(3, np.nan)
    for _ in range(MAX_TRIALS + 2):
        steps = rule.steps.copy()
        value = np.array([phi(t) for (phi, _), t in zip(parts, steps, strict=True)])
        slopes = np.array([slope(t) for (_, slope), t in zip(parts, steps, strict=True)])
        accepted, _ = rule.judge(value, slopes)
        found = np.where(accepted & np.isnan(found), steps, found)
    expected = [search(*part)[0] for part in parts]
    np.testing.assert_array_equal(found, expected)


def test_a_direction_without_any_lower_point_fails():
    step, trials = search(
        lambda t: 1.0 if t == 0.0 else 2.0 + t, lambda t: -1.0 if t == 0.0 else 1.0
    )
    assert step is None
    assert trials <= MAX_TRIALS + 1


def test_the_first_trial_is_the_one_given():
    rule = WolfeSearch()
    rule.start(1, EPS)
    rule.begin(np.array([True]), np.array([0.0]), np.array([-16.0]), np.array([0.25]))
    assert rule.steps[0] == 0.25
