"""Trainings from a theta of any kind: what comes out is of that kind, with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.training import train, train_from
from symbreak.training.checks import Symmetry, gradient_report
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.minima import distinct_minima
from symbreak.training.trajectory import Trajectories
from tests.kinds import NUMPY_AND_TORCH

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3))
Y = RANDOM.integers(0, 2, 40)
NET = sb.Network((3, 4, 2), "tanh", "cross_entropy")
COST = sb.NetworkCost(NET, X, Y, alpha=1.0)
THETA = sb.initialize(NET, starts=4, seed=0)

EACH_KIND = pytest.mark.parametrize("kind", NUMPY_AND_TORCH)


@EACH_KIND
@pytest.mark.parametrize("combine", ["average", "best", "lowest-cost"])
def test_the_record_of_a_training(kind, combine):
    theta, trajectories = kind(THETA), Trajectories(kind(THETA))
    found = train_from(
        COST, theta, combine=combine, max_iter=20, validation=(X, Y), callback=trajectories
    )
    assert type(found.theta) is type(found.theta0) is type(theta)
    plain = train_from(COST, THETA, combine=combine, max_iter=20, validation=(X, Y))
    np.testing.assert_allclose(np.asarray(found.theta), plain.theta, rtol=1e-9)
    assert found.kept == plain.kept
    assert isinstance(found.predict(X), np.ndarray)
    np.testing.assert_allclose(found.predict(X), plain.predict(X), rtol=1e-9)
    scores, wanted = (
        [(one.score, one.error) for one in each.validation if one] for each in (found, plain)
    )
    np.testing.assert_allclose(scores, wanted, rtol=1e-9)
    path = trajectories.of(1, found.outcome)
    assert path is not None
    assert isinstance(path.theta, np.ndarray)
    np.testing.assert_array_equal(path.theta[0], THETA[1])
    np.testing.assert_array_equal(path.theta[-1], np.asarray(found.outcome.theta[1]))


@EACH_KIND
def test_what_is_found_at_the_starts(kind):
    starts = THETA.copy()
    starts[0], starts[2] = np.nan, 0.5
    assert gradient_report(COST, kind(starts)).verdict == "pass"
    found = Symmetry.of(NET, kind(starts), alpha=1.0, method="l-bfgs")
    assert (found.starts, found.least, found.n_broken) == (3, (1,), 2)


@EACH_KIND
@pytest.mark.parametrize("starts", [1, 4])
def test_minima(kind, starts):
    theta = kind(THETA if starts > 1 else THETA[0])
    outcome = sb.minimize(COST, theta, gradient_rtol=1e-6)
    assert outcome.converged.all()
    found = distinct_minima(NET, outcome, X)
    assert sorted(sum(found.by_theta, ())) == list(range(starts))


def test_starts_are_drawn_again_in_the_dtype_of_the_cost():
    found = draw_finite_starts(COST.to("float32"), "glorot_uniform", starts=4).theta
    np.testing.assert_array_equal(found, THETA.astype(np.float32))


def test_all_is_numpy_where_no_theta_was_given():
    found = train(NET, X, Y, starts=2, max_iter=3)
    for one in (found.theta0, found.theta, found.outcome.theta, found.predict(X)):
        assert isinstance(one, np.ndarray)
