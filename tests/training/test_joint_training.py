"""Searches that train as one stack find what each finds alone."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.training import joint_training
from symbreak.training.joint_training import MinimizeCall, stacks_of, train_together

NETWORK = sb.Network((3, 4, 2), "tanh", "squared_error")
STOP = {"method": "l-bfgs", "max_iter": 6}


def search(number: int, *, data: int = 0, alpha=0.1, starts: int = 2, **arguments) -> MinimizeCall:
    random = np.random.default_rng(data)
    m = 9 + data
    cost = sb.NetworkCost(
        NETWORK, random.normal(size=(m, 3)), random.normal(size=(m, 2)), alpha=alpha
    )
    theta = sb.initialize(NETWORK, "normal", starts=starts, seed=number, dtype="float64")
    return MinimizeCall(cost, theta, {**STOP, **arguments})


def alone(one: MinimizeCall):
    return sb.minimize(one.objective, one.theta, **one.arguments)


def same(found, wanted) -> None:
    for name in ("theta", "value", "gradient_norm", "history"):
        number, wanted_number = (np.asarray(getattr(one, name)) for one in (found, wanted))
        np.testing.assert_allclose(number, wanted_number, rtol=1e-6, equal_nan=True)
    assert found.status == wanted.status
    assert (found.n_iterations == wanted.n_iterations).all()
    assert (found.n_evaluations == wanted.n_evaluations).all()
    assert (found.best_iteration == wanted.best_iteration).all()


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs", "newton-cg", "gradient-descent"])
def test_each_search_of_a_stack_finds_what_it_finds_alone(method):
    searches = [
        search(1, data=0, alpha=0.1, method=method),
        search(2, data=1, alpha=[0.1, 5.0], method=method),
        search(3, data=2, alpha=[[0.1, 5.0]] * 3, starts=3, method=method),
        search(4, data=0, alpha=3.0, starts=1, method=method),
        search(5, data=1, alpha=0.0, method=method),
    ]
    for found, one in zip(train_together(searches), searches, strict=True):
        same(found, alone(one))


@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_mini_batches_are_those_of_a_search_alone(method):
    searches = [
        search(number, alpha=alpha, method=method, batch_size=4, seed=7)
        for number, alpha in ((1, 0.0), (2, 5.0))
    ]
    assert stacks_of(searches, 10**9) == [[0, 1]]
    for found, one in zip(train_together(searches), searches, strict=True):
        same(found, alone(one))


@pytest.mark.parametrize("method", ["sgd", "adamw"])
def test_learning_rates_are_those_of_a_search_alone(method):
    searches = [
        search(number, method=method, batch_size=4, learning_rate=rate, starts=starts)
        for number, rate, starts in ((1, 0.01, 2), (2, 0.1, 1), (3, 0.001, 3))
    ]
    assert stacks_of(searches, 10**9) == [[0, 1, 2]]
    for found, one in zip(train_together(searches), searches, strict=True):
        same(found, alone(one))


def test_methods_of_one_rate_for_all_starts_do_not_share_a_stack():
    searches = [search(1, method="gradient-descent", learning_rate=r) for r in (0.1, 0.2)]
    assert stacks_of(searches, 10**9) == [[0], [1]]


def test_theta_of_one_start_keeps_its_kind():
    one = search(1, starts=1)
    vector = MinimizeCall(one.objective, one.theta[0], one.arguments)
    found = train_together([vector, search(2)])[0]
    assert isinstance(found.theta, np.ndarray)
    assert found.theta.shape == (NETWORK.n_parameters,)
    np.testing.assert_allclose(found.theta, alone(one).theta[0], rtol=1e-6)


def test_what_differs_goes_to_further_stacks():
    other = search(1)
    wide = sb.Network((3, 5, 2), "tanh", "squared_error")
    theta = sb.initialize(wide, "normal", starts=2, seed=0, dtype="float64")
    cost = sb.NetworkCost(wide, np.eye(3), np.ones((3, 2)))
    searches = [
        search(1), MinimizeCall(cost, theta, STOP), other, search(2, max_iter=7), search(3, data=1),
        search(4, callback=print), search(5, method="adam"), search(6, method="adam", data=1),
    ]  # fmt: skip
    assert stacks_of(searches, 10**9) == [[0, 2, 4], [1], [3], [5], [6], [7]]


def test_a_stack_is_cut_to_the_memory_and_to_the_jobs():
    searches = [search(seed) for seed in range(6)]
    row = searches[0].bytes_per_row
    assert stacks_of(searches, 4 * row) == [[0, 1], [2, 3], [4, 5]]
    assert stacks_of(searches, 1) == [[index] for index in range(6)]
    assert stacks_of(searches, 10**9, at_least=2) == [[0, 1, 2], [3, 4, 5]]


def test_look_stops_the_stack():
    found = train_together([search(1), search(2)], lambda progress: progress.iteration >= 2)
    assert [status.name for one in found for status in one.status] == ["STOPPED"] * 4


def test_a_callback_of_its_own_is_kept_beside_look():
    seen = []
    one = search(1, callback=lambda progress: seen.append(progress.iteration))
    train_together([one], lambda progress: progress.iteration >= 3)
    assert max(seen) == 3


def test_who_gathers_gets_the_call_and_gives_the_outcome():
    calls = []
    one = search(1)
    outcome = alone(search(2))

    def gather(objective, theta, arguments):
        calls.append(MinimizeCall(objective, theta, arguments))
        return outcome

    with joint_training.gathered_by(gather):
        answer = joint_training.minimize(one.objective, one.theta, **STOP, memory=5)
        with joint_training.gathered_by(None):
            own = joint_training.minimize(one.objective, one.theta, **STOP, memory=5)
    assert answer is outcome
    assert calls[0].arguments == {**STOP, "memory": 5}
    same(alone(calls[0]), own)
    same(alone(one), sb.minimize(one.objective, one.theta, **STOP))
