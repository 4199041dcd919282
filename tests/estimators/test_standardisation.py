"""Standardisation that heavy tails do not spoil."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.estimators.problem import Scale


def test_robust_standardisation_is_that_of_quartiles_where_tails_are_heavy():
    random = np.random.default_rng(0)
    plain = random.normal(size=400)
    heavy = np.exp(2.0 * plain)
    rare = (np.arange(400) < 8).astype(float)  # its quartiles are equal
    X = np.column_stack([plain, heavy, rare])
    found, usual = Scale.robust(X, None), Scale.of(X, None)
    assert np.array_equal(found.mean[[0, 2]], usual.mean[[0, 2]])
    assert np.array_equal(found.spread[[0, 2]], usual.spread[[0, 2]])
    low, middle, high = np.quantile(heavy, (0.25, 0.5, 0.75), method="inverted_cdf")
    assert found.mean[1] == middle
    assert found.spread[1] == pytest.approx((high - low) / 1.349)
    twice = Scale.robust(np.repeat(X, 2, axis=0), None)
    weighted = Scale.robust(X, np.full(400, 2.0))
    np.testing.assert_allclose(weighted.mean, twice.mean)
    np.testing.assert_allclose(weighted.spread, twice.spread)


def test_an_estimator_standardises_robustly_when_asked():
    X = np.exp(2.0 * np.random.default_rng(0).normal(size=(60, 2)))
    net = sb.MLPRegressor((), solver="lbfgs", standardize="robust", random_state=0)
    net.fit(X, X[:, 0])
    learned = net._scaling.x_scale
    assert learned is not None
    assert np.array_equal(learned.spread, Scale.robust(X, None).spread)
