"""Network and penalty chosen by cross-validation, for tables as for the estimators."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

import symbreak as sb
from symbreak.tables.table import Table
from symbreak.training import fold_fits
from symbreak.training.choosing import choose
from symbreak.training.data_split import DataSplit
from symbreak.training.fold_fits import FoldFits, OutOfTime, outcomes_of
from symbreak.training.settings import Settings
from symbreak.training.table_choice import LEAST_ROWS, choose_for, folds_of
from symbreak.training.table_training import train_split

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 3))
LINEAR = X @ [1.0, -2.0, 0.5]
QUICK = {"activation": "tanh", "starts": 2}


def table_of(y, **columns):
    named = {f"x{place}": column for place, column in enumerate(X[: len(y)].T)}
    return Table.of(pl.DataFrame({**named, "y": y, **columns}), "made.csv")


def whole(y, **settings):
    """Return all rows as training rows."""
    columns = settings.pop("columns", {})
    return DataSplit.of(table_of(y, **columns), "y", separate_test=True, **settings)


def test_a_linear_truth_takes_no_hidden_layer():
    noisy = LINEAR + 0.3 * RANDOM.normal(size=80)
    choice = choose_for(whole(noisy), Settings())
    assert choice is not None
    assert choice.best.hidden_layer_sizes == ()
    assert len(choice.networks) == choice.n_networks == 4


def test_a_truth_that_is_not_linear_takes_hidden_layers():
    wave = np.sin(3 * X[:, 0])
    choice = choose_for(whole(wave), Settings(hidden=None, activation="tanh"))
    assert choice is not None
    assert choice.best.hidden_layer_sizes


def test_the_grid_goes_on_where_its_edge_is_the_best():
    exact = choose_for(whole(LINEAR), Settings(hidden=()))
    assert exact is not None
    assert exact.best.alpha < 0.1
    noise = RANDOM.normal(size=80)
    nothing = choose_for(whole(noise), Settings(hidden=()))
    assert nothing is not None
    assert nothing.best.alpha >= 100.0


@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_the_same_seed_scores_as_the_estimators_do(kind):
    y = LINEAR + X[:, 0] ** 2
    hidden = [(), (4,)]
    # Of longer searches of layers rounding makes others.
    same = {"n_starts": 1, "alphas": [0.1, 1.0], "random_state": 3, "max_iter": 30}
    if kind == "classes":
        y = np.digitize(y, [-0.5, 1.0]).astype(str)
        net = sb.MLPClassifierCV(hidden, "tanh", **same).fit(X, y)
    else:
        net = sb.MLPRegressorCV(hidden, "tanh", **same).fit(X, y)
    scores = np.array([
        found.best.scores
        for layers in hidden
        for alpha in (0.1, 1.0)
        if (
            found := choose_for(
                whole(y),
                Settings(hidden=layers, activation="tanh", alpha=alpha, seed=3, max_iter=30),
            )
        )
    ])  # fmt: skip
    wanted = np.array([net.cv_results_[f"split{fold}_test_score"] for fold in range(5)]).T
    np.testing.assert_allclose(scores, wanted, rtol=1e-6)


def test_the_same_seed_takes_what_the_estimator_takes():
    y = X[:, 0] * X[:, 1] + 0.1 * RANDOM.normal(size=80)
    choice = choose_for(whole(y), Settings(activation="tanh", seed=1))
    net = sb.MLPRegressorCV(activation="tanh", n_starts=1, random_state=1).fit(X, y)
    assert choice is not None
    assert choice.best.network == (net.hidden_layer_sizes_, net.activation_)
    assert math.isclose(choice.best.alpha, net.alpha_)


def test_what_is_given_is_not_chosen():
    choice = choose_for(whole(LINEAR), Settings(hidden=(2,), activation="relu", alpha=3.0))
    assert choice is not None
    assert [(one.network, one.alpha) for one in choice.candidates] == [(((2,), "relu"), 3.0)]
    assert not Settings(hidden=(2,), activation="relu", alpha=3.0).chooses
    assert not Settings(hidden=(), alpha=3.0).chooses
    assert Settings(hidden=(2,), alpha=3.0).chooses
    assert not Settings(search=False).chooses


def test_a_weight_of_two_scores_as_a_row_that_is_there_twice():
    y = LINEAR + X[:, 0] ** 2
    twice = np.arange(80) % 3 == 0
    patient = np.arange(80) // 4
    weighed = whole(
        y, columns={"w": 1.0 + twice, "g": patient}, weight="w", group="g",
    )  # fmt: skip
    rows = np.concatenate([np.arange(80), np.flatnonzero(twice)])
    frame = table_of(y, g=patient).frame[rows.tolist()]
    repeated = DataSplit.of(Table.of(frame, "r.csv"), "y", separate_test=True, group="g")
    settings = Settings(hidden=(), alpha=0.5)
    one, other = (choose_for(split, settings) for split in (weighed, repeated))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.best.scores, other.best.scores, rtol=1e-4)
    plain = choose_for(whole(y, columns={"g": patient}, group="g"), settings)
    assert plain is not None
    assert np.abs(plain.best.scores / one.best.scores - 1.0).max() > 1e-2


def test_rows_that_weigh_nothing_make_no_fold():
    patient = np.arange(80) // 16
    weighed = whole(
        LINEAR, columns={"w": np.where(patient == 2, 0.0, 1.0), "g": patient}, weight="w", group="g"
    )
    folds = folds_of(weighed, 0)
    assert len(folds) == 4
    assert all(2 not in patient[test] for _, test in folds)


def test_no_group_trains_and_scores():
    patient = RANDOM.integers(0, 12, 80)
    split = whole(LINEAR, columns={"g": patient}, group="g")
    assert "g" not in split.preparation.feature_names
    folds = folds_of(split, 0)
    assert len(folds) == 5
    for train, test in folds:
        assert not set(patient[train]) & set(patient[test])


def test_in_time_the_past_is_trained_on_and_the_future_scored():
    day = RANDOM.permutation(80) // 3
    split = whole(LINEAR, columns={"day": day}, time="day")
    risen = day[split.rows[0]]
    assert (np.diff(risen) >= 0).all()
    for train, test in folds_of(split, 0):
        assert risen[train].max() < risen[test].min()


def test_too_few_rows_choose_nothing():
    few = whole(LINEAR[: LEAST_ROWS - 1])
    assert choose_for(few, Settings()) is None
    training = train_split(few, Settings(starts=2, max_iter=5))
    assert training.choice is None
    assert training.network.layers == (3, 25, 1)
    assert choose_for(whole([f"c{row}" for row in range(12)]), Settings()) is None


def test_no_time_chooses_nothing():
    assert choose_for(whole(LINEAR), Settings(budget=0.0)) is None


class Timed(FoldFits):
    """Fits whose time ends at the fourth call."""

    n_parameters = 5
    calls = 0

    def scores(self, alphas):
        Timed.calls += 1
        if Timed.calls > 3:
            raise OutOfTime
        return np.array([[-abs(math.log10(alpha))] * 2 for alpha in alphas])


def test_what_had_scores_when_the_time_was_spent_is_chosen_from():
    Timed.calls = 0
    networks = [(), (20,), (20, 20)]
    choice = choose(lambda layers, activation: Timed([], {}), networks, ["tanh", "silu"], None)
    assert choice is not None
    assert choice.is_cut
    assert (choice.networks, choice.n_networks) == ([((), "tanh"), ((20,), "tanh")], 4)
    assert len(choice.candidates) == 6 + 4
    assert choice.best.alpha == 1.0
    assert choice.as_dict()["cut_by_budget"]


def test_penalties_that_the_memory_does_not_hold_at_once_train_in_turn(monkeypatch):
    network = sb.Network((3, 4, 1), "tanh", "squared_error")
    cost = sb.NetworkCost(network, X, LINEAR)
    theta = sb.initialize(network, starts=2, seed=0)
    arguments, stacks = {"method": "bfgs", "max_iter": 5}, []

    def outcomes():
        return [one.theta for one in outcomes_of(cost, theta, [0.1, 1.0, 10.0], arguments)]

    def counted(cost, theta, **options):
        stacks.append(len(theta))
        return sb.minimize(cost, theta, **options)

    wanted = outcomes()
    monkeypatch.setattr(fold_fits, "minimize", counted)
    n = network.n_parameters
    monkeypatch.setattr(fold_fits, "_MEMORY", 4 * n * (16 + n) * 8)
    for one, other in zip(outcomes(), wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert stacks == [4, 2]
