"""The search gives what scikit-learn's give, one fit at a time and several on threads."""

from __future__ import annotations

import importlib
import signal
import threading
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize.interrupt import DeferredInterrupt

training: Any = importlib.import_module("symbreak.estimators.training")
GRID = {"alpha": [1e-3, 1.0, 100.0]}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))[:90]
    return X[order], y[order]


def classifier(**changes):
    settings = {"solver": "lbfgs", "max_iter": 8, "random_state": 3, "activation": "tanh"}
    return sb.MLPClassifier((4,), **{**settings, **changes})


def same_results(found, wanted):
    assert sorted(found.cv_results_) == sorted(wanted.cv_results_)
    for key, values in wanted.cv_results_.items():
        if key == "params":
            assert found.cv_results_[key] == values
        elif "time" not in key and "param_" not in key:
            np.testing.assert_array_equal(found.cv_results_[key], values, err_msg=key)
    assert found.best_params_ == wanted.best_params_


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_results_are_those_of_single_fits(iris, n_jobs):
    settings = {
        "cv": 3,
        "scoring": ["accuracy", "neg_log_loss"],
        "refit": "neg_log_loss",
        "return_train_score": True,
    }
    estimator = classifier(n_starts=3)
    found = sb.StackedSearchCV(estimator, GRID, n_jobs=n_jobs, **settings).fit(*iris)
    same_results(found, GridSearchCV(estimator, GRID, **settings).fit(*iris))
    assert found.best_score_ == found.cv_results_["mean_test_neg_log_loss"][found.best_index_]
    assert (found.cv_results_["mean_fit_time"] > 0).all()
    assert found.predict(iris[0]).shape == (90,)


def test_weights_of_a_fit_are_those_it_has_alone(iris):
    """The key promise: a result is that of clone(...).set_params(...).fit(fold)."""
    coefs: dict[Any, Any] = {}

    def keep(estimator, X, y):
        coefs[estimator.alpha, len(coefs) % 3] = estimator.coefs_[0]
        return 0.0

    for kind in (sb.StackedSearchCV, GridSearchCV):
        kept, coefs = coefs, {}
        kind(classifier(n_starts=2), GRID, cv=3, scoring=keep, refit=False).fit(*iris)
    assert len(kept) == len(coefs) == 9
    for key, wanted in coefs.items():
        np.testing.assert_array_equal(kept[key], wanted)


def test_candidates_drawn_from_distributions(iris):
    settings = {"n_iter": 4, "random_state": 1, "cv": 2}
    chances = {"alpha": loguniform(1e-3, 10.0)}
    found = sb.StackedSearchCV(classifier(), param_distributions=chances, **settings).fit(*iris)
    same_results(found, RandomizedSearchCV(classifier(), chances, **settings).fit(*iris))


def test_a_pipeline_is_fitted_inside_each_fold(iris):
    pipeline = make_pipeline(StandardScaler(), classifier())
    grid = {"mlpclassifier__alpha": [0.1, 1.0], "standardscaler__with_mean": [True, False]}
    found = sb.StackedSearchCV(pipeline, grid, cv=3).fit(*iris)
    same_results(found, GridSearchCV(pipeline, grid, cv=3).fit(*iris))


def test_sample_weight_is_split_with_the_folds(iris):
    weight = np.random.default_rng(1).uniform(0.1, 3.0, size=90)
    found, wanted = (
        kind(classifier(), GRID, cv=3).fit(*iris, sample_weight=weight)
        for kind in (sb.StackedSearchCV, GridSearchCV)
    )
    same_results(found, wanted)


@pytest.mark.parametrize(
    "changes", [{"solver": "adam"}, {"solver": "sgd"}, {"early_stopping": True}]
)
def test_other_solvers_and_early_stopping(iris, changes):
    grid = {"alpha": [0.1, 1.0], "learning_rate_init": [0.01, 0.1]}
    estimator = classifier(max_iter=4, **changes)
    found = sb.StackedSearchCV(estimator, grid, cv=2).fit(*iris)
    same_results(found, GridSearchCV(estimator, grid, cv=2).fit(*iris))


def test_regression_with_a_callable_refit(iris):
    X, y = iris[0][:, :3], iris[0][:, 3]
    settings = {"cv": 2, "refit": lambda results: 1}
    estimator = sb.MLPRegressor((4,), solver="lbfgs", max_iter=8, random_state=0)
    found = sb.StackedSearchCV(estimator, GRID, **settings).fit(X, y)
    assert found.best_index_ == 1
    same_results(found, GridSearchCV(estimator, GRID, **settings).fit(X, y))


