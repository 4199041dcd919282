from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.training import train, train_from
from symbreak.training.scores import scores_of

random = np.random.default_rng(3)
X = random.normal(size=(90, 2))
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
TRAIN, VALIDATION, TEST = slice(0, 40), slice(40, 60), slice(60, 90)
NET = sb.Network((2, 4, 2), "tanh", "cross_entropy")


def trained(**options):
    options = {"starts": 5, "alpha": 0.1, "max_iter": 25, "validation": None, **options}
    return train(NET, X[TRAIN], Y[TRAIN], **options)


def test_training_lowers_j_of_every_start_and_reports_each():
    found = trained()
    begin = found.cost.value(sb.initialize(NET, starts=5, seed=0))
    assert (found.outcome.value < begin).all()
    assert found.kept == (0, 1, 2, 3, 4)
    assert found.validation == ()


def test_the_average_is_the_mean_of_the_starts_own_predictions():
    found = trained()
    each = NET.predict(found.outcome.theta, X[TEST])
    np.testing.assert_allclose(found.predict(X[TEST]), each.mean(axis=0), rtol=1e-13)


def test_best_is_chosen_by_validation_and_lowest_cost_by_j():
    part = (X[VALIDATION], Y[VALIDATION])
    best, lowest = trained(combine="best", validation=part), trained(combine="lowest-cost")
    each = [scores_of("cross_entropy", part[1], NET.predict(theta, part[0]))
            for theta in best.outcome.theta]  # fmt: skip
    assert best.validation == tuple(each)
    ranks = [one.rank for one in each if one is not None]
    assert best.kept == (ranks.index(max(ranks)),)
    assert lowest.kept == (int(lowest.outcome.value.argmin()),)
    alone = NET.predict(best.outcome.theta[best.kept[0]], X[TEST])
    np.testing.assert_allclose(best.predict(X[TEST]), alone, rtol=1e-13)


def test_best_differs_from_lowest_cost_where_validation_says_so():
    """Two starts that stay where they are: J prefers one, validation the other."""
    net = sb.Network((1, 2), loss="cross_entropy")
    cost = sb.NetworkCost(net, [[0.0], [0.0]], [0, 0])
    prefers_0, prefers_1 = [2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]
    theta = np.array([prefers_1, prefers_0])
    validation = (np.zeros((3, 1)), np.array([1, 1, 1]))
    options = {"max_iter": 0, "validation": validation}
    assert train_from(cost, theta, combine="best", **options).kept == (0,)
    assert train_from(cost, theta, combine="lowest-cost", **options).kept == (1,)
    average = train_from(cost, theta, combine="average", **options)
    np.testing.assert_allclose(average.predict(np.zeros((1, 1))), [[0.5, 0.5]], rtol=1e-14)


def test_a_start_that_is_not_finite_is_left_out_of_the_average():
    net = sb.Network((1, 1), loss="squared_error")
    cost = sb.NetworkCost(net, [[1.0], [2.0]], [1.0, 2.0])
    theta = np.array([[0.0, 1.0], [1e200, 1e200], [0.0, 3.0]])
    found = train_from(cost, theta, max_iter=0)
    assert found.usable.tolist() == [True, False, True]
    assert found.kept == (0, 2)
    np.testing.assert_allclose(found.predict([[1.0]]), [[2.0]], rtol=1e-14)
    assert len(found.theta) == 2


def test_the_same_seed_gives_the_same_training_and_another_seed_another():
    first, again, other = trained(seed=1), trained(seed=1), trained(seed=2)
    assert np.array_equal(first.outcome.theta, again.outcome.theta)
    assert not np.array_equal(first.outcome.theta, other.outcome.theta)


def test_options_go_to_the_method():
    found = trained(method="gradient-descent", learning_rate=0.05, momentum=0.0, max_iter=1)
    theta = sb.initialize(NET, starts=5, seed=0)
    step = theta - 0.05 * found.cost(theta)[1]
    np.testing.assert_allclose(found.outcome.theta, step, rtol=1e-12)


def test_the_callback_sees_the_progress_and_can_stop():
    seen = []

    def stop_at_the_third(progress):
        seen.append(progress)
        return len(seen) >= 3

    found = trained(callback=stop_at_the_third)
    assert len(seen) == 3
    assert {status.name for status in found.outcome.status} == {"STOPPED"}


def test_ctrl_c_keeps_the_best_so_far():
    def press(progress):
        if progress.iteration >= 2:
            raise KeyboardInterrupt

    found = trained(callback=press)
    assert {status.name for status in found.outcome.status} == {"INTERRUPTED"}
    assert np.isfinite(found.outcome.value).all()
    assert found.kept == (0, 1, 2, 3, 4)


def test_bad_input_is_refused_before_the_training():
    with pytest.raises(InvalidInput, match="Did you mean 'best'"):
        trained(combine="bst")
    with pytest.raises(InvalidInput, match="starts"):
        trained(starts=0)
    with pytest.raises(InvalidInput, match="l-bfgs"):
        trained(method="l-bgfs")
