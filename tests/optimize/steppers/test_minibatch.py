"""Epochs of updates: which examples, which order, where a paused search goes on."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.optimize import Status
from symbreak.optimize.methods import method_of
from symbreak.optimize.per_start import host
from symbreak.optimize.protocols import Point
from symbreak.optimize.updates.shuffle import order_of_epoch
from tests.optimize.plain_functions import quadratic

METHODS = ("sgd", "adam", "adamw")
OPTIMISERS = {"sgd": ("SGD", {"momentum": 0.8, "nesterov": True}), "adam": ("Adam", {})}
M, LAYERS, RATE = 23, (4, 6, 3), 0.05
rng = np.random.default_rng(0)
NET = sb.Network(LAYERS, "tanh", "cross_entropy")
X, Y, W = rng.normal(size=(M, 4)), rng.integers(0, 3, M), rng.uniform(0.0, 2.0, (3, M))


def make_cost(alpha=0.3, weights=None):
    return sb.NetworkCost(NET, X, Y, alpha=alpha, sample_weight=weights)


def starts(n=3):
    return sb.initialize(NET, starts=n, seed=4)


def point(objective, theta):
    value, gradient = objective(theta)
    return Point(theta, host(value), gradient, host(abs(gradient).max(1)))


def options(method, **others):
    own = {"momentum": 0.8, "nesterov": True} if method == "sgd" else {}
    return {"learning_rate": RATE, **own, **others}


def torch_epochs(torch, method, theta, alpha, weights, size, epochs, seed=0):
    """Return theta (n,) after each epoch of an ordinary loop with autograd."""
    parameter = torch.nn.Parameter(torch.tensor(theta))
    name, own = OPTIMISERS[method]
    optimiser = getattr(torch.optim, name)([parameter], lr=RATE, **own)
    inputs, y, w = torch.tensor(X), torch.tensor(Y), torch.tensor(weights)
    ends = []
    for epoch in range(epochs):
        for rows in torch.from_numpy(order_of_epoch(seed, epoch, M)).split(size):
            first, last = NET.thetas(parameter)
            a = torch.tanh(inputs[rows] @ first[:, 1:].T + first[:, 0])
            raw = a @ last[:, 1:].T + last[:, 0]
            losses = torch.nn.functional.cross_entropy(raw, y[rows], reduction="none")
            J = (w[rows] * losses).mean() / w.mean()
            J = J + 0.5 * alpha / w.sum() * ((first[:, 1:] ** 2).sum() + (last[:, 1:] ** 2).sum())
            optimiser.zero_grad()
            J.backward()
            optimiser.step()
        ends.append(parameter.detach().numpy().copy())
    return ends


@pytest.mark.parametrize("method", OPTIMISERS)
@pytest.mark.parametrize("size", [1, 8, 22])
@pytest.mark.parametrize("weighted", [False, True])
def test_epochs_are_those_of_an_ordinary_loop(method, size, weighted, torch):
    alpha, theta = [0.3, 0.0, 5.0], starts()
    cost = make_cost(alpha, W if weighted else None)
    stepper = method_of(method, options(method, batch_size=size))
    here = point(cost, theta)
    stepper.start(here, cost)
    weights = W if weighted else np.ones((3, M))
    expected = [
        torch_epochs(torch, method, theta[row], alpha[row], weights[row], size, 3)
        for row in range(3)
    ]
    for epoch in range(3):
        trial = point(cost, stepper.trial(here, cost))
        accepted, failed = stepper.judge(here, trial)
        assert accepted.all()
        assert not failed.any()
        here = trial
        for row in range(3):
            reached = expected[row][epoch]
            # Rounding grows along the path: each update of Adam divides by a root of squares.
            assert abs(here.theta[row] - reached).max() <= 1e-11 * abs(reached).max()


class Recording:
    """An objective with examples that writes down which are asked for; it has only `batch`."""

    def __init__(self, cost, seen):
        self.cost, self.seen, self.blocks = cost, seen, cost.blocks
        self.n_examples, self.dtype = cost.n_examples, cost.dtype
        self.is_weight = cost.is_weight

    def __call__(self, theta, *, out=None):
        return self.cost(theta, out=out)

    def value(self, theta):
        return self.cost.value(theta)

    def take(self, indices):
        return Recording(self.cost.take(indices), self.seen)

    def batch(self, rows):
        self.seen.append(rows.tolist())
        return self.cost.batch(rows)


@pytest.mark.parametrize("epochs", [1, 3])
def test_each_epoch_visits_each_example_once_in_an_order_of_its_own(epochs):
    seen: list[list[int]] = []
    outcome = sb.minimize(
        Recording(make_cost(), seen), starts(), method="adam", batch_size=5, max_iter=2,
        epochs_per_evaluation=epochs, seed=9,
    )  # fmt: skip
    assert [len(rows) for rows in seen] == [5, 5, 5, 5, 3] * (2 * epochs)
    visited = np.concatenate(seen).reshape(2 * epochs, M)
    for epoch, order in enumerate(visited):
        np.testing.assert_array_equal(np.sort(order), np.arange(M))
        np.testing.assert_array_equal(order, order_of_epoch(9, epoch, M))
    assert len(np.unique(visited, axis=0)) == 2 * epochs
    np.testing.assert_array_equal(outcome.n_iterations, 2)
    np.testing.assert_array_equal(outcome.n_evaluations, 3)


@pytest.mark.parametrize("method", METHODS)
def test_objectives_with_only_batch_take_the_same_steps(method):
    ends = [
        sb.minimize(objective, starts(), method=method, batch_size=5, max_iter=4)
        for objective in (make_cost(), Recording(make_cost(), []))
    ]
    np.testing.assert_allclose(ends[0].theta, ends[1].theta, rtol=1e-9)


@pytest.mark.parametrize("batch_size", [None, 5, 23, 100])
@pytest.mark.parametrize("epochs", [1, 4])
def test_without_examples_or_with_all_an_epoch_is_one_full_update(batch_size, epochs):
    theta, calls = np.array([1.0, -2.0, 0.5]), []

    def counted(x):
        calls.append(x)
        return quadratic(x)

    x, velocity = theta, np.zeros(3)
    for _ in range(2 * epochs):
        velocity = 0.9 * velocity + quadratic(x)[1]
        x = x - 0.001 * velocity
    outcome = sb.minimize(
        counted, theta, method="sgd", learning_rate=0.001, max_iter=2, batch_size=batch_size,
        epochs_per_evaluation=epochs,
    )  # fmt: skip
    np.testing.assert_allclose(outcome.theta, x, rtol=1e-13)
    # The gradient at the start of a trial is known; one call more checks the returned point.
    assert len(calls) == 2 * epochs + 2


@pytest.mark.parametrize("epochs", [1, 2])
@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        ("constant", lambda epoch, evaluation: 1.0),
        ("invscaling", lambda epoch, evaluation: (epoch + 1) ** -0.5),
        ("cosine", lambda epoch, evaluation: np.cos(np.pi * (epoch % 6) / 12) ** 2),
        # No fall is as large as tol: after every third evaluation the rate is divided.
        ("adaptive", lambda epoch, evaluation: 0.2 ** (evaluation // 3)),
    ],
)
def test_the_rate_of_each_epoch_is_that_of_its_schedule(schedule, factor, epochs):
    x = np.array([1.0, -2.0, 0.5])
    values = [quadratic(x)[0]]
    outcome = sb.minimize(
        quadratic, x, method="sgd", learning_rate=0.01, momentum=0.0, schedule=schedule,
        cosine_epochs=6, tol=1e9, n_iter_no_change=3, max_iter=8, epochs_per_evaluation=epochs,
    )  # fmt: skip
    for evaluation in range(8):
        for epoch in range(evaluation * epochs, (evaluation + 1) * epochs):
            x = x - 0.01 * factor(epoch, evaluation) * quadratic(x)[1]
        values.append(quadratic(x)[0])
    np.testing.assert_allclose(outcome.history[:, 0], values, rtol=1e-12)


def test_all_examples_of_a_network_in_one_update_need_no_order():
    cost = make_cost(weights=W)
    ends = [
        sb.minimize(cost, starts(), method="adam", batch_size=size, max_iter=5).theta
        for size in (None, 23, 24)
    ]
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive", "cosine"])
def test_a_search_that_was_stopped_goes_on_bit_for_bit(method, schedule):
    cost = make_cost([0.3, 0.0, 5.0], W)
    how = options(
        method, schedule=schedule, batch_size=5, n_iter_no_change=2, cosine_epochs=5, tol=0.05
    )
    straight = sb.minimize(cost, starts(), method=method, max_iter=12, **how)
    calls = []
    paused = sb.minimize(
        cost, starts(), method=method, max_iter=12, **how,
        callback=lambda progress: calls.append(progress) or len(calls) == 6,
    )  # fmt: skip
    assert set(paused.status) == {Status.STOPPED}
    for _ in range(2):
        resumed = sb.minimize(cost, paused, max_iter=12)
        assert np.array_equal(resumed.theta, straight.theta)
        np.testing.assert_array_equal(resumed.history, straight.history)
        np.testing.assert_array_equal(resumed.n_evaluations, straight.n_evaluations)


def test_an_evaluation_that_was_broken_off_does_not_count():
    class Called(sb.NetworkCost):
        breaks_off_at, calls = 0, 0

        def __call__(self, theta, **given):
            Called.calls += 1
            if Called.calls == Called.breaks_off_at:
                raise KeyboardInterrupt
            return super().__call__(theta, **given)

    cost = make_cost()
    cost.__class__ = Called
    straight = sb.minimize(cost, starts(), method="adam", batch_size=5, max_iter=8)
    Called.breaks_off_at = Called.calls + 4
    paused = sb.minimize(cost, starts(), method="adam", batch_size=5, max_iter=8)
    assert set(paused.status) == {Status.INTERRUPTED}
    resumed = sb.minimize(cost, paused, max_iter=8)
    assert np.array_equal(resumed.theta, straight.theta)
    np.testing.assert_array_equal(resumed.history, straight.history)


def test_a_seed_is_an_order():
    ends = [
        sb.minimize(make_cost(), starts(), method="sgd", batch_size=5, max_iter=3, seed=seed).theta
        for seed in (0, 1, 0)
    ]
    assert np.array_equal(ends[0], ends[2])
    assert not np.allclose(ends[0], ends[1], rtol=1e-3)
