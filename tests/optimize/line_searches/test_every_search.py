"""What every line search owes: it ends, takes only lower points, and keeps rows apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbreak.optimize.line_searches.armijo import Armijo
from symbreak.optimize.line_searches.bounded import MAX_TRIALS
from symbreak.optimize.line_searches.hager_zhang import HagerZhang
from symbreak.optimize.line_searches.more_thuente import MoreThuente
from tests.optimize.line_searches.scalar import (
    EPS,
    Phi,
    begun,
    evaluated,
    exponential_wall,
    jump,
    quartic,
    random_functions,
    scaled,
    search,
    search_together,
    walled,
    wiggly,
)

SEARCHES: dict[str, Callable[[], Any]] = {
    "hager-zhang": HagerZhang,
    "hager-zhang with secants": lambda: HagerZhang(cubic=False),
    "more-thuente": MoreThuente,
    "more-thuente, nearly exact": lambda: MoreThuente(c2=0.1),
    "armijo": Armijo,
}


@pytest.fixture(params=SEARCHES)
def make(request):
    return SEARCHES[request.param]


def is_lower(phi, t):
    rounding = 10 * EPS * abs(phi.value(0.0))
    return np.isfinite(phi.value(t)) and phi.value(t) <= phi.value(0.0) + rounding


def test_steps_are_lower_and_trials_bounded(make):
    phis, firsts = random_functions(150, seed=1)
    for phi, first in zip(phis, firsts, strict=True):
        found = search(make(), phi, first)
        assert found.step is not None
        assert found.step > 0.0
        assert is_lower(phi, found.step)
        assert len(found.trials) <= MAX_TRIALS + 1


def test_a_stack_gives_each_row_its_own_trials(make):
    phis, firsts = random_functions(60, seed=2)
    phis.append(Phi(lambda t: 1.0 + (t > 0), lambda t: -1.0))  # fails
    firsts = np.append(firsts, 1.0)
    alone = [search(make(), phi, first) for phi, first in zip(phis, firsts, strict=True)]
    assert len({len(found.trials) for found in alone}) > 3  # rows end at different times
    for is_compressed in (True, False):
        together = search_together(make(), phis, firsts, is_compressed)
        for searches, expected in zip(together, alone, strict=True):
            assert searches == [expected] * len(searches)


def test_picked_and_joined_rows_go_on_as_before(make):
    phis, firsts = random_functions(40, seed=3)
    whole = begun(make(), phis, firsts)
    whole.judge(*evaluated(phis, whole.step_sizes))
    some = np.arange(40) % 3 == 0
    parts = whole.pick(some).join(whole.pick(~some))
    order = np.concatenate([np.flatnonzero(some), np.flatnonzero(~some)])
    for _ in range(5):
        np.testing.assert_array_equal(parts.step_sizes, whole.step_sizes[order])
        here = [phis[i] for i in order]
        in_parts = parts.judge(*evaluated(here, parts.step_sizes))
        in_whole = whole.judge(*evaluated(phis, whole.step_sizes))
        np.testing.assert_array_equal(in_parts, np.array(in_whole)[:, order])


def test_every_array_is_named(make):
    rule = begun(make(), [quartic(1.0, 0.0, 1.0)] * 3, [1.0, 2.0, 3.0])
    arrays = {name for name, held in vars(rule).items() if isinstance(held, np.ndarray)}
    assert arrays == set(rule.per_start)
    rule.keep(np.array([True, False, True]))
    assert all(len(getattr(rule, name)) == 2 for name in rule.per_start)


def test_begin_leaves_other_rows_alone(make):
    phis = [quartic(1.0, 0.0, 20.0), wiggly(1.0, 0.9, 20.0)]
    rule = begun(make(), phis, [10.0, 10.0])
    rule.judge(*evaluated(phis, rule.step_sizes))
    expected = search(make(), phis[1], 10.0).trials
    rule.begin(np.array([True, False]), np.zeros(2), -np.ones(2), np.array([0.25, 7.0]))
    np.testing.assert_array_equal(rule.step_sizes, [0.25, expected[1]])


def test_a_new_search_forgets_the_lowest_point_of_the_last(make):
    rule = make()
    search(rule, quartic(1.0, 0.0, 1.0), 0.5)
    row, one = np.array([True]), np.ones(1)
    rule.begin(row, -9.0 * one, -one, one)
    for _ in range(MAX_TRIALS):
        accepted, failed = rule.judge(-8.0 * one, one)  # never as low as -9
        assert not accepted[0]
        if failed[0]:
            return
    raise AssertionError("a lowest point was tried again")


@pytest.mark.parametrize("power", [-166, 166])  # 2^166 = 9e49
def test_units_of_J_do_not_matter(make, power):
    phis, firsts = random_functions(50, seed=4)
    for phi, first in zip(phis, firsts, strict=True):
        assert search(make(), scaled(phi, 2.0**power), first) == search(make(), phi, first)


@pytest.mark.parametrize("power", [-100, 100])
def test_units_of_t_do_not_matter(make, power):
    unit = 2.0**power
    phis, firsts = random_functions(50, seed=5)
    for phi, first in zip(phis, firsts, strict=True):
        stretched = Phi(
            lambda t, phi=phi: phi.value(t / unit), lambda t, phi=phi: phi.slope(t / unit) / unit
        )
        expected = [unit * t for t in search(make(), phi, first).trials]
        assert search(make(), stretched, unit * first).trials == expected


@given(
    st.sampled_from(sorted(SEARCHES)),
    st.floats(-5.0, 5.0),
    st.floats(-5.0, 5.0),
    st.floats(1e-3, 1e3),
    st.floats(1e-3, 1e3),
    st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_walls_anywhere(name, a, b, place, first, beyond):
    phi = walled(quartic(a, b, 50.0), place, beyond)
    found = search(SEARCHES[name](), phi, first)
    assert found.step is not None
    assert found.step < place
    assert is_lower(phi, found.step)


@given(st.sampled_from(sorted(SEARCHES)), st.lists(st.floats(), min_size=64, max_size=64))
def test_any_numbers_at_all_end_in_a_bounded_number_of_trials(name, numbers):
    given_numbers = iter(numbers * 2)
    phi = Phi(
        lambda t: 0.0 if t == 0.0 else next(given_numbers),
        lambda t: -1.0 if t == 0.0 else next(given_numbers),
    )
    found = search(SEARCHES[name](), phi)
    assert len(found.trials) <= MAX_TRIALS + 1
    assert np.all(np.isfinite(found.trials))


def test_minimum_at_the_first_trial_is_taken_at_once(make):
    phi = Phi(lambda t: (t - 1.0) ** 2, lambda t: 2.0 * (t - 1.0))
    assert search(make(), phi, 1.0).trials == [1.0]


def test_slope_zero_at_a_trial_too_high(make):
    phi = quartic(5.0, -3.0, 0.0)  # phi(1) = 1, phi'(1) = 0: a maximum
    found = search(make(), phi, 1.0)
    assert 0.0 < found.step < 1.0
    assert phi.value(found.step) < 0.0


@pytest.mark.parametrize("beyond", [np.nan, np.inf, -np.inf])
def test_first_trials_that_are_not_finite(make, beyond):
    phi = walled(quartic(500.0, 0.0, 0.0), 0.002, beyond)  # minimum at 0.001
    found = search(make(), phi, 1.0)
    np.testing.assert_allclose(found.trials[:4], [1.0, 0.5, 0.05, 0.005], rtol=1e-15)
    assert 0.0 < found.step < 0.002


def test_a_slope_that_is_not_finite_is_a_step_too_long(make):
    phi = Phi(lambda t: -t, lambda t: -1.0 if t == 0 else (0.0 if t < 0.3 else np.nan))
    found = search(make(), phi, 1.0)
    assert found.trials[:2] == [1.0, 0.5]
    assert found.step < 0.3


def test_without_a_lower_point_the_search_fails(make):
    phi = Phi(lambda t: 0.0 if t == 0.0 else 1.0 + t, lambda t: -1.0 if t == 0.0 else 1.0)
    found = search(make(), phi)
    assert found.step is None
    assert len(set(found.trials)) == len(found.trials) <= MAX_TRIALS  # nothing is tried again


@pytest.mark.parametrize("name", [name for name in SEARCHES if name != "armijo"])
def test_a_bracket_without_width_ends(name):
    tiny = 5e-324  # the least number above 0: no trial fits between
    found = search(SEARCHES[name](), Phi(lambda t: 1.0 * (t > 0), lambda t: -1.0), 2 * tiny)
    assert found == (None, [2 * tiny, tiny])
    low = Phi(lambda t: -1.0 if t == tiny else 1.0 * (t > tiny), lambda t: -1.0)
    found = search(SEARCHES[name](), low, 3 * tiny)
    assert found.step == tiny
    assert len(found.trials) <= 4


def test_flat_noise_ends(make):
    rng = np.random.default_rng(0)
    for _ in range(20):
        noise = rng.normal(size=(400, 2))
        at = iter(noise)
        phi = Phi(
            lambda t, at=at: 1.0 if t == 0.0 else 1.0 + 1e-16 * next(at)[0],
            lambda t, at=at: -1e-9 if t == 0.0 else 1e-9 * next(at)[1],
        )
        found = search(make(), phi, 10.0 ** rng.uniform(-3, 3))
        assert len(found.trials) <= MAX_TRIALS + 1


def test_the_lowest_point_is_taken_for_want_of_a_better_one():
    # phi falls as steeply as at 0 up to a jump: no point has a slope that satisfies Wolfe.
    for make in (HagerZhang, lambda: HagerZhang(cubic=False), MoreThuente):
        phi = jump(0.3, 5.0)
        found = search(make(), phi, 1.0)
        assert found.step == max(t for t in found.trials if t < 0.3)
        assert found.is_retry
        assert len(found.trials) == MAX_TRIALS + 1
        assert found.step > 0.29


def test_a_last_trial_that_is_no_longer_low_fails(make):
    # The value at the lowest point comes out differently when it is evaluated again.
    seen: set[float] = set()

    def value(t):
        again = t in seen
        seen.add(t)
        return 0.0 if t == 0.0 else 1.0 if again or t > 1e-7 else -1e-30

    found = search(make(), Phi(value, lambda t: -1.0), 1.0)
    assert found.step is None
    assert found.trials[-1] in found.trials[:-1]


def test_a_first_step_of_zero_or_infinity_fails(make):
    phi = quartic(1.0, 0.0, 1.0)
    assert search(make(), phi, 0.0) == (None, [0.0])
    assert search(make(), Phi(phi.value, phi.slope), np.inf).step is None


def test_far_too_long_a_first_step(make):
    # e^(1000 t) overflows, then is huge: some trials must shrink by more than half.
    found = search(make(), exponential_wall(1e3, 1e-6), 1e3)
    assert found.step is not None
    assert len(found.trials) <= 20
