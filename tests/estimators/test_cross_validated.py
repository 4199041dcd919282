"""Estimators that choose hidden layers and penalty by cross-validation."""

from __future__ import annotations

import pickle
import signal

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    load_wine,
    make_friedman1,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, TimeSeriesSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.estimators.cross_validated import architectures, folds_of
from symbreak.estimators.early_stopping import Examples
from symbreak.training.fold_fits import outcomes_of

QUICK = {"activation": "tanh", "n_starts": 2, "screening_starts": 2, "random_state": 0}
TWO = [(), (4,)]


def numbers(n=60, noise=0.1, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    return X, 5.0 + 3.0 * (np.sin(2 * X[:, 0]) + X[:, 1] + noise * random.normal(size=n))


def iris():
    X, y = load_iris(return_X_y=True)
    return X[::2], y[::2]


def test_scores_are_those_of_the_plain_estimator_on_the_folds():
    X, y = numbers()
    folds = list(KFold(3, shuffle=True, random_state=1).split(X))
    net = sb.MLPRegressorCV((4,), alphas=[0.1, 10.0], cv=folds, **QUICK).fit(X, y)
    wanted = np.empty((2, 3))
    for fold, (train, test) in enumerate(folds):
        for place, alpha in enumerate([0.1, 10.0]):
            plain = sb.MLPRegressor(
                (4,), "tanh", solver="lbfgs", alpha=alpha, init="glorot_uniform", n_starts=2,
                standardize="robust", max_iter=300, random_state=0,
            ).fit(X[train], y[train])  # fmt: skip
            wanted[place, fold] = -0.5 * np.mean((plain.predict(X[test]) - y[test]) ** 2) / y.var()
    np.testing.assert_allclose(net.scores_path_, wanted, rtol=1e-6)
    assert net.alphas_.tolist() == [0.1, 10.0]
    assert net.n_splits_ == 3


def test_what_is_chosen_is_trained_on_all_rows_as_the_plain_estimator_does():
    X, y = iris()
    net = sb.MLPClassifierCV(TWO, **QUICK).fit(X, y)
    plain = sb.MLPClassifier(
        net.hidden_layer_sizes_, "tanh", solver="lbfgs", alpha=net.alpha_, init="glorot_uniform",
        n_starts=2, standardize="robust", max_iter=1000, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert np.array_equal(net.predict_proba(X), plain.predict_proba(X))
    assert np.array_equal(net.coefs_[0], plain.coefs_[0])


def test_the_scores_of_classes_are_minus_the_log_loss():
    X, y = iris()
    folds = list(KFold(3, shuffle=True, random_state=1).split(X))
    same = sb.MLPClassifierCV(TWO, alphas=[1.0], cv=folds, **QUICK).fit(X, y)
    scored = clone(same).set_params(scoring="neg_log_loss").fit(X, y)
    np.testing.assert_allclose(same.scores_path_, scored.scores_path_, rtol=1e-9)


def test_scorers_of_scikit_learn_and_functions_choose_too():
    X, y = iris()
    net = sb.MLPClassifierCV(TWO, alphas=[1.0], cv=3, scoring="accuracy", **QUICK).fit(X, y)
    assert (net.scores_path_ <= 1.0).all()
    assert net.best_score_ > 0.8
    calls = []

    def smallest(estimator, X, y):
        calls.append(estimator.predict(X).shape == y.shape)
        return -len(estimator.coefs_)

    assert clone(net).set_params(scoring=smallest).fit(X, y).hidden_layer_sizes_ == ()
    assert len(calls) == 6
    assert all(calls)


def test_a_linear_truth_takes_no_hidden_layer_and_predicts_as_ridge_regression():
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 5))
    y = X @ [1.0, -2.0, 0.5, 0.0, 3.0] + random.normal(size=400)
    net = sb.MLPRegressorCV([(), (10,)], "tanh", n_starts=4, random_state=0).fit(X[:200], y[:200])
    assert net.hidden_layer_sizes_ == ()
    ridge = RidgeCV(np.logspace(-3, 3, 20)).fit(X[:200], y[:200])
    miss, of_ridge = (np.mean((one.predict(X[200:]) - y[200:]) ** 2) for one in (net, ridge))
    assert miss < 1.02 * of_ridge


