"""One cost in several threads: every answer is the one that it gives alone, to the last bit."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symbreak as sb

THREADS, CALLS = 4, 80
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(60, 6)), rng.integers(0, 3, 60)
NET = sb.Network((6, 12, 3), "tanh", "cross_entropy")


def module_cost(*, normalised=False):
    """Layers; a normalisation after them keeps what it saw."""
    from torch import nn

    from tests.modules.cost import modules

    layers = [modules.mlp([6, 12, 3], nn.Tanh), *([nn.BatchNorm1d(3)] if normalised else [])]
    return sb.ModuleCost(nn.Sequential(*layers).double(), nn.functional.cross_entropy, (X, Y))


COSTS = {
    "network": lambda: sb.NetworkCost(NET, X, Y, alpha=0.1),
    "network, small blocks": lambda: sb.NetworkCost(NET, X, Y, memory_budget=60_000),
    "module": module_cost,
    "module with buffers": lambda: module_cost(normalised=True),
}


def named(*names):
    """These names of `COSTS` as cases."""
    return [
        pytest.param(name, marks=[pytest.mark.needs_torch] if "module" in name else [])
        for name in names
    ]


@pytest.fixture(autouse=True)
def often():
    """Change threads as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(*works):
    """Run these at once and return what they return."""
    barrier = threading.Barrier(len(works))

    def after_all_are_there(work):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(after_all_are_there, works))


def thetas_of(cost, starts):
    shape = (cost.blocks[-1].stop,) if starts is None else (starts, cost.blocks[-1].stop)
    return [rng.normal(size=shape) for _ in range(5)]


@pytest.mark.parametrize("starts", [None, 3])
@pytest.mark.parametrize("name", named(*COSTS))
def test_calls_from_several_threads_do_not_see_each_other(name, starts):
    cost = COSTS[name]()
    thetas = thetas_of(cost, starts)
    expected = [(*cost(theta), cost.value(theta)) for theta in thetas]

    def work(first):
        for call in range(CALLS):
            k = (first + call) % len(thetas)
            yield k, (*cost(thetas[k]), cost.value(thetas[k]))

    for answers in together(*(lambda first=k: list(work(first)) for k in range(THREADS))):
        for k, found in answers:
            for one, other in zip(found, expected[k], strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "ask",
    [
        lambda cost, theta: cost.batch([3, 1, 4])(theta),
        lambda cost, theta: cost.take([0, 1])(theta),
        lambda cost, theta: cost.to("float32")(theta),
        lambda cost, theta: cost.gauss_newton(theta),
        lambda cost, theta: (cost.hessian_product(theta, theta),),
        lambda cost, theta: [g.copy() for g in cost.minibatch_gradients(theta, np.arange(60), 7)],
    ],
    ids=["batch", "take", "to", "gauss_newton", "hessian_product", "minibatch_gradients"],
)
def test_all_that_a_network_cost_can_do_in_several_threads(ask):
    cost = sb.NetworkCost(NET, X, Y, alpha=np.array([0.1, 0.2]))
    thetas = thetas_of(cost, 2)
    expected = [ask(cost, theta) for theta in thetas]

    def work(first):
        order = [(first + call) % len(thetas) for call in range(CALLS // 4)]
        return [(k, ask(cost, thetas[k])) for k in order]

    for answers in together(*(lambda first=k: work(first) for k in range(THREADS))):
        for k, found in answers:
            for one, other in zip(found, expected[k], strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", ["l-bfgs", "adam"])
@pytest.mark.parametrize("name", named("network", "module"))
def test_searches_in_several_threads_end_where_they_end_alone(name, method):
    cost = COSTS[name]()
    thetas = thetas_of(cost, 2)[:THREADS]
    options = {"method": method, "max_iter": 15}
    if method == "adam":
        options["batch_size"] = 16
    expected = [sb.minimize(cost, theta, **options) for theta in thetas]
    works = [lambda theta=theta: sb.minimize(cost, theta, **options) for theta in thetas]
    for found, alone in zip(together(*works), expected, strict=True):
        np.testing.assert_array_equal(found.theta, alone.theta)
        np.testing.assert_array_equal(found.value, alone.value)


def test_two_ways_through_the_mini_batches_do_not_see_each_other():
    cost = sb.NetworkCost(NET, X, Y)
    theta = rng.normal(size=(2, NET.n_parameters))
    orders = np.arange(60), np.arange(60)[::-1]
    expected = [[g.copy() for g in cost.minibatch_gradients(theta, o, 7)] for o in orders]
    ways = [cost.minibatch_gradients(theta, order, 7) for order in orders]
    for k in range(len(expected[0])):
        for way, alone in zip(ways, expected, strict=True):
            np.testing.assert_array_equal(next(way), alone[k])
