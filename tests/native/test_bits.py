"""The core gives the same bits whatever the threads, the stack and the process."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import pytest

import symbreak as sb
from symbreak import native
from symbreak.objectives import native_kernel
from symbreak.objectives.native_kernel import NativeKernel

pytestmark = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")


def data():
    rng = np.random.default_rng(1)
    return rng.normal(size=(1201, 30)), rng.integers(0, 4, 1201)


def cost_and_theta(starts=5):
    # Large enough for sixteen chunks of examples.
    rng = np.random.default_rng(0)
    network = sb.Network((30, 20, 10, 4), ("tanh", "gelu"), "cross_entropy")
    X, y = data()
    alpha, weights = rng.random(starts), rng.random((starts, 1201))
    cost = sb.NetworkCost(network, X, y, alpha=alpha, sample_weight=weights)
    return cost, rng.normal(size=(starts, network.n_parameters))


@contextmanager
def threads(count):
    """Have the core take so many threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_kernel, "n_threads", lambda: count)
        yield


def alone(cost, theta):
    """Return the answer on one thread."""
    assert isinstance(cost._data.kernel, NativeKernel)
    with threads(1):
        return cost(theta)


def assert_same(answer, expected):
    for got, wanted in zip(answer, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("count", [2, 3, 16])
def test_threads_change_nothing(count):
    cost, theta = cost_and_theta()
    expected = alone(cost, theta)
    with threads(count):
        for _ in range(5):
            assert_same(cost(theta), expected)
            np.testing.assert_array_equal(cost.value(theta), expected[0])


def test_one_start_is_cut_by_examples_to_the_same_bits():
    cost, theta = cost_and_theta()
    J, gradient = alone(cost, theta)
    for start in range(len(theta)):
        with threads(4):
            answer = cost.take([start])(theta[[start]])
        assert_same(answer, (J[[start]], gradient[[start]]))


def test_a_small_memory_budget_changes_nothing():
    cost, theta = cost_and_theta()
    expected = alone(cost, theta)
    small = sb.NetworkCost(
        cost.network, *data(), alpha=cost.alpha, sample_weight=cost._data.examples.weights,
        memory_budget=40_000,
    )  # fmt: skip
    with threads(16):
        assert_same(small(theta), expected)


def test_other_threads_of_the_caller_change_nothing():
    cost, theta = cost_and_theta()
    expected = alone(cost, theta)
    with threads(2), ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: cost(theta), range(20)):
            assert_same(answer, expected)


def call(cost, theta):
    return cost(theta)


def threads_here():
    return len(list(Path("/proc/self/task").iterdir()))


def send(cost, theta, pipe):
    before = threads_here()
    pipe.send((cost(theta), threads_here() - before))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_threads_of_its_own():
    cost, theta = cost_and_theta()
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    with threads(2):
        expected = cost(theta)  # the threads of the parent exist by now
        child = context.Process(target=send, args=(cost, theta, there))
        child.start()
    assert here.poll(60), "the child does not answer"
    answer, new_threads = here.recv()
    assert_same(answer, expected)
    assert new_threads == 1
    child.join(60)
    assert child.exitcode == 0
    assert_same(cost(theta), expected)


def test_workers_of_joblib():
    cost, theta = cost_and_theta()
    expected = cost(theta)
    for answer in joblib.Parallel(2)(joblib.delayed(call)(cost, theta) for _ in range(3)):
        assert_same(answer, expected)


def test_a_pickle_computes_anew():
    cost, theta = cost_and_theta()
    expected = cost(theta)
    assert_same(pickle.loads(pickle.dumps(cost))(theta), expected)


@pytest.mark.parametrize("size", [7, 64])
def test_minibatches_are_batches(size):
    cost, theta = cost_and_theta()
    stack = cost.stack(theta)
    order = np.random.default_rng(1).permutation(1201)

    gradients = cost.minibatch_gradients(stack, order, size)
    for place, gradient in enumerate(gradients):
        expected = cost.batch(order[place * size : (place + 1) * size])(theta)[1]
        error = np.linalg.norm(gradient - expected, axis=1)
        assert (error <= 1e-13 * np.linalg.norm(expected, axis=1)).all()
