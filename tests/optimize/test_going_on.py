"""A search that was stopped goes on as if it had not been: bit for bit, for every method."""

from __future__ import annotations

import contextlib
import os
import signal
import threading

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Racing, Status
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.methods import METHODS

OPTIONS = {
    "gradient-descent": {"learning_rate": 0.05},
    "sgd": {"learning_rate": 0.05, "batch_size": 16},
    "adam": {"batch_size": 16},
    "adamw": {"batch_size": 16},
}
ITERATIONS = 25


def make_cost(**options):
    rng = np.random.default_rng(5)
    net = sb.Network((4, 5, 3), "tanh", "cross_entropy")
    X, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    return sb.NetworkCost(net, X, y, alpha=0.3, **options)


def make_starts(cost):
    return sb.initialize(cost.network, starts=4, seed=2)


def search(cost, theta, method, **options):
    return sb.minimize(
        cost, theta, method=method, max_iter=ITERATIONS, gradient_rtol=0.0,
        **OPTIONS.get(method, {}), **options,
    )  # fmt: skip


def assert_same(one, other):
    assert np.array_equal(one.theta, other.theta)
    np.testing.assert_array_equal(one.history, other.history)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.n_evaluations, other.n_evaluations)
    np.testing.assert_array_equal(one.best_iteration, other.best_iteration)
    assert one.status == other.status


def after(ticks):
    """A callback that stops after so many ticks."""
    seen = []
    return lambda progress: seen.append(progress) or len(seen) == ticks


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ticks", [1, 2, 7, 18])
def test_stopped_by_the_callback(method, ticks):
    cost = make_cost()
    straight = search(cost, make_starts(cost), method)
    part = search(cost, make_starts(cost), method, callback=after(ticks))
    assert Status.STOPPED in part.status
    assert_same(sb.minimize(cost, part, max_iter=ITERATIONS, gradient_rtol=0.0), straight)
    # The part is as it was, and can go on once more.
    assert_same(sb.minimize(cost, part, max_iter=ITERATIONS, gradient_rtol=0.0), straight)


@pytest.mark.parametrize("method", METHODS)
def test_stopped_by_control_c_at_an_evaluation(method):
    class Called(sb.NetworkCost):
        interrupts_at, calls = 0, 0

        def __call__(self, theta, **options):
            self.count()
            return super().__call__(theta, **options)

        def value(self, theta):
            self.count()
            return super().value(theta)

        def count(self):
            Called.calls += 1
            if Called.calls == Called.interrupts_at:
                os.kill(os.getpid(), signal.SIGINT)

    cost = make_cost()
    cost.__class__ = Called
    straight = search(cost, make_starts(cost), method)
    Called.interrupts_at = Called.calls + 5
    part = search(cost, make_starts(cost), method)
    assert Status.INTERRUPTED in part.status
    assert_same(sb.minimize(cost, part, max_iter=ITERATIONS, gradient_rtol=0.0), straight)


@pytest.mark.parametrize("method", METHODS)
def test_stopped_many_times(method):
    cost = make_cost()
    straight = search(cost, make_starts(cost), method)
    outcome = search(cost, make_starts(cost), method, callback=after(1))
    for _ in range(200):
        if Status.STOPPED not in outcome.status:
            break
        outcome = sb.minimize(
            cost, outcome, max_iter=ITERATIONS, gradient_rtol=0.0, callback=after(1)
        )
    assert_same(outcome, straight)


def test_without_its_memory_it_goes_another_way():
    cost = make_cost()
    straight = search(cost, make_starts(cost), "l-bfgs")
    part = search(cost, make_starts(cost), "l-bfgs", callback=after(12))
    anew = search(cost, part.theta, "l-bfgs")
    assert not np.array_equal(anew.theta, straight.theta)


