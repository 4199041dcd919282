"""The core gives the same bits whatever the threads, the stack and the process."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

import symbreak as sb
from symbreak import native
from symbreak.objectives.native_kernel import NativeKernel

pytestmark = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")


def cost_and_theta(starts=5):
    # Large enough for sixteen chunks of examples.
    rng = np.random.default_rng(0)
    network = sb.Network((30, 20, 10, 4), ("tanh", "gelu"), "cross_entropy")
    X, y = rng.normal(size=(1201, 30)), rng.integers(0, 4, 1201)
    alpha, weights = rng.random(starts), rng.random((starts, 1201))
    cost = sb.NetworkCost(network, X, y, alpha=alpha, sample_weight=weights)
    return cost, rng.normal(size=(starts, network.n_parameters))


def with_threads(cost, threads):
    """Return the same cost, its kernel on so many threads."""
    other = cost.take(range(cost.starts))
    assert isinstance(other._data.kernel, NativeKernel)
    other._data.kernel._threads = threads
    return other


def assert_same(answer, expected):
    for got, wanted in zip(answer, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_change_nothing(threads):
    cost, theta = cost_and_theta()
    expected = with_threads(cost, 1)(theta)
    many = with_threads(cost, threads)
    for _ in range(5):
        assert_same(many(theta), expected)
        np.testing.assert_array_equal(many.value(theta), expected[0])


def test_one_start_is_cut_by_examples_to_the_same_bits():
    cost, theta = cost_and_theta()
    J, gradient = with_threads(cost, 1)(theta)
    for start in range(len(theta)):
        alone = with_threads(cost.take([start]), 4)(theta[[start]])
        assert_same(alone, (J[[start]], gradient[[start]]))


def test_other_threads_of_the_caller_change_nothing():
    cost, theta = cost_and_theta()
    expected = with_threads(cost, 1)(theta)
    many = with_threads(cost, 2)
    with ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: many(theta), range(20)):
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
    many = with_threads(cost, 2)
    expected = many(theta)  # the threads of the parent exist by now
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=send, args=(many, theta, there))
    child.start()
    assert here.poll(60), "the child does not answer"
    answer, new_threads = here.recv()
    assert_same(answer, expected)
    assert new_threads == 1
    child.join(60)
    assert child.exitcode == 0
    assert_same(many(theta), expected)


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

    gradients = cost.minibatch_gradients(stack, torch.from_numpy(order), size)
    for place, gradient in enumerate(gradients):
        expected = cost.batch(order[place * size : (place + 1) * size])(theta)[1]
        error = np.linalg.norm(gradient.numpy() - expected, axis=1)
        assert (error <= 1e-13 * np.linalg.norm(expected, axis=1)).all()