def test_a_candidate_that_fails_gets_the_error_score(iris):
    grid = {"alpha": [0.1, -1.0]}
    with (
        pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        found = sb.StackedSearchCV(classifier(), grid, cv=2).fit(*iris)
    assert np.isnan(found.cv_results_["mean_test_score"]).tolist() == [False, True]
    assert found.best_params_ == {"alpha": 0.1}
    with pytest.raises(ValueError, match="alpha"):
        sb.StackedSearchCV(classifier(), grid, cv=2, error_score="raise").fit(*iris)


def test_memory_budget_has_no_effect_and_says_so(iris):
    wanted = sb.StackedSearchCV(classifier(), GRID, cv=2).fit(*iris)
    with pytest.warns(DeprecationWarning, match="memory_budget of StackedSearchCV is deprecated"):
        found = sb.StackedSearchCV(classifier(), GRID, cv=2, memory_budget=1).fit(*iris)
    same_results(found, wanted)


@pytest.mark.parametrize("given", [{"n_jobs": 2}, {}], ids=["n_jobs", "joblib"])
def test_jobs_are_threads_of_this_process(iris, given):
    """Two fits meet where they are scored; the processes of another backend could not."""
    both = threading.Barrier(2)

    def meet(estimator, X, y):
        both.wait(60)
        return estimator.score(X, y)

    settings = {"cv": 2, "refit": False}
    with parallel_config(backend="loky", n_jobs=None if given else 2):
        found = sb.StackedSearchCV(classifier(), GRID, scoring=meet, **given, **settings)
        found.fit(*iris)
    wanted = GridSearchCV(classifier(), GRID, **settings).fit(*iris)
    np.testing.assert_array_equal(
        found.cv_results_["mean_test_score"], wanted.cv_results_["mean_test_score"]
    )


def interrupted_in(fit, monkeypatch, press=lambda: signal.raise_signal(signal.SIGINT)):
    """Press Ctrl-C in this fit, the first being 1."""
    began = []
    alone = training.minimize

    def pressed(*given, **options):
        began.append(1)
        if len(began) == fit:
            options["callback"] = lambda progress: progress.iteration == 2 and press()
        return alone(*given, **options)

    monkeypatch.setattr(training, "minimize", pressed)


def test_ctrl_c_keeps_the_fits_that_were_trained(iris, monkeypatch):
    interrupted_in(3, monkeypatch)
    grid = {"hidden_layer_sizes": [(3,), (4,), (5,)]}
    with (
        pytest.warns(FitFailedWarning, match="interrupted before this fit was trained"),
        pytest.warns(UserWarning, match="non-finite"),
        pytest.warns(sb.InterruptedWarning, match="1 of 3 candidates scored on every fold"),
    ):
        found = sb.StackedSearchCV(classifier(), grid, cv=2).fit(*iris)
    monkeypatch.undo()
    score = found.cv_results_["mean_test_score"]
    assert np.isnan(score).tolist() == [False, True, True]
    wanted = sb.StackedSearchCV(classifier(), grid, cv=2).fit(*iris)
    assert score[0] == wanted.cv_results_["mean_test_score"][0]
    assert found.best_params_ == {"hidden_layer_sizes": (3,)}
    assert found.predict(iris[0]).shape == (90,)


@pytest.mark.parametrize(("fit", "error_score"), [(1, np.nan), (3, "raise")])
def test_ctrl_c_with_nothing_to_keep_is_raised(iris, monkeypatch, fit, error_score):
    interrupted_in(fit, monkeypatch)
    grid = {"hidden_layer_sizes": [(3,), (4,)]}
    search = sb.StackedSearchCV(classifier(), grid, cv=2, error_score=error_score)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*iris)


@pytest.mark.parametrize("refit", [True, False])
def test_ctrl_c_before_any_candidate_is_scored_whole_has_no_best(iris, monkeypatch, refit):
    """One fold of the first candidate is trained."""
    interrupted_in(2, monkeypatch)
    search = sb.StackedSearchCV(classifier(), GRID, cv=2, refit=refit)
    with (
        pytest.warns(FitFailedWarning, match="5 fits failed"),
        pytest.warns(UserWarning, match="non-finite"),
        pytest.raises(KeyboardInterrupt, match="before any candidate had a score on every fold"),
    ):
        search.fit(*iris)
    assert not hasattr(search, "best_params_")
    assert not hasattr(search, "best_estimator_")
    assert np.isfinite(search.cv_results_["split0_test_score"]).tolist() == [True, False, False]


