"""Schedules follow their formulas, each start for itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbreak.errors import InvalidInput
from symbreak.optimize.updates.schedules import Adaptive, Cosine, InverseScaling, Schedule

BASE = np.array([0.5, 0.01])
VALUE = np.array([3.0, 4.0])


def started(schedule):
    schedule.start(VALUE)
    return schedule


def test_constant():
    np.testing.assert_array_equal(started(Schedule(BASE)).rates(7), BASE)
    np.testing.assert_array_equal(started(Schedule(np.array(0.3))).rates(0), [0.3, 0.3])


@given(epoch=st.integers(0, 10**6), power=st.floats(0.01, 2.0))
def test_inverse_scaling(epoch, power):
    rates = started(InverseScaling(BASE, power)).rates(epoch)
    np.testing.assert_allclose(rates, BASE / math.exp(power * math.log(epoch + 1)), rtol=1e-12)


def test_cosine_falls_to_zero_and_begins_again():
    schedule = started(Cosine(BASE, 8))
    factors = np.array([schedule.rates(epoch)[0] for epoch in range(17)]) / BASE[0]
    assert factors[0] == factors[8] == factors[16] == 1.0
    # cos² of the half angle is the same curve.
    np.testing.assert_allclose(factors[:8], np.cos(np.pi * np.arange(8) / 16) ** 2, rtol=1e-14)
    np.testing.assert_array_equal(factors[8:16], factors[:8])


def test_adaptive_divides_by_five_where_j_stands_still():
    schedule = started(Adaptive(BASE, 0.1, 3))
    falling, still = [2.5, 2.0, 1.5, 1.0, 0.5, 0.2], [3.95, 3.87, 3.95, 4.1, 3.84, 9.0]
    seen = []
    for pair in zip(falling, still, strict=True):
        schedule.look(np.array(pair))
        seen.append(schedule.rates(0) / BASE)
    of_falling, of_still = np.array(seen).T
    np.testing.assert_array_equal(of_falling, 1.0)
    # 3.87 is more than 0.1 below the start, but not below 3.95, the lowest until then.
    np.testing.assert_allclose(of_still, [1.0, 1.0, 0.2, 0.2, 0.2, 0.04], rtol=1e-15)


def test_adaptive_counts_what_is_not_a_number_as_no_fall():
    schedule = started(Adaptive(BASE, 0.0, 1))
    schedule.look(np.array([np.nan, 1.0]))
    np.testing.assert_allclose(schedule.rates(0), BASE / [5.0, 1.0])
    schedule.look(np.array([2.0, 0.5]))
    np.testing.assert_allclose(schedule.rates(0), BASE / [5.0, 1.0])


def test_rows_are_dropped_with_their_rates():
    schedule = started(Adaptive(BASE, 0.0, 1))
    schedule.look(np.array([1.0, 5.0]))
    schedule.keep(np.array([False, True]))
    np.testing.assert_allclose(schedule.rates(0), BASE[1:] / 5.0)
    schedule.look(np.array([3.0]))
    np.testing.assert_allclose(schedule.rates(0), BASE[1:] / 5.0)


def test_as_many_rates_as_starts():
    with pytest.raises(InvalidInput, match="must be a number or one for each of 2 starts"):
        started(Schedule(np.ones(3)))


def test_adaptive_ends_where_a_rate_of_a_millionth_is_stuck():
    """As scikit-learn does: 2e-6, 4e-7, and there the wait that would have divided again."""
    schedule = Adaptive(np.array([2e-6, 1.0]), 0.0, 3)
    schedule.start(np.ones(2))
    ended = []
    for _ in range(7):
        schedule.look(np.ones(2))
        ended.append(schedule.ended().tolist())
    assert ended == [[False, False]] * 5 + [[True, False]] * 2
    np.testing.assert_allclose(schedule.rates(0), [4e-7, 0.04])
    schedule.look(np.array([0.5, 1.0]))  # of other data, as in partial_fit
    assert not schedule.ended().any()


def test_no_other_schedule_ends():
    for schedule in (Schedule(BASE), InverseScaling(BASE, 2.0), Cosine(BASE, 2)):
        started(schedule).look(VALUE)
        assert schedule.ended().tolist() == [False, False]