def test_a_logistic_truth_takes_no_hidden_layer():
    random = np.random.default_rng(1)
    X = random.normal(size=(300, 4))
    y = random.random(300) < 1.0 / (1.0 + np.exp(-X @ [2.0, -1.0, 0.0, 1.0]))
    net = sb.MLPClassifierCV([(), (10,)], "tanh", n_starts=4, random_state=0).fit(X, y)
    assert net.hidden_layer_sizes_ == ()
    plain = LogisticRegression(C=1.0 / net.alpha_, tol=1e-8)
    plain.fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_allclose(net.coefs_[0].ravel(), plain.coef_[0], atol=1e-3)


def test_the_noise_of_a_curved_truth_is_what_remains():
    X, y = numbers(300, noise=0.2)
    net = sb.MLPRegressorCV([(), (10,)], "tanh", n_starts=4, random_state=0).fit(X, y)
    assert net.hidden_layer_sizes_ == (10,)
    X, y = numbers(1000, noise=0.0, seed=1)
    rmse = np.sqrt(np.mean((net.predict(X) - y) ** 2))
    assert rmse < 0.6  # the deviation of the noise in the training rows


def test_the_grid_of_penalties_grows_where_an_edge_wins():
    X, _ = numbers()
    exact = sb.MLPRegressorCV((), **QUICK).fit(X, X @ [1.0, -2.0, 3.0])
    assert exact.alphas_[0] < 0.02  # the grid begins at 0.1
    assert exact.alpha_ < 0.02
    noise = np.random.default_rng(5).normal(size=60)
    assert sb.MLPRegressorCV((), **QUICK).fit(X, noise).alphas_[-1] > 100.0


def test_all_candidates_stand_in_cv_results():
    X, y = numbers()
    net = sb.MLPRegressorCV(TWO, alphas=[1.0, 0.1], cv=3, **QUICK).fit(X, y)
    table = net.cv_results_
    assert [(one["hidden_layer_sizes"], one["alpha"]) for one in table["params"]] == [
        ((), 0.1), ((), 1.0), ((4,), 0.1), ((4,), 1.0),
    ]  # fmt: skip
    splits = np.array([table[f"split{fold}_test_score"] for fold in range(3)])
    np.testing.assert_array_equal(table["mean_test_score"], splits.mean(axis=0))
    np.testing.assert_array_equal(table["std_test_score"], splits.std(axis=0))
    assert sorted(table["rank_test_score"]) == [1, 2, 3, 4]
    assert net.best_score_ == table["mean_test_score"][net.best_index_]
    assert table["params"][net.best_index_] == {
        "hidden_layer_sizes": net.hidden_layer_sizes_, "activation": "tanh", "alpha": net.alpha_,
    }  # fmt: skip


