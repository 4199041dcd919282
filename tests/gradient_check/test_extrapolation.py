"""The slope of a curve, its bar, and the two sides of a kink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symbreak.gradient_check.directional import SAFETY, STEPS
from symbreak.gradient_check.extrapolation import slopes

H = np.concatenate(STEPS[:2])
EPS = np.finfo(float).eps


def slope_of(phi, steps=H, noise=EPS):
    plus, minus = phi(steps)[None], phi(-steps)[None]
    return slopes(steps, plus, minus, float(phi(np.zeros(1))[0]), np.full((1, 1), noise))


def test_polynomials_are_differentiated_exactly():
    # Five steps remove four powers of h²: a polynomial of degree 6 leaves rounding alone.
    c = [0.3, -0.7, 0.2, 0.5, -0.4, 0.1, 0.8]
    found = slope_of(lambda t: sum(k * t**i for i, k in enumerate(c)), STEPS[0])
    np.testing.assert_allclose(found.central.number, c[1], rtol=1e-12)
    # One-sided differences hold every power: five steps are exact up to degree 4.
    found = slope_of(lambda t: sum(k * t**i for i, k in enumerate(c[:4])), STEPS[0])
    np.testing.assert_allclose(found.forward.number, c[1], rtol=1e-12)
    np.testing.assert_allclose(found.backward.number, c[1], rtol=1e-12)


def test_equal_differences_by_chance_are_betrayed_by_the_next():
    # (phi(1/8) - phi(0)) / (1/8) and the same with 1/32 are both exactly -6.4; the slope is 0.
    found = slope_of(lambda t: 1 / (1 + (16 * t) ** 2))
    assert abs(found.forward.number[0]) <= found.forward.bar[0] < 1e-3


CURVES: dict[str, tuple[Any, Any]] = {
    "exp": (np.exp, np.exp),
    "sine": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "bell": (lambda x: 1 / (1 + x**2), lambda x: -2 * x / (1 + x**2) ** 2),
}


@settings(max_examples=200, deadline=None)
@given(
    curve=st.sampled_from(sorted(CURVES)),
    at=st.integers(-300, 300).map(lambda k: k / 100),
    scale=st.floats(1e-2, 1e3),
)
@example(curve="sine", at=0.0, scale=256 * np.pi)  # a whole number of waves in four powers of two
@example(curve="sine", at=0.0, scale=64 * np.pi)
@example(curve="bell", at=0.22, scale=214.202)  # a later step betrays two that are equal by chance
@example(curve="bell", at=-1.82, scale=0.7193012522313029)  # the first of an order has no test
def test_the_bar_bounds_the_error_of_smooth_curves(curve, at, scale):
    f, slope = CURVES[curve]
    with np.errstate(over="ignore"):
        # Rounding of the argument counts as noise of phi.
        noise = EPS * (4 * abs(f(at)) + abs(at * slope(at)) + 1.0)
        found = slope_of(lambda t: f(at + scale * t), noise=noise)
    truth = scale * slope(at)
    assert abs(found.central.number[0] - truth) <= found.central.bar[0]
    for side in (found.forward, found.backward):  # estimates of their error, taken times SAFETY
        assert abs(side.number[0] - truth) <= SAFETY * side.bar[0]
    assert found.central.bar[0] < 1e-6 * scale


def test_noise_widens_the_bar_as_much_as_it_spoils_the_slope():
    random = np.random.default_rng(0)
    for size in (1e-12, 1e-8, 1e-4):
        errors, bars = [], []
        for _ in range(200):
            shaken = slope_of(
                lambda t, size=size: np.sin(t + 0.4) + size * random.uniform(-1, 1, t.shape),
                noise=size,
            )
            errors.append(abs(shaken.central.number[0] - np.cos(0.4)))
            bars.append(shaken.central.bar[0])
        assert np.mean(np.array(errors) <= bars) > 0.99
        assert np.median(bars) < 300 * np.median(errors)


@pytest.mark.parametrize("at", [1e-3, 1e-4, 1e-5])
def test_a_kink_at_a_distance_is_left_outside(at):
    found = slope_of(lambda t: np.abs(t - at) + t**2)
    assert abs(found.central.number[0] + 1.0) <= found.central.bar[0] < 1e-4


def test_a_kink_at_zero_shows_as_two_slopes():
    found = slope_of(lambda t: 3 * np.maximum(t, 0) - 0.5 * t + t**2)
    np.testing.assert_allclose(found.forward.number, 2.5, rtol=1e-9)
    np.testing.assert_allclose(found.backward.number, -0.5, rtol=1e-9)
    assert found.forward.bar[0] < 1e-6


def test_steps_out_of_range_are_left_out():
    with np.errstate(invalid="ignore"):
        found = slope_of(lambda t: np.sqrt(0.01 + t))
    assert abs(found.central.number[0] - 5.0) <= found.central.bar[0] < 1e-3
    with np.errstate(invalid="ignore"):
        nowhere = slope_of(lambda t: np.where(t == 0, 1.0, np.nan))
    assert np.isnan(nowhere.central.number[0])
    assert nowhere.central.bar[0] == np.inf


def test_lines_do_not_see_each_other():
    one, other = (slope_of(f) for f in (np.sin, np.exp))
    plus, minus = (np.stack([np.sin(s * H), np.exp(s * H)]) for s in (1, -1))
    both = slopes(H, plus - [[0], [1]], minus - [[0], [1]], 0.0, np.full((2, 1), EPS))
    np.testing.assert_allclose(both.central.number[0], one.central.number[0], rtol=1e-15)
    np.testing.assert_allclose(both.central.number[1], other.central.number[0], rtol=1e-11)
