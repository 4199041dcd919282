"""The penalty chosen by cross-validation."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.training import choosing
from symbreak.training.choosing import Choice, choose_alpha
from symbreak.training.combine import combined_prediction

NETWORK = sb.Network((3, 4, 1), "tanh", "squared_error")


def linear_data(noise):
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 3))
    return X, X @ [1.0, -2.0, 0.5] + noise * random.normal(size=40)


def test_scores_are_those_of_single_trainings_on_the_folds():
    X, y = linear_data(0.5)
    settings = {"starts": 2, "seed": 3, "max_iter": 5}
    found = choose_alpha(NETWORK, X, y, [0.1, 10.0], folds=4, **settings)
    wanted = np.zeros((4, 2))
    parts = np.array_split(np.random.default_rng(3).permutation(40), 4)
    for fold, part in enumerate(parts):
        rest = np.array([row for row in range(40) if row not in part])
        for place, alpha in enumerate([0.1, 10.0]):
            theta = sb.initialize(NETWORK, "glorot_uniform", starts=2, seed=3)
            cost = sb.NetworkCost(NETWORK, X[rest], y[rest], alpha=alpha)
            outcome = sb.minimize(cost, theta, max_iter=5)
            miss = combined_prediction(NETWORK, outcome.theta, X[part])[:, 0] - y[part]
            wanted[fold, place] = np.sqrt(np.mean(miss**2))
    np.testing.assert_allclose(found.scores, wanted.mean(axis=0), rtol=1e-5)
    assert (found.name, found.folds) == ("rmse", 4)


def test_penalties_that_the_memory_does_not_hold_at_once_train_in_turn(monkeypatch):
    X, y = linear_data(0.5)
    settings = {"starts": 2, "max_iter": 5, "folds": 2, "method": "bfgs"}
    wanted = choose_alpha(NETWORK, X, y, [0.1, 1.0, 10.0], **settings)
    stacks = []

    def counted(cost, theta, **options):
        stacks.append(len(theta))
        return sb.minimize(cost, theta, **options)

    monkeypatch.setattr(choosing, "minimize", counted)
    n = NETWORK.n_parameters
    monkeypatch.setattr(choosing, "_MEMORY", 4 * n * (16 + n) * 8)
    assert choose_alpha(NETWORK, X, y, [0.1, 1.0, 10.0], **settings).scores == wanted.scores
    assert stacks == [4, 2, 4, 2]


def test_exact_data_want_a_small_penalty_and_noise_a_large_one():
    X, y = linear_data(0.0)
    quick = {"folds": 3, "starts": 2, "max_iter": 40}
    assert choose_alpha(NETWORK, X, y, **quick).alpha <= 0.01
    noise = np.random.default_rng(1).normal(size=40)
    assert choose_alpha(NETWORK, X, noise, **quick).alpha >= 10.0


def test_the_lowest_score_wins_and_the_larger_penalty_of_equals():
    choice = Choice((0.1, 1.0, 10.0), (0.5, 0.25, 0.25), "log_loss", 5)
    assert (choice.alpha, choice.score) == (10.0, 0.25)


def test_more_folds_than_rows_are_refused():
    with pytest.raises(InvalidInput, match=r"folds must be from 2 to the number of rows, 3. Got 5"):
        choose_alpha(NETWORK, np.ones((3, 3)), np.ones(3))