def test_groups_stay_together():
    """A coin was flipped for each of 20 patients, whose 6 rows are all but equal."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 6)
    X = random.normal(size=(20, 4))[groups] + 0.01 * random.normal(size=(120, 4))
    y = random.permutation(np.arange(20) % 2)[groups]
    net = sb.MLPClassifierCV((10,), alphas=[0.01], **QUICK)
    assert net.fit(X, y).best_score_ > -0.1
    assert net.fit(X, y, groups=groups).best_score_ < -0.5
    for train, test in folds_of(net, Examples(X, y, None), groups, 0):
        assert not set(groups[train]) & set(groups[test])
    for train, test in folds_of(sb.MLPRegressorCV(), Examples(X, y, None), groups, 0):
        assert not set(groups[train]) & set(groups[test])


def test_few_groups_make_as_many_folds():
    examples = Examples(np.zeros((30, 1)), np.arange(30) % 2, None)
    for kind in (sb.MLPClassifierCV, sb.MLPRegressorCV):
        assert len(folds_of(kind(), examples, np.repeat([1, 2, 3], 10), 0)) == 3


def test_folds_have_the_classes_in_equal_shares():
    y = np.repeat([0, 1], [40, 10])
    for _, test in folds_of(sb.MLPClassifierCV(), Examples(np.zeros((50, 1)), y, None), None, 0):
        assert np.bincount(y[test]).tolist() == [8, 2]


def test_rows_in_order_of_time_are_scored_by_the_past_alone():
    X, y = numbers(40)
    splitter = TimeSeriesSplit(3)
    net = sb.MLPRegressorCV((), alphas=[1.0], cv=splitter, **QUICK).fit(X, y)
    changed = y.copy()
    _, last = list(splitter.split(X))[-1]
    changed[last] += 1000.0 * np.random.default_rng(0).normal(size=len(last))
    other = clone(net).fit(X, changed)
    scale = y.var() / changed.var()
    np.testing.assert_allclose(other.scores_path_[0, :2], scale * net.scores_path_[0, :2])
    assert net.n_splits_ == 3


def test_groups_are_routed():
    X, y = numbers(40)
    groups = np.arange(40) // 4
    with sklearn.config_context(enable_metadata_routing=True):
        net = sb.MLPRegressorCV((), alphas=[1.0], cv=2, **QUICK).set_fit_request(groups=True)
        found = cross_validate(net, X, y, cv=2, params={"groups": groups}, return_estimator=True)
    inner = list(folds_of(net, Examples(X[20:], y[20:], None), groups[20:], 0))
    assert not set(groups[20:][inner[0][0]]) & set(groups[20:][inner[0][1]])
    assert len(found["estimator"]) == 2


def test_weights_count_in_training_and_scores():
    X, y = numbers(40)
    folds = list(KFold(2).split(X))
    net = sb.MLPRegressorCV((3,), alphas=[1.0], cv=folds, **QUICK)
    weight = 1.0 + np.arange(40) % 3
    rows = np.repeat(np.arange(40), weight.astype(int))
    doubled = [[np.flatnonzero(np.isin(rows, part)) for part in fold] for fold in folds]
    weighted = clone(net).fit(X, y, weight)
    repeated = clone(net).set_params(cv=doubled).fit(X[rows], y[rows])
    np.testing.assert_allclose(weighted.scores_path_, repeated.scores_path_, rtol=1e-6)


def test_a_fold_that_weighs_nothing_is_left_out():
    X, y = numbers(40)
    net = sb.MLPRegressorCV((), alphas=[1.0], cv=KFold(4), **QUICK)
    assert net.fit(X, y, np.repeat([0.0, 1.0], [10, 30])).n_splits_ == 3


def test_rows_that_all_weigh_nothing_are_refused():
    X, y = numbers(40)
    examples = Examples(X, y, np.zeros(40))
    with pytest.raises(InvalidInput, match="cv must give at least one fold"):
        folds_of(sb.MLPRegressorCV(), examples, None, 0)


def test_class_weights_move_the_choice():
    X, y = iris()
    plain = sb.MLPClassifierCV((), alphas=[1.0], cv=3, **QUICK).fit(X, y)
    weighted = clone(plain).set_params(class_weight={0: 1.0, 1: 20.0, 2: 1.0}).fit(X, y)
    assert not np.allclose(plain.scores_path_, weighted.scores_path_)


@pytest.mark.parametrize("case", ["several outputs", "poisson", "labels", "one class", "float32"])
def test_targets_of_every_kind(case):
    X, y = numbers(40)
    settings = {"alphas": [1.0], "cv": 2, **QUICK}
    if case == "several outputs":
        y = np.column_stack([y, 1000.0 * X[:, 0]])
        net = sb.MLPRegressorCV(TWO, **settings).fit(X, y)
        assert net.predict(X).shape == (40, 2)
        assert net.best_score_ > -1.0
    elif case == "poisson":
        counts = np.floor(np.exp(X[:, 0]))
        net = sb.MLPRegressorCV(TWO, loss="poisson", **settings).fit(X, counts)
        assert (net.predict(X) > 0.0).all()
    elif case == "labels":
        labels = (X > 0.0).astype(int)
        net = sb.MLPClassifierCV(TWO, **settings).fit(X, labels)
        assert net.predict(X).shape == labels.shape
        assert net.score(X, labels) > 0.5
    elif case == "one class":
        net = sb.MLPClassifierCV(TWO, **settings).fit(X, np.full(40, "a"))
        assert set(net.predict(X)) == {"a"}
    else:
        net = sb.MLPRegressorCV(TWO, **settings).fit(X.astype(np.float32), y)
        assert net.coefs_[0].dtype == np.float32


def test_the_record_the_report_and_files(tmp_path):
    X, y = iris()
    net = sb.MLPClassifierCV(TWO, alphas=[0.1, 1.0], cv=3, **QUICK).fit(X, y)
    assert net.training_.predict(X).shape == (75, 3)
    page = sb.report(net, tmp_path / "page.html").data
    assert page["search"]["of_candidates"] == 4
    assert [one["taken"] for one in page["search"]["candidates"]].count(True) == 1
    net.save(tmp_path / "net.safetensors")
    for again in (
        sb.MLPClassifierCV.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net)),
    ):  # fmt: skip
        assert np.array_equal(again.predict_proba(X), net.predict_proba(X))
        assert (again.alpha_, again.hidden_layer_sizes_) == (net.alpha_, net.hidden_layer_sizes_)
        assert again.cv_results_["params"] == net.cv_results_["params"]
        assert np.array_equal(again.scores_path_, net.scores_path_)
    assert net.check_gradient_(X, y).verdict == "pass"


def test_the_linear_model_transforms_to_what_goes_into_its_last_layer():
    X, y = iris()
    net = sb.MLPClassifierCV((), alphas=[1.0], cv=2, **QUICK).fit(X, y)
    np.testing.assert_allclose(net.transform(X), (X - X.mean(0)) / X.std(0))
    assert net.get_feature_names_out().shape == (4,)
    with pytest.raises(InvalidInput, match="layer of transform"):
        net.transform(X, layer=1)


def test_ctrl_c_while_choosing_leaves_an_earlier_fit_as_it_was(monkeypatch):
    X, y = iris()
    net = sb.MLPClassifierCV((), alphas=[1.0], cv=2, **QUICK).fit(X, y)
    before, kept = net.predict_proba(X), net.alpha_

    def pressed(cost, theta, alphas, arguments, until):
        press = {"callback": lambda _: signal.raise_signal(signal.SIGINT)}
        return outcomes_of(cost, theta, alphas, {**arguments, **press}, until)

    monkeypatch.setattr("symbreak.training.fold_fits.outcomes_of", pressed)
    with pytest.raises(KeyboardInterrupt, match="nothing was trained"):
        net.set_params(alphas=[10.0]).fit(X, y)
    assert net.alpha_ == kept
    assert np.array_equal(net.predict_proba(X), before)


def test_ctrl_c_in_the_last_training_keeps_the_best_so_far(monkeypatch):
    X, y = iris()
    net = sb.MLPClassifierCV((4,), alphas=[1.0], cv=2, **QUICK)

    def press(progress):
        if progress.iteration >= 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(type(net), "callback", staticmethod(press))
    with pytest.warns(sb.InterruptedWarning, match="the best point so far was kept"):
        net.fit(X, y)
    assert net.outcome_.is_interrupted
    assert net.alpha_ == 1.0


def test_verbose_tells_what_was_compared(capsys):
    X, y = iris()
    sb.MLPClassifierCV(TWO, alphas=[0.1, 1.0], cv=2, verbose=True, **QUICK).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("no hidden layer: 2 penalties, best ")
    assert lines[1].startswith("4 tanh: 2 penalties, best ")
    assert lines[2].startswith("Iteration 1, loss = ")


def test_the_best_hidden_layers_are_tried_with_another_activation():
    X, y = numbers()
    net = sb.MLPRegressorCV([(), (2,), (6,)], alphas=[0.1], **{**QUICK, "activation": "auto"})
    table = net.fit(X, y).cv_results_
    assert table["param_activation"] == ["tanh", "tanh", "tanh", "silu"]
    best = 1 + np.argmax(table["mean_test_score"][1:3])
    assert table["param_hidden_layer_sizes"][3] == table["param_hidden_layer_sizes"][best]
    assert net.activation_ == table["param_activation"][net.best_index_]
    assert net.training_.network.activations[0].name == net.activation_
    linear = clone(net).set_params(hidden_layer_sizes=()).fit(X, y)
    assert linear.cv_results_["param_activation"] == ["tanh"]


def test_hidden_layers_are_one_architecture_or_a_list_of_such():
    assert architectures("auto")[0] == ()
    assert architectures((10, 5)) == ((10, 5),)
    assert architectures(7) == ((7,),)
    assert architectures(()) == ((),)
    assert architectures([(), 7, (10, 5), (7,)]) == ((), (7,), (10, 5))


@pytest.mark.parametrize("alphas", [[], [-1.0], [np.nan]])
def test_penalties_that_are_none_are_refused(alphas):
    with pytest.raises(InvalidInput, match="alphas must be 'auto' or numbers from 0 on"):
        sb.MLPRegressorCV((), alphas=alphas, **QUICK).fit(*numbers())


def test_scores_that_are_not_finite_choose_nothing():
    net = sb.MLPRegressorCV((), alphas=[1.0], scoring=lambda *_: np.nan, **QUICK)
    with pytest.raises(InvalidInput, match="must have a finite score on every fold"):
        net.fit(*numbers())


def test_they_are_fed_no_parts():
    assert not hasattr(sb.MLPClassifierCV(), "partial_fit")
    assert not hasattr(sb.MLPRegressorCV(), "partial_fit")


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_they_are_not_worse_than_linear_models_beyond_the_noise(load):
    X, y = load(return_X_y=True)
    is_numbers = load is load_diabetes
    rows = np.random.default_rng(0).permutation(len(y))
    train, test = rows[: len(y) // 2], rows[len(y) // 2 :]
    net = (sb.MLPRegressorCV if is_numbers else sb.MLPClassifierCV)(random_state=0)
    linear = RidgeCV(np.logspace(-3, 3, 20)) if is_numbers else LogisticRegression(C=1.0)
    losses = []
    for model in (net, make_pipeline(StandardScaler(), linear)):
        model.fit(X[train], y[train])
        if is_numbers:
            losses.append((model.predict(X[test]) - y[test]) ** 2)
        else:
            losses.append(-np.log(model.predict_proba(X[test])[np.arange(len(test)), y[test]]))
    behind = losses[0] - losses[1]
    assert behind.mean() <= 2.0 * behind.std() / np.sqrt(len(test))


@pytest.mark.slow
def test_heavy_tails_of_a_column_do_not_hide_it():
    random = np.random.default_rng(0)
    Z = random.normal(size=(1400, 2))
    X, y = np.exp(1.5 * Z), np.sin(Z[:, 0]) + 0.5 * Z[:, 1]
    net = sb.MLPRegressorCV(random_state=0).fit(X[:400], y[:400])
    assert net.score(X[400:], y[400:]) > 0.95


@pytest.mark.slow
def test_friedmans_first_problem_is_found():
    X, y = make_friedman1(500, noise=1.0, random_state=0)
    net = sb.MLPRegressorCV(random_state=0).fit(X, y)
    X, y = make_friedman1(2000, noise=0.0, random_state=1)
    assert np.sqrt(np.mean((net.predict(X) - y) ** 2)) < 0.8