@pytest.mark.parametrize("scoring", ["accuracy", ["accuracy", "neg_log_loss"]])
def test_fits_that_ctrl_c_left_out_have_no_score_whatever_error_score_is(
    iris, monkeypatch, scoring
):
    interrupted_in(4, monkeypatch)
    search = sb.StackedSearchCV(
        classifier(), GRID, cv=2, error_score=9.0, return_train_score=True, scoring=scoring,
        refit="accuracy",
    )  # fmt: skip
    with (
        pytest.warns(FitFailedWarning, match="3 fits failed"),
        pytest.warns(UserWarning, match="non-finite"),
        pytest.warns(sb.InterruptedWarning, match="1 of 3 candidates scored on every fold"),
    ):
        search.fit(*iris)
    name = "score" if scoring == "accuracy" else "accuracy"
    for key in (f"mean_test_{name}", f"mean_train_{name}"):
        assert np.isnan(search.cv_results_[key]).tolist() == [False, True, True]
    assert search.best_params_ == {"alpha": GRID["alpha"][0]}


@pytest.mark.parametrize("refit", [True, False])
def test_a_search_without_a_finite_score_has_no_best(iris, refit):
    search = sb.StackedSearchCV(
        classifier(), GRID, cv=2, scoring=lambda *given: float("nan"), refit=refit
    )
    with (
        pytest.warns(UserWarning, match="non-finite"),
        pytest.raises(InvalidInput, match=r"finite score on every fold .* Got none of 3"),
    ):
        search.fit(*iris)
    assert not hasattr(search, "best_params_")
    assert np.isnan(search.cv_results_["mean_test_score"]).all()


def test_a_search_in_which_every_candidate_fails_on_a_fold_says_why(iris):
    X = iris[0].copy()
    X[0, 0] = np.nan
    with (
        pytest.warns(FitFailedWarning),
        pytest.warns(UserWarning, match="Scoring failed"),
        pytest.warns(UserWarning, match="non-finite"),
        pytest.raises(InvalidInput, match=r"Got none of 3; ValueError: Input X contains NaN"),
    ):
        sb.StackedSearchCV(classifier(), GRID, cv=2).fit(X, iris[1])


def test_ctrl_c_in_the_last_fit_is_raised_and_the_scores_are_kept(iris, monkeypatch):
    search = sb.StackedSearchCV(classifier(), GRID, cv=2)
    interrupted_in(7, monkeypatch)
    with pytest.warns(sb.InterruptedWarning, match="ends too"), pytest.raises(KeyboardInterrupt):
        search.fit(*iris)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_second_ctrl_c_is_raised_at_once(iris, monkeypatch):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    interrupted_in(3, monkeypatch, twice)
    search = sb.StackedSearchCV(classifier(), GRID, cv=2)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*iris)
    assert not hasattr(search, "cv_results_")


def main_thread_pressed():
    """Press Ctrl-C as a terminal does, and return when the main thread has noted it."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    with DeferredInterrupt() as interrupt:
        while not interrupt.is_requested:
            threading.Event().wait(0.001)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")
def test_ctrl_c_cuts_the_fits_on_threads(iris, monkeypatch):
    """A fit of the last candidate presses, after those of the first are trained."""
    alone, first, presses = training.minimize, threading.Semaphore(0), threading.Lock()

    def press(progress):
        if progress.iteration == 2 and presses.acquire(blocking=False):
            assert first.acquire(timeout=60)
            assert first.acquire(timeout=60)
            main_thread_pressed()

    def pressed(cost, theta, **options):
        is_last = cost.alpha == GRID["alpha"][-1]
        outcome = alone(cost, theta, **{**options, "callback": press if is_last else None})
        if cost.alpha == GRID["alpha"][0]:
            first.release()
        return outcome

    monkeypatch.setattr(training, "minimize", pressed)
    search = sb.StackedSearchCV(classifier(), GRID, cv=2, n_jobs=2, refit=False)
    with (
        pytest.warns(FitFailedWarning, match="interrupted before this fit was trained"),
        pytest.warns(UserWarning, match="non-finite"),
        pytest.warns(sb.InterruptedWarning, match="[12] of 3 candidates scored on every fold"),
    ):
        search.fit(*iris)
    score = search.cv_results_["mean_test_score"]
    assert np.isfinite(score[0])
    assert np.isnan(score[-1])


def test_progress_says_how_many_fits_are_done(iris, capsys):
    sb.StackedSearchCV(classifier(), GRID, cv=2, progress=True).fit(*iris)
    assert capsys.readouterr().err.endswith("] 6 of 6 fits\n")


def test_other_estimators_and_no_candidates_are_refused(iris):
    with pytest.raises(InvalidType, match=r"must be sb.MLPClassifier or .* Got LogisticRegression"):
        sb.StackedSearchCV(LogisticRegression(), {"C": [1.0]}).fit(*iris)
    with pytest.raises(InvalidInput, match="Got neither"):
        sb.StackedSearchCV(classifier()).fit(*iris)
    with pytest.raises(InvalidInput, match="Got both"):
        sb.StackedSearchCV(classifier(), GRID, param_distributions=GRID).fit(*iris)