def test_a_raised_limit_goes_on_and_the_starts_that_ended_stay():
    cost = make_cost(dtype="float64")
    theta = make_starts(cost)
    free = sb.minimize(cost, theta, gradient_rtol=1e-2)
    short = sb.minimize(cost, theta, max_iter=int(np.median(free.n_iterations)), gradient_rtol=1e-2)
    ended = short.converged
    assert 0 < ended.sum() < 4
    longer = sb.minimize(cost, short, max_iter=400)
    straight = sb.minimize(cost, theta, max_iter=400, gradient_rtol=1e-2)
    assert np.array_equal(longer.theta[ended], short.theta[ended])
    np.testing.assert_array_equal(longer.n_iterations, straight.n_iterations)
    np.testing.assert_allclose(longer.value, straight.value, rtol=1e-9)
    assert longer.converged.all()


def test_with_the_same_limit_nothing_happens():
    cost = make_cost()
    short = sb.minimize(cost, make_starts(cost), max_iter=3)
    again = sb.minimize(cost, short, max_iter=3)
    assert_same(again, short)
    # It has not lost what it needs to go on, and each continuation has its own history.
    at = short.best_iteration.tolist()
    straight = sb.minimize(cost, make_starts(cost), max_iter=9)
    assert_same(sb.minimize(cost, again, max_iter=9), straight)
    assert len(sb.minimize(cost, short, max_iter=5).history) == 6
    assert short.best_iteration.tolist() == at


def test_with_the_same_limit_nothing_happens_to_penalties_for_each_start():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
    network = sb.Network((4, 5, 3), "tanh", "cross_entropy")
    cost = sb.NetworkCost(network, X, y, alpha=[0.1, 0.2, 0.3, 0.4])
    short = sb.minimize(cost, make_starts(cost), max_iter=3)
    assert_same(sb.minimize(cost, short, max_iter=3), short)


@pytest.mark.parametrize("method", ["l-bfgs", "adam", "rprop"])
@pytest.mark.parametrize("limit", [1, 4, 5])
def test_a_limit_that_was_passed_ends_it_after_the_next_trial(method, limit):
    cost = make_cost()
    part = sb.minimize(cost, make_starts(cost), method=method, max_iter=3)
    again = sb.minimize(cost, part, max_iter=9, max_evaluations=limit)
    assert set(again.status) == {Status.MAX_EVALUATIONS}
    np.testing.assert_array_equal(again.n_evaluations, 5)


def test_an_outcome_is_a_start_for_another_method():
    cost = make_cost()
    first = sb.minimize(cost, make_starts(cost), method="gradient-descent", max_iter=5)
    second = sb.minimize(cost, first, method="l-bfgs", max_iter=50)
    assert (second.value < first.value).all()
    assert second.history[0].tolist() == first.value.tolist()


@pytest.mark.parametrize("method", ["adam", "adamw"])
def test_searches_saved_before_there_were_bursts_go_on(method):
    cost = make_cost()
    straight = search(cost, make_starts(cost), method)
    part = search(cost, make_starts(cost), method, callback=after(7))
    held = {"beta1", "beta2", "eps", "decay", "_mean", "_square", "_t", "_decay"}
    assert vars(part.search.parts[0].stepper.rule).keys() == held
    assert_same(sb.minimize(cost, part, max_iter=ITERATIONS), straight)


def test_options_belong_to_the_search_that_goes_on():
    cost = make_cost()
    part = sb.minimize(cost, make_starts(cost), max_iter=3)
    with pytest.raises(InvalidInput, match=r"options of minimize must be none .*Got memory"):
        sb.minimize(cost, part, memory=3)


def test_a_vector_goes_on_as_a_vector():
    cost = make_cost()
    start = make_starts(cost)[0]
    part = sb.minimize(cost, start, max_iter=4)
    whole = sb.minimize(cost, part, max_iter=9)
    assert whole.theta.shape == start.shape
    np.testing.assert_array_equal(whole.theta, sb.minimize(cost, start, max_iter=9).theta)


