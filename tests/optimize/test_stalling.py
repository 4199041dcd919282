"""When J or a score counts as improved, and shuffling that can be left out."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak import minimize
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize.early_stopping import Stalling
from symbreak.optimize.status import Status


def test_a_start_stalls_after_so_many_steps_without_progress():
    stalling = Stalling(2, 0.5, 2)
    both = np.array([True, True])
    ended = []
    for J in ([4.0, 4.0], [3.5, 3.6], [3.4, 3.0], [3.3, 2.9], [1.0, 2.8]):
        stalling.look(both, np.array(J))
        ended.append(stalling.ended(both).tolist())
    assert ended == [
        [False, False], [False, False], [False, False], [True, False], [False, True],
    ]  # fmt: skip


def parabola(theta):
    return (theta**2).sum(1) / 2, theta


def test_value_patience_ends_a_search_and_says_so():
    outcome = minimize(
        parabola, np.full((1, 3), 4.0), method="sgd", learning_rate=0.1,
        momentum=0.0, value_patience=3, patience_tol=0.01, gradient_rtol=0.0, max_iter=500,
    )  # fmt: skip
    assert outcome.status == (Status.STALLED,)
    falls = -np.diff(outcome.history[:, 0])
    assert (falls[-3:] < 0.01).sum() >= 1
    assert outcome.n_iterations[0] < 100


def test_an_improvement_below_the_tolerance_is_kept_but_does_not_count():
    scores = iter([5.0, 4.9, 4.8])

    def score(theta):
        return np.full(len(theta), next(scores))

    outcome = minimize(
        parabola, np.ones((1, 2)), method="gradient-descent",
        validation=score, patience=2, patience_tol=0.5,
    )  # fmt: skip
    assert outcome.status == (Status.NO_IMPROVEMENT,)
    assert outcome.validation is not None
    assert outcome.validation_history is not None
    assert outcome.validation.tolist() == [4.8]
    np.testing.assert_array_equal(outcome.validation_history[1:, 0], [5.0, 4.9, 4.8])


@pytest.mark.parametrize("shuffle", [True, False])
def test_without_shuffling_the_seed_of_the_order_does_not_matter(shuffle):
    X = np.random.default_rng(0).normal(size=(20, 3))
    cost = NetworkCost(Network((3, 1), loss="squared_error"), X, X.sum(1))
    ends = [
        minimize(cost, np.ones(4), method="sgd", batch_size=3, max_iter=2, shuffle=shuffle,
                 seed=seed).theta
        for seed in (0, 1)
    ]  # fmt: skip
    assert np.array_equal(*ends) == (not shuffle)
