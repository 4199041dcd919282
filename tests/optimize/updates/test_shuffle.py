"""The order of an epoch: a permutation, of its own, and the same wherever it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbreak.optimize.updates.shuffle import order_of_epoch


@given(seed=st.integers(0, 2**70), epoch=st.integers(0, 10**9), m=st.integers(1, 300))
def test_each_example_once(seed, epoch, m):
    order = order_of_epoch(seed, epoch, m)
    np.testing.assert_array_equal(np.sort(order), np.arange(m))
    np.testing.assert_array_equal(order, order_of_epoch(seed, epoch, m))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {
        tuple(order_of_epoch(seed, epoch, 20).tolist()) for seed in range(5) for epoch in range(40)
    }
    assert len(orders) == 200


@pytest.mark.parametrize("m", [3, 7])
def test_every_place_is_as_likely(m):
    draws = 4000
    orders = np.array([order_of_epoch(1, epoch, m) for epoch in range(draws)])
    counts = np.array([(orders == example).sum(0) for example in range(m)])
    expected = draws / m
    # Five standard deviations of a binomial count.
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected * (1 - 1 / m))


def test_the_order_stays_the_same_from_version_to_version():
    assert order_of_epoch(0, 0, 8).tolist() == [2, 1, 0, 4, 5, 3, 7, 6]
    assert order_of_epoch(3, 12, 8).tolist() == [3, 0, 7, 5, 2, 1, 4, 6]