def test_the_second_control_c_breaks_off():
    with DeferredInterrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.is_requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_contexts_inside_each_other_know_of_the_same_presses():
    with DeferredInterrupt() as outer:
        with DeferredInterrupt() as inner:
            signal.raise_signal(signal.SIGINT)
        assert (outer.is_requested, outer.is_repeated) == (True, False)
        assert (inner.is_requested, inner.is_repeated) == (True, False)
        with DeferredInterrupt() as later:
            assert later.is_requested
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            assert later.is_repeated
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("is_inside", [False, True])
@pytest.mark.parametrize("method", ["l-bfgs", "adam", "scipy:BFGS"])
def test_the_first_press_ends_a_search_and_the_second_is_raised(method, is_inside):
    cost = make_cost()
    start = make_starts(cost)[:1]
    deferring = DeferredInterrupt if is_inside else contextlib.nullcontext

    def press(times):
        def pressed(progress):
            if progress.iteration == 2:
                for _ in range(times):
                    signal.raise_signal(signal.SIGINT)

        return pressed

    with deferring():
        outcome = sb.minimize(cost, start, method=method, callback=press(1))
    assert outcome.is_interrupted
    assert outcome.n_iterations[0] <= 3
    with deferring(), pytest.raises(KeyboardInterrupt):
        sb.minimize(cost, start, method=method, callback=press(2))


def test_a_handler_of_the_program_and_other_threads_are_left_alone():
    mine = lambda number, frame: None  # noqa: E731 - a handler with a name to compare
    before = signal.signal(signal.SIGINT, mine)
    try:
        with DeferredInterrupt():
            assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)
    found = []

    def other():
        with DeferredInterrupt():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def paused(**options):
    cost = make_cost()
    return cost, sb.minimize(cost, make_starts(cost), max_iter=3, **options)


@pytest.mark.parametrize(
    ("began", "changed", "sentence"),
    [
        ({}, {"gradient_rtol": -1}, r"gradient_rtol of minimize must stay 1e-05 .* Got -1"),
        ({"gradient_atol": 1e-3}, {"gradient_atol": 1e-9}, "gradient_atol of minimize must stay"),
        ({}, {"validation": 5}, "validation of minimize must stay None"),
        ({}, {"patience": 3}, "patience of minimize must stay None"),
        ({"racing": True}, {"racing": Racing(7)}, "racing of minimize must stay"),
    ],
)
def test_what_a_search_keeps_for_good_cannot_be_changed(began, changed, sentence):
    cost, outcome = paused(**began)
    with pytest.raises(InvalidInput, match=sentence):
        sb.minimize(cost, outcome, max_iter=4, **changed)


def test_what_it_began_with_may_be_said_again_or_left_out():
    began = {"gradient_rtol": 1e-2, "racing": True, "validation": make_cost(), "patience": 4}
    cost, outcome = paused(**began)
    again = sb.minimize(cost, outcome, **began)
    assert_same(again, sb.minimize(cost, outcome))
    # The test of the gradient is the first call's, not the default's.
    at_start = abs(cost(make_starts(cost))[1]).max(1)
    converged = again.converged
    limit = 1e-2 * np.minimum(at_start, 1.0)
    assert (again.gradient_norm[converged] <= limit[converged]).all()
    assert (again.gradient_norm > 1e-5 * np.minimum(at_start, 1.0)).all()


def test_an_objective_of_fewer_starts_is_refused_by_name():
    cost = sb.NetworkCost(
        make_cost().network, np.eye(4), [0, 1, 2, 0], alpha=np.array([0.1, 0.2, 0.3, 0.4])
    )
    outcome = sb.minimize(cost, make_starts(cost), max_iter=3)
    with pytest.raises(InvalidInput, match="objective of minimize must be for 4 starts"):
        sb.minimize(cost.take(np.array([0, 1])), outcome, max_iter=5)


def test_a_search_of_scipy_is_not_begun_anew_in_silence():
    cost = make_cost()
    outcome = sb.minimize(cost, make_starts(cost), method="scipy:BFGS", max_iter=1)
    with pytest.raises(InvalidInput, match="method of minimize must be named to begin anew"):
        sb.minimize(cost, outcome)
    assert sb.minimize(cost, outcome, method="l-bfgs").converged.all()


@pytest.mark.parametrize("method", ["l-bfgs", "adam"])
def test_a_search_goes_on_when_its_time_was_over(method):
    cost = make_cost()
    outcome = search(cost, make_starts(cost), method, max_seconds=0.0)
    assert outcome.status == (Status.MAX_SECONDS,) * 4
    again = sb.minimize(cost, outcome, max_iter=ITERATIONS)
    assert_same(again, search(cost, make_starts(cost), method))
