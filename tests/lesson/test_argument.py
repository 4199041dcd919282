"""The lesson's numbers, against runs made here and against what must hold of them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from symbreak.errors import InvalidInput, SymmetryWarning
from symbreak.initialization import initialize, rules
from symbreak.lesson import run_lesson, runs
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import minimize
from symbreak.propagation.trace import backpropagate
from symbreak.symmetry.projection import SymmetricCost, one_unit_per_layer, spread

M, FEATURES, CLASSES, HIDDEN = 60, 4, 3, 5
UPDATES = 30
EPSILON = 0.3


def make_data(counts=(30, 20, 10), seed=0):
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(np.arange(len(counts)), counts))
    centres = random.normal(size=(len(counts), FEATURES))
    return centres[y] + 0.7 * random.normal(size=(len(y), FEATURES)), y


X, Y = make_data()
ONE_HOT = np.eye(CLASSES)[Y]
NETWORK = Network((FEATURES, HIDDEN, CLASSES), "sigmoid", "binary_cross_entropy")


@pytest.fixture(scope="module")
def lesson():
    return run_lesson(X, Y, list("abc"), hidden=HIDDEN, epsilon=EPSILON, updates=UPDATES, seed=7)


def start_theta(lesson, number):
    """The start of lesson.starts[number]: zeros, constant, uniform."""
    if number < 2:
        value = (0.0, EPSILON)[number]
        return np.full(NETWORK.n_parameters, value)
    return initialize(NETWORK, rules.Uniform(epsilon=EPSILON), seed=lesson.seed)


def symmetric_starts(lesson):
    return lesson.starts[:2]


def test_says_what_was_run(lesson):
    assert lesson.layers == (FEATURES, HIDDEN, CLASSES)
    assert lesson.n_examples == M
    assert lesson.classes == ("a", "b", "c")
    assert lesson.class_counts == (30, 20, 10)
    assert lesson.most_frequent_share == 0.5
    assert [start.rule for start in lesson.starts] == ["zeros", "constant", "uniform"]
    assert [start.value for start in lesson.starts] == [0.0, EPSILON, EPSILON]
    for start in lesson.starts:
        assert [run.method for run in start.runs] == ["gradient-descent", "l-bfgs"]
        assert [run.exact_symmetry for run in start.runs] == [start.rule != "uniform"] * 2


def test_warns_as_the_library_does_of_symmetric_starts_only(lesson):
    zeros, constant, uniform = lesson.starts
    assert "'zeros'" in zeros.warning
    assert "'constant'" in constant.warning
    assert uniform.warning is None


@pytest.mark.parametrize("number", range(3))
def test_units_side_by_side_are_those_of_back_propagation(lesson, number):
    shown = lesson.starts[number].units_before
    trace = backpropagate(NETWORK, start_theta(lesson, number), X, ONE_HOT)
    assert {Y[row] for row in shown.examples} == set(range(CLASSES))
    rows = list(shown.examples)
    np.testing.assert_allclose(shown.a, trace.a[1][:2, rows], rtol=1e-13)
    np.testing.assert_allclose(shown.delta, trace.delta[0][:2, rows], rtol=1e-13)


@pytest.mark.parametrize("number", range(3))
def test_derivatives_are_those_of_the_named_entries(lesson, number):
    theta = start_theta(lesson, number)
    gradients = dict(
        zip(("Theta1", "Theta2"), backpropagate(NETWORK, theta, X, ONE_HOT).gradients, strict=True)
    )
    start = lesson.starts[number]
    for pair in start.pairs:
        for name, derivative in zip(pair.names, pair.derivatives, strict=True):
            block, place = name.removesuffix("]").split("[")
            i, j = map(int, place.split(","))
            assert derivative == pytest.approx(gradients[block][i, j], rel=1e-12, abs=1e-17)
    largest = max(np.abs(gradient).max() for gradient in gradients.values())
    assert start.largest_derivative == pytest.approx(largest, rel=1e-12)


def test_derivatives_come_in_pairs_of_the_same_place(lesson):
    names = [pair.names for pair in lesson.starts[0].pairs]
    varied = 1 + np.argsort(-X.var(axis=0))[:2]
    into = [(f"Theta1[0, {j}]", f"Theta1[1, {j}]") for j in (0, *varied)]
    assert names == [*into, *((f"Theta2[{k}, 1]", f"Theta2[{k}, 2]") for k in range(2))]


def test_equal_units_have_equal_numbers_and_random_ones_do_not(lesson):
    for start in symmetric_starts(lesson):
        for units in (start.units_before, start.units_after):
            assert units.a[0] == pytest.approx(units.a[1], rel=1e-13)
            assert units.delta[0] == pytest.approx(units.delta[1], rel=1e-12, abs=1e-17)
        for pair in start.pairs:
            assert pair.derivatives[0] == pytest.approx(pair.derivatives[1], rel=1e-12, abs=1e-17)
    uniform = lesson.starts[2]
    assert np.abs(np.subtract(*uniform.units_before.a)).min() > 1e-3
    assert np.abs(np.subtract(*uniform.units_before.delta)).min() > 1e-6
    assert all(abs(np.subtract(*pair.derivatives)) > 1e-6 for pair in uniform.pairs)


def test_zeros_have_no_delta_and_leave_theta1_for_the_first_update(lesson):
    zeros, constant, _ = lesson.starts
    assert np.all(np.equal(zeros.units_before.a, 0.5))
    assert np.all(np.equal(zeros.units_before.delta, 0.0))
    assert np.all(np.not_equal(constant.units_before.delta, 0.0))
    for run in zeros.runs:
        assert run.before.largest_theta1 == 0.0
        assert run.after_one.largest_theta1 == 0.0
        assert run.end.largest_theta1 > 0.0
        assert run.after_one.J < run.before.J
    assert all(run.after_one.largest_theta1 != EPSILON for run in constant.runs)


def test_J_falls_while_the_layer_stays_one_unit(lesson):
    for start in symmetric_starts(lesson):
        for run in start.runs:
            points = (run.before, run.after_one, run.end)
            assert [point.distinct_units for point in points] == [(1,)] * 3
            assert run.end.J < run.before.J
            assert run.averaged_away < 1e-12


def test_random_units_stay_distinct_and_reach_a_lower_J(lesson):
    for number, run in enumerate(lesson.starts[2].runs):
        points = (run.before, run.after_one, run.end)
        assert [point.distinct_units for point in points] == [(HIDDEN,)] * 3
        assert run.averaged_away == 0.0
        assert all(run.end.J < start.runs[number].end.J for start in symmetric_starts(lesson))


@pytest.mark.parametrize("number", [0, 1])
def test_a_random_run_is_the_one_that_minimize_makes(lesson, number):
    run = lesson.starts[2].runs[number]
    cost, theta = NetworkCost(NETWORK, X, ONE_HOT), start_theta(lesson, 2)
    outcome = minimize(cost, theta, method=run.method, max_iter=UPDATES, **run.options)
    assert outcome.value[0] == run.end.J
    assert run.end.updates == outcome.n_iterations[0]
    assert outcome.history[0, 0] == run.before.J
    assert outcome.history[1, 0] == run.after_one.J
    accuracy = (NETWORK.predict(outcome.theta, X).argmax(1) == Y).mean()
    assert run.end.accuracy == accuracy
    assert run.status == outcome.status[0].name


def test_the_first_updates_of_symmetric_runs_are_those_of_the_raw_cost(lesson):
    cost = NetworkCost(NETWORK, X, ONE_HOT)
    for number, start in enumerate(symmetric_starts(lesson)):
        for run in start.runs:
            theta = start_theta(lesson, number)
            with pytest.warns(SymmetryWarning):
                outcome = minimize(cost, theta, method=run.method, max_iter=1, **run.options)
            assert pytest.approx(outcome.value[0], rel=1e-12) == run.after_one.J


def test_logistic_regression_from_zeros_learns(lesson):
    for run in lesson.logistic_regression:
        assert pytest.approx(CLASSES * np.log(2), rel=1e-12) == run.before.J
        assert run.end.J < 0.6 * run.before.J
        assert run.end.accuracy > 0.8
        assert run.end.distinct_units == ()
        assert not run.exact_symmetry


def test_the_raw_runs_say_when_equal_units_part(lesson):
    assert lesson.starts[2].drifts == ()
    for start in symmetric_starts(lesson):
        assert [drift.method for drift in start.drifts] == ["gradient-descent", "l-bfgs"]
        for drift in start.drifts:
            assert (drift.rounding, drift.visible) == (1e-12, 1e-3)
            firsts = (drift.first_unequal, drift.first_above_rounding, drift.first_visible)
            seen = [update for update in firsts if update is not None]
            assert seen == sorted(seen)
            assert all(1 <= update <= drift.end.updates for update in seen)
            assert (drift.first_visible is None) <= (drift.spread <= drift.visible)
            assert (drift.first_unequal is None) <= (drift.end.distinct_units == (1,))


def test_a_drift_is_that_of_the_raw_cost(lesson):
    cost, labels = NetworkCost(NETWORK, X, ONE_HOT), one_unit_per_layer(NETWORK)
    for number, start in enumerate(symmetric_starts(lesson)):
        for run, drift in zip(start.runs, start.drifts, strict=True):
            theta = start_theta(lesson, number)
            with pytest.warns(SymmetryWarning):
                outcome = minimize(cost, theta, method=run.method, max_iter=UPDATES, **run.options)
            assert outcome.value[0] == drift.end.J
            assert drift.spread == float(spread(NETWORK, outcome.theta, labels))


@pytest.fixture
def nearly_symmetric(monkeypatch):
    """An experiment and a start a little off the symmetric set that is taken for symmetric."""
    theta = np.full(NETWORK.n_parameters, EPSILON)
    theta[0] += 1e-6
    monkeypatch.setattr(runs, "identical_units", lambda network, theta: one_unit_per_layer(network))
    cost = NetworkCost(NETWORK, X, ONE_HOT)
    return runs.Experiment(cost, X, ONE_HOT), theta


def test_a_run_in_exact_symmetry_stays_there_whatever_would_lead_out(nearly_symmetric):
    experiment, theta = nearly_symmetric
    run, end = experiment.run(theta, "l-bfgs", 200, exact=True)
    objective = SymmetricCost(experiment.cost, one_unit_per_layer(NETWORK))
    assert minimize(objective, theta, max_iter=200).value[0] == pytest.approx(run.end.J, rel=1e-12)
    assert run.before.distinct_units == run.end.distinct_units == (1,)
    assert spread(NETWORK, end, one_unit_per_layer(NETWORK)) == 0
    assert run.averaged_away < 1e-12
    raw, _ = experiment.run(theta, "l-bfgs", 200, exact=False)
    assert raw.end.J < 0.5 * run.end.J


def test_a_drift_is_dated_by_the_updates(nearly_symmetric):
    experiment, theta = nearly_symmetric
    cost, drift = experiment.cost, experiment.drift(theta, "l-bfgs", 200)
    assert drift.first_above_rounding == 0
    assert drift.first_visible is not None
    assert drift.first_visible > 1
    before = minimize(lambda theta: cost(theta), theta, max_iter=drift.first_visible - 1).theta
    at = minimize(lambda theta: cost(theta), theta, max_iter=drift.first_visible).theta
    labels = one_unit_per_layer(NETWORK)
    assert spread(NETWORK, before, labels) <= drift.visible < spread(NETWORK, at, labels)


def test_balanced_classes_are_stationary_and_said_to_be_so():
    # Two sigmoid outputs that say 0.5 are right on average, and every unit says 0.5.
    X, y = make_data((25, 25))
    zeros = run_lesson(X, y, ["no", "yes"], hidden=4, updates=5).starts[0]
    assert zeros.largest_derivative < 1e-15
    for run, drift in zip(zeros.runs, zeros.drifts, strict=True):
        assert run.is_stationary
        assert run.status == "STATIONARY_START"
        assert run.before == run.after_one == run.end
        assert run.end.updates == 0
        assert drift.end.updates == 0


def test_several_hidden_layers_are_one_unit_each():
    zeros, constant, uniform = run_lesson(X, Y, "abc", hidden=(4, 3), updates=10).starts
    for start in (zeros, constant):
        assert all(run.end.distinct_units == (1, 1) for run in start.runs)
    assert all(run.end.distinct_units == (4, 3) for run in uniform.runs)


def test_the_same_seed_gives_the_same_lesson_and_another_seed_another_random_start():
    first, again = (run_lesson(X, Y, "abc", hidden=3, updates=3, seed=1) for _ in range(2))
    other = run_lesson(X, Y, "abc", hidden=3, updates=3, seed=2)
    assert first == again
    assert first.starts[:2] == other.starts[:2]
    assert first.starts[2].units_before != other.starts[2].units_before


def test_is_plain_data_that_json_keeps(lesson):
    plain = json.loads(json.dumps(lesson.to_dict(), allow_nan=False))
    assert plain["starts"][0]["runs"][1]["end"]["J"] == lesson.starts[0].runs[1].end.J
    assert plain["starts"][2]["pairs"][0]["names"] == list(lesson.starts[2].pairs[0].names)
    with pytest.raises(dataclasses.FrozenInstanceError):
        lesson.seed = 1


def test_takes_torch_and_float32_and_computes_in_float64(torch, lesson):
    theirs = run_lesson(
        torch.from_numpy(X), torch.from_numpy(Y), "abc", hidden=HIDDEN, epsilon=EPSILON,
        updates=UPDATES, seed=7,
    )  # fmt: skip
    assert theirs == lesson
    small = run_lesson(X.astype(np.float32), Y, "abc", hidden=HIDDEN, updates=2)
    assert small.starts[0].runs[0].averaged_away < 1e-12


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": 1}, "at least 2 units"),
        ({"hidden": (5, 1)}, "at least 2 units"),
        ({"hidden": ()}, "at least 2 units"),
        ({"hidden": 2.5}, "positive integers"),
        ({"epsilon": 0.0}, "epsilon of Uniform"),
        ({"epsilon": float("nan")}, "epsilon of Uniform"),
        ({"updates": 0}, "updates of the lesson must be 1 or more. Got 0"),
        ({"updates": "many"}, "updates of the lesson must be 1 or more"),
        ({"seed": -1}, "seed of initialize"),
    ],
)
def test_refuses_what_cannot_be_run(change, words):
    with pytest.raises(InvalidInput, match=words):
        run_lesson(X, Y, "abc", **{"updates": 2, **change})
