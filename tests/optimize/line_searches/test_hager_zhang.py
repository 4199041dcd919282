"""The Hager-Zhang search against its paper, written out once more in plain recursion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbreak.optimize.line_searches.bounded import MAX_TRIALS
from symbreak.optimize.line_searches.hager_zhang import DELTA, EXPAND, GAMMA, SIGMA, HagerZhang
from tests.optimize.line_searches.scalar import (
    EPS,
    Phi,
    jump,
    quartic,
    random_functions,
    search,
    wiggly,
)


def with_secants():
    return HagerZhang(cubic=False)


@pytest.fixture(params=[HagerZhang, with_secants], ids=["cubic", "secants"])
def make(request):
    return request.param


def meets_wolfe(phi, t):
    f0, d0 = phi.value(0.0), phi.slope(0.0)
    wolfe = phi.value(t) <= f0 + 0.1 * t * d0
    approximate = phi.value(t) <= f0 + 10 * EPS * abs(f0) and phi.slope(t) <= -0.8 * d0
    return phi.slope(t) >= 0.9 * d0 and (wolfe or approximate)


class Accepted(Exception):
    """Ends the search of the paper at the first point that meets the conditions."""


class Paper:
    """Hager & Zhang 2005, section 4, step by step; `trials` are the points in their order."""

    def __init__(self, phi):
        self.phi = phi
        self.trials: list[float] = []
        self.highest = phi.value(0.0) + 10 * EPS * abs(phi.value(0.0))

    def slope(self, t):
        return self.phi.slope(t)

    def evaluate(self, t):
        self.trials.append(t)
        if meets_wolfe(self.phi, t):
            raise Accepted

    def is_low(self, t):
        return self.slope(t) < 0 and self.phi.value(t) <= self.highest

    def bracket(self, c):
        low = 0.0
        self.evaluate(c)
        while self.is_low(c):
            low, c = c, EXPAND * c
            self.evaluate(c)
        return (low, c) if self.slope(c) >= 0 else self.contract(low, c)

    def contract(self, a, b):
        while True:
            d = a + 0.5 * (b - a)
            self.evaluate(d)
            if self.slope(d) >= 0:
                return a, d
            a, b = (d, b) if self.is_low(d) else (a, d)

    def update(self, a, b, c):
        if not a < c < b:
            return a, b
        self.evaluate(c)
        if self.slope(c) >= 0:
            return a, c
        return (c, b) if self.is_low(c) else self.contract(a, c)

    def secant(self, a, b):
        return b + self.slope(b) / (self.slope(b) - self.slope(a)) * (a - b)

    def secant_squared(self, a, b):
        c = self.secant(a, b)
        low, high = self.update(a, b, c)
        if c == high:
            return self.update(low, high, self.secant(b, high))
        if c == low:
            return self.update(low, high, self.secant(a, low))
        return low, high

    def run(self, first):
        try:
            a, b = self.bracket(first)
            while len(self.trials) < MAX_TRIALS:
                low, high = self.secant_squared(a, b)
                if high - low > GAMMA * (b - a):
                    low, high = self.update(low, high, low + 0.5 * (high - low))
                a, b = low, high
        except Accepted:
            pass
        return self.trials


def paper_cases():
    rng = np.random.default_rng(31)
    for _ in range(250):
        a, b = rng.normal(size=2) * 3
        yield quartic(a, b, 10 ** rng.uniform(-1, 2)), 10 ** rng.uniform(-3, 3)
        steep = quartic(a, b, 10 ** rng.uniform(1, 3), offset=10 ** rng.uniform(0, 5))
        yield steep, 10 ** rng.uniform(-3, 3)
        waves = wiggly(10 ** rng.uniform(-1.5, 1), rng.uniform(0.5, 0.95), 10 ** rng.uniform(0, 2))
        yield waves, 10 ** rng.uniform(-3, 3)


def test_trials_are_those_of_the_paper():
    lengths = set()
    for phi, first in paper_cases():
        expected = Paper(phi).run(first)
        lengths.add(len(expected))
        assert search(with_secants(), phi, first).trials == expected
    assert max(lengths) > 8  # long enough to have gone through all phases


@pytest.mark.parametrize("has_walls", [True, False])
def test_accepted_steps_meet_the_conditions(make, has_walls):
    phis, firsts = random_functions(150, seed=32, has_walls=has_walls)
    for phi, first in zip(phis, firsts, strict=True):
        found = search(make(), phi, first)
        # phi may fall all the way to a wall; then the lowest point is all there is.
        assert meets_wolfe(phi, found.step) or (has_walls and found.is_retry)


def test_cubics_need_fewer_trials_than_secants():
    cases = list(paper_cases())
    cubic = sum(len(search(HagerZhang(), *case).trials) for case in cases)
    secants = sum(len(search(with_secants(), *case).trials) for case in cases)
    assert cubic < secants


@pytest.mark.parametrize(("a", "b"), [(4.0, 0.0), (3.0, 2.0), (5.5, -4.0), (3.1, -1.9)])
def test_the_second_trial_of_a_cubic_is_its_minimum(a, b):
    # From t = 1, where phi rises (first two) or has fallen again, but not to f0 (last two).
    found = search(HagerZhang(), quartic(a, b, 0.0), 1.0)
    minimum = next(t for t in np.roots([3 * b, 2 * a, -1.0]) if 2 * a + 6 * b * t > 0)
    np.testing.assert_allclose(found.trials, [1.0, minimum], rtol=1e-12)


def test_a_slope_of_zero_closes_the_bracket():
    phi = quartic(10.5, -20.0 / 3.0, 0.0)  # phi'(1) = 0 at a maximum, the minimum at 1/20
    assert phi.slope(1.0) == 0.0
    np.testing.assert_allclose(search(HagerZhang(), phi, 1.0).trials, [1.0, 0.05], rtol=1e-12)


def test_values_that_differ_by_rounding_alone_make_no_cubic(make):
    # The slopes are those of a parabola with its minimum at 1, the values are noise.
    phi = Phi(lambda t: 1e10 * (1.0 + 4 * EPS * (t > 0.0)), lambda t: 1e-8 * (t - 1.0))
    np.testing.assert_allclose(search(make(), phi, 3.0).trials, [3.0, 1.0], rtol=1e-12)


def test_contraction_by_cubics_goes_to_a_tenth_at_most():
    phi = jump(1e-9, 1e6)
    assert search(HagerZhang(), phi, 1.0).trials[1] == 0.1
    assert search(with_secants(), phi, 1.0).trials[1] == 0.5


@given(
    st.floats(0.1, 10.0),
    st.floats(1e-3, 1e3),
    st.sampled_from([1e10, -1e10, 1e5]),
    st.booleans(),
)
def test_differences_that_drown_in_rounding(minimum, first, offset, is_cubic):
    # A parabola of depth 1e-18 |offset| whose values all come out some rounding units too high.
    noise, depth = 4 * EPS * abs(offset), 1e-18 * abs(offset)
    phi = Phi(
        lambda t: offset + depth * ((t / minimum - 1.0) ** 2 - 1.0) + noise * (t > 0.0),
        lambda t: 2.0 * depth / minimum * (t / minimum - 1.0),
    )
    found = search(HagerZhang(is_cubic), phi, first)
    assert not found.is_retry
    assert 0.9 * phi.slope(0.0) <= phi.slope(found.step) <= -0.8 * phi.slope(0.0)


def test_an_open_bracket_grows_by_five(make):
    phi = Phi(lambda t: (t / 100.0 - 1.0) ** 2, lambda t: 0.02 * (t / 100.0 - 1.0))
    assert search(make(), phi, 1.0).trials[:3] == [1.0, 5.0, 25.0]


def test_a_line_without_end_is_left_at_the_farthest_point(make):
    found = search(make(), Phi(lambda t: -t, lambda t: -1.0), 1.0)
    assert len(found.trials) == MAX_TRIALS + 1
    assert found.step == EXPAND ** (MAX_TRIALS - 1)


def test_steps_too_long_are_halved_without_cubics():
    found = search(with_secants(), jump(0.3, 5.0), 1.0)
    assert found.trials[:5] == [1.0, 0.5, 0.25, 0.375, 0.3125]


def test_the_constants_are_those_of_the_paper():
    assert (DELTA, SIGMA, EXPAND, GAMMA) == (0.1, 0.9, 5.0, 0.66)
