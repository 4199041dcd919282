"""Bursts of the core make the steps that the Python steppers make, wherever a burst ends."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import symbreak as sb
from symbreak import native
from symbreak.errors import InvalidInput
from symbreak.losses import LOSSES
from symbreak.optimize import Racing, Status, bursts
from symbreak.optimize.search import Watch

pytestmark = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")

M, STARTS = 61, 4
METHODS: dict[str, dict[str, Any]] = {
    "l-bfgs": {},
    "l-bfgs, two pairs": {"memory": 2},
    "sgd": {"learning_rate": 0.05, "batch_size": 16, "momentum": 0.0},
    "sgd, momentum": {"learning_rate": 0.05, "batch_size": 16},
    "sgd, nesterov": {"learning_rate": 0.02, "nesterov": True, "epochs_per_evaluation": 3},
    "sgd, adaptive": {
        "learning_rate": 0.5, "batch_size": 7, "schedule": "adaptive", "n_iter_no_change": 2,
    },
    "sgd, whole": {"learning_rate": 0.1, "batch_size": None, "epochs_per_evaluation": 2},
    "sgd, rates": {"learning_rate": np.array([0.01, 0.02, 0.05, 0.1]), "batch_size": 16},
    "adam": {"batch_size": 16, "learning_rate": 0.01},
    "adam, invscaling": {"batch_size": 20, "learning_rate": 0.1, "schedule": "invscaling"},
    "adam, unshuffled": {"batch_size": 16, "learning_rate": 0.01, "shuffle": False},
    "adamw": {
        "batch_size": 16, "learning_rate": 0.01, "weight_decay": 0.3, "schedule": "cosine",
        "cosine_epochs": 5,
    },
}  # fmt: skip


def data(seed=3, m=M):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, 4)), rng.integers(0, 3, m)


def make_cost(loss="cross_entropy", hidden=(6,), activation="tanh", *, seed=3, **options):
    X, y = data(seed)
    if loss == "binary_cross_entropy":
        y = y > 0
    return sb.NetworkCost(
        sb.Network((4, *hidden, 3 if loss == "cross_entropy" else 1), activation, loss),
        X, y, **{"alpha": 0.3, **options},
    )  # fmt: skip


def starts(cost, count=STARTS, seed=2):
    return sb.initialize(cost.network, starts=count, seed=seed)


def search(cost, theta, case="l-bfgs", **options):
    arguments = {"max_iter": 25, **METHODS[case], **options}
    return sb.minimize(cost, theta, method=case.partition(",")[0], **arguments)


@contextmanager
def patched(what, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bursts, what, value)
        yield


def in_python(*arguments, **options):
    """Return the outcome of the Python stepper, on the same evaluation."""
    with patched("_native", lambda objective: None):
        return search(*arguments, **options)


def assert_same(one, other):
    assert one.status == other.status
    for name in (
        "theta", "value", "gradient_norm", "history", "n_iterations", "n_evaluations",
        "best_iteration", "validation", "validation_history",
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def assert_agree(one, other, steps=11, rtol=1e-9):
    np.testing.assert_allclose(one.history[:steps], other.history[:steps], rtol=rtol)


def test_where_a_step_takes_long_the_search_is_looked_at_after_every_trial():
    pace = bursts.Pace()
    assert pace.steps == 0
    pace.took(0.09, np.inf)
    assert pace.steps == 1
    pace.took(0.5, np.inf)
    assert pace.steps == 0
    pace.took(0.02, np.inf)
    assert pace.steps == 5
    pace.took(0.02, 0.0)
    assert pace.steps == 0


def test_the_first_burst_goes_by_an_evaluation_and_the_next_may_be_eight_times_as_long():
    pace = bursts.Pace()
    pace.took(0.001, np.inf, bursts.MOST_STEPS)
    assert pace.steps == 100
    pace.took(0.0001, np.inf)
    assert pace.steps == 800


def test_a_short_search_by_updates_is_one_burst_and_one_by_epochs_is_more():
    cost, looks = make_cost(), dict[str, list[object]](updates=[], epochs=[])
    with patched("SECONDS", np.inf):
        search(cost, starts(cost), "l-bfgs", callback=Watch(looks["updates"].append))
        search(cost, starts(cost), "adam", callback=Watch(looks["epochs"].append))
    assert len(looks["updates"]) == 1 < len(looks["epochs"])


@pytest.mark.parametrize("case", METHODS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_first_ten_steps_are_those_of_the_python_stepper(case, dtype):
    cost = make_cost(dtype=dtype)
    one, other = search(cost, starts(cost), case), in_python(cost, starts(cost), case)
    assert_agree(one, other, rtol=1e-9 if dtype == "float64" else 1e-3)
    np.testing.assert_array_equal(one.n_evaluations[:, None], other.n_evaluations[:, None])
    assert len(one.history) > 10


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_on_every_loss(loss, activation):
    cost = make_cost(loss, (6, 3), activation)
    one, other = search(cost, starts(cost)), in_python(cost, starts(cost))
    assert_agree(one, other)


@pytest.mark.parametrize(
    "loss", ["cross_entropy", "binary_cross_entropy", "squared_error", "poisson"]
)
def test_on_convex_problems_they_meet(loss):
    cost = make_cost(loss, ())
    found = [
        run(cost, 3.0 * starts(cost), max_iter=400, gradient_rtol=1e-10)
        for run in (search, in_python)
    ]
    assert all(one.converged.all() for one in found)
    np.testing.assert_allclose(found[0].value, found[1].value, rtol=1e-12)


def test_elsewhere_the_endings_and_the_medians_are_equal():
    cost = make_cost(hidden=(4,), alpha=0.05)
    one, other = (
        run(cost, starts(cost, 32), max_iter=3000, gradient_rtol=1e-6)
        for run in (search, in_python)
    )
    assert set(one.status) == set(other.status) == {Status.CONVERGED}
    np.testing.assert_allclose(np.median(one.value), np.median(other.value), rtol=0.05)
    np.testing.assert_allclose(
        np.median(one.n_iterations), np.median(other.n_iterations), rtol=0.15
    )


@pytest.mark.parametrize("scale", [1e-140, 1e-80, 1e80, 1e150])
def test_whatever_the_scale_of_J(scale):
    X, y = data()
    network = sb.Network((4, 3, 1), "tanh", "absolute_error")
    cost = sb.NetworkCost(network, X, scale * (1.0 + y), dtype="float64")
    theta = starts(cost)
    assert_agree(search(cost, theta), in_python(cost, theta), rtol=1e-6)


@pytest.mark.parametrize(("dtype", "scale"), [("float32", 1e25), ("float64", 1e160)])
def test_slopes_above_the_range_are_those_of_a_shortened_direction(dtype, scale):
    X, y = data()
    network = sb.Network((4, 1), loss="absolute_error")
    cost = sb.NetworkCost(network, scale * X, scale * (y - 1.0), dtype=dtype)
    one, other = (run(cost, starts(cost), gradient_rtol=0.0) for run in (search, in_python))
    assert one.status == other.status
    assert (other.n_iterations > 1).all()
    assert_agree(one, other, 3, rtol=1e-4)


def test_slopes_below_the_range_too():
    X, _ = data()
    small, network = 1e-16, sb.Network((4, 1), loss="squared_error")
    y = small * np.where(np.arange(M - 1) % 2, 1.0, -1.0)
    cost = sb.NetworkCost(network, 1e-5 * X[1:], y, dtype="float32")
    theta = np.zeros((1, 5))
    one, other = (run(cost, theta, gradient_rtol=0.0, max_iter=3) for run in (search, in_python))
    assert one.status == other.status
    assert one.n_iterations[0] > 0
    np.testing.assert_allclose(one.theta / small, other.theta / small, rtol=1e-4)


@pytest.mark.parametrize("size", [1e3, 1e120, 1e300])
@pytest.mark.parametrize("activation", ["relu", "identity", "tanh"])
def test_starts_far_out_end_in_the_same_way(size, activation):
    cost = make_cost("squared_error", (5,), activation)
    one, other = (run(cost, size * starts(cost)) for run in (search, in_python))
    assert one.status == other.status
    assert_agree(one, other, 4, rtol=1e-6)


def test_steps_to_infinity_are_shortened():
    X, y = data()
    network = sb.Network((4, 1), loss="squared_error")
    cost = sb.NetworkCost(network, 1e21 * X, y, dtype="float32")
    theta = 1e-15 * starts(cost)
    one, other = (run(cost, theta, max_iter=3) for run in (search, in_python))
    assert (other.n_evaluations > other.n_iterations + 2).all()
    assert one.status == other.status
    np.testing.assert_array_equal(one.n_evaluations, other.n_evaluations)
    assert_agree(one, other, 4, rtol=1e-3)


@pytest.mark.parametrize("most", [1, 2, 3, 7])
@pytest.mark.parametrize("case", METHODS)
def test_where_a_burst_ends_changes_no_bit(case, most):
    cost = make_cost(sample_weight=np.random.default_rng(0).random((STARTS, M)))
    other = make_cost(seed=4)
    options = {"validation": other, "patience": 4, "value_patience": 9}
    straight = search(cost, starts(cost), case, **options)
    with patched("MOST_STEPS", most):
        assert_same(search(cost, starts(cost), case, **options), straight)


@pytest.mark.parametrize("case", ["l-bfgs", "sgd, momentum", "adam"])
def test_trial_by_trial_is_the_same_too(case):
    cost = make_cost(alpha=np.array([0.01, 0.1, 1.0, 10.0]))
    seen = []
    straight = search(cost, starts(cost), case)
    assert_same(search(cost, starts(cost), case, callback=lambda _: seen.append(0)), straight)
    assert len(seen) == straight.n_evaluations.max() - 1  # the last tick is looked at by no one


@pytest.mark.parametrize("case", ["l-bfgs", "sgd, adaptive", "adamw"])
@pytest.mark.parametrize("count", [2, 3, 16])
def test_threads_change_no_bit(case, count):
    cost = make_cost()
    straight = search(cost, starts(cost), case)
    with patched("n_threads", lambda: count):
        assert_same(search(cost, starts(cost), case), straight)


@pytest.mark.parametrize("case", ["l-bfgs", "adam"])
def test_a_single_start_shares_its_examples_among_threads(case):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(4000, 30)), rng.integers(0, 4, 4000)
    cost = sb.NetworkCost(sb.Network((30, 40, 4), "tanh", "cross_entropy"), X, y, alpha=1.0)
    options = {"max_iter": 3, **({"batch_size": 1500} if case == "adam" else {})}
    straight = search(cost, starts(cost, 1), case, **options)
    with patched("n_threads", lambda: 3):
        assert_same(search(cost, starts(cost, 1), case, **options), straight)


@pytest.mark.parametrize("case", METHODS)
def test_a_search_that_was_pickled_goes_on(case):
    cost, options = make_cost(), {"validation": make_cost(seed=4), "patience": 20}
    straight = search(cost, starts(cost), case, **options)
    part = search(cost, starts(cost), case, max_iter=6, **options)
    again = pickle.loads(pickle.dumps(part))
    assert_same(sb.minimize(cost, again, max_iter=25), straight)
    assert_same(sb.minimize(cost, part, max_iter=25), straight)


class Interrupted:
    """The core, in whose burst of this number a handler of the program raises, as it returns."""

    def __init__(self, number):
        self.left = number

    def burst(self, *arguments):
        core = native.load()
        assert core is not None
        core.burst(*arguments)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("case", METHODS)
def test_what_a_handler_of_the_program_interrupts_goes_on(case, number):
    cost = make_cost()
    straight = search(cost, starts(cost), case)
    core = Interrupted(number)
    with patched("load", lambda: core):
        part = search(cost, starts(cost), case)
    if core.left == 0:
        made = part.n_iterations.max()
        assert made >= number
        np.testing.assert_array_equal(part.history, straight.history[: made + 1])
        assert_same(sb.minimize(cost, part, max_iter=25), straight)


@pytest.mark.parametrize("case", ["l-bfgs", "sgd, momentum", "adam"])
def test_the_python_stepper_goes_on_from_a_burst(case):
    cost = make_cost()
    straight = search(cost, starts(cost), case)
    part = search(cost, starts(cost), case, max_iter=6)
    with patched("_native", lambda objective: None):
        assert_agree(sb.minimize(cost, part, max_iter=25), straight)
    part = in_python(cost, starts(cost), case, max_iter=6)
    assert_agree(sb.minimize(cost, part, max_iter=25), straight)


@pytest.mark.parametrize("limit", [
    {"target_value": 1.0}, {"value_rtol": 1e-2}, {"value_atol": 1e-2}, {"step_rtol": 3e-2},
    {"max_evaluations": 9}, {"gradient_rtol": 0.2}, {"gradient_atol": 0.05},
    {"value_patience": 2, "patience_tol": 0.02},
    {"patience": 2, "patience_tol": 0.01},
])  # fmt: skip
@pytest.mark.parametrize("case", ["l-bfgs", "sgd, momentum", "adam"])
def test_limits_end_a_start_at_the_same_step(case, limit):
    cost = make_cost()
    options = {"max_iter": 60, **limit}
    if "patience" in limit:
        options["validation"] = make_cost(seed=4, alpha=0.0)
    one, other = (run(cost, starts(cost), case, **options) for run in (search, in_python))
    assert one.status == other.status
    assert set(one.status) != {Status.MAX_ITERATIONS}
    np.testing.assert_array_equal(one.n_iterations, other.n_iterations)
    np.testing.assert_array_equal(one.n_evaluations, other.n_evaluations)
    np.testing.assert_array_equal(one.best_iteration, other.best_iteration)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-8)


@pytest.mark.parametrize("most", [1, 4096])
def test_an_adaptive_rate_ends_a_start_at_the_same_step(most):
    cost = make_cost()
    options = {"learning_rate": np.array([1e-3, 1e-5, 3e-6, 1e-7]), "tol": 0.1, "max_iter": 500}
    with patched("MOST_STEPS", most):
        one = search(cost, starts(cost), "sgd, adaptive", **options)
    other = in_python(cost, starts(cost), "sgd, adaptive", **options)
    assert one.status == other.status == (Status.SMALL_RATE,) * STARTS
    # Two steps at each rate down to the first that is 1e-6 or less.
    assert other.n_iterations.tolist()[1:] == [2 * 3, 2 * 2, 2]
    np.testing.assert_array_equal(one.n_iterations, other.n_iterations)
    np.testing.assert_array_equal(one.n_evaluations, other.n_evaluations)


def test_the_best_validated_point_is_returned():
    cost, other = make_cost(alpha=0.0), make_cost(seed=4, alpha=0.0)
    one, two = (
        run(cost, starts(cost), validation=other, patience=5, max_iter=200)
        for run in (search, in_python)
    )
    assert set(one.status) == {Status.NO_IMPROVEMENT}
    np.testing.assert_array_equal(one.validation, np.nanmin(one.validation_history, axis=0))
    np.testing.assert_array_equal(one.validation, other.value(one.theta))
    assert_agree(one, two)
    np.testing.assert_allclose(one.validation_history[:8], two.validation_history[:8], rtol=1e-9)


def test_a_validation_for_each_start():
    cost, weights = make_cost(), np.random.default_rng(0).random((STARTS, M))
    other = make_cost(seed=4, sample_weight=weights)
    options = {"validation": other, "patience": 3}
    one, two = (run(cost, starts(cost), **options) for run in (search, in_python))
    assert_agree(one, two, 6)
    np.testing.assert_allclose(one.validation, other.value(one.theta), rtol=1e-12)


@pytest.mark.parametrize("case", ["l-bfgs", "adam"])
def test_a_validation_of_another_network_is_refused_by_name(case):
    cost = make_cost()
    with pytest.raises(InvalidInput, match=r"theta must be of shape"):
        search(cost, starts(cost), case, validation=make_cost(hidden=(5,)))


@pytest.mark.parametrize("case", ["l-bfgs", "adam"])
def test_races_are_run_on_equal_numbers_of_evaluations(case):
    cost = make_cost()
    options = {"racing": Racing(first=3), "max_iter": 20}
    one, other = (run(cost, starts(cost, 8), case, **options) for run in (search, in_python))
    assert one.status == other.status
    assert Status.DROPPED in one.status
    np.testing.assert_array_equal(one.n_evaluations, other.n_evaluations)


def test_a_watch_is_called_between_bursts_and_may_stop():
    cost = make_cost()
    seen: list[object] = []
    straight = search(cost, starts(cost), max_iter=200)
    with patched("MOST_STEPS", 8):
        watched = search(cost, starts(cost), max_iter=200, callback=Watch(seen.append))
    assert_same(watched, straight)
    assert 2 <= len(seen) < straight.n_iterations.max()
    stopped = search(cost, starts(cost), max_iter=200, callback=Watch(lambda _: True))
    assert Status.STOPPED in stopped.status
    assert_same(sb.minimize(cost, stopped, max_iter=200), straight)


def test_what_is_returned_is_nobody_elses_memory():
    cost = make_cost()
    theta = starts(cost)
    before = theta.copy()
    one = search(cost, theta, max_iter=5)
    np.testing.assert_array_equal(theta, before)
    kept = one.theta.copy(), one.history.copy()
    sb.minimize(cost, one, max_iter=25)
    np.testing.assert_array_equal(one.theta, kept[0])
    np.testing.assert_array_equal(one.history, kept[1])


def test_a_subclass_that_counts_is_called():
    class Counted(sb.NetworkCost):
        calls = 0

        def __call__(self, theta, **given):
            Counted.calls += 1
            return super().__call__(theta, **given)

    cost = make_cost()
    cost.__class__ = Counted
    found = search(cost, starts(cost, 1), max_iter=5)
    assert Counted.calls >= found.n_evaluations[0]
