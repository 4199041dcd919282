"""Ctrl-C in a fit: one by itself keeps the best so far and says so, one of many ends them all."""

from __future__ import annotations

import signal
import subprocess
import sys
import types
import warnings
from dataclasses import replace

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
    permutation_test_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import symbreak as sb
from symbreak import native
from symbreak.objectives import NetworkCost
from symbreak.optimize import bursts, epochs
from tests.fitting import quiet

X, Y = load_iris(return_X_y=True)


class Press:
    """Ctrl-C at an iteration, as a signal or as what it raises, or twice."""

    def __init__(self, at=3, times=1, *, is_signal=True):
        self.at, self.times, self.is_signal = at, times, is_signal

    def __call__(self, progress):
        if progress.iteration < self.at:
            return
        if not self.is_signal:
            raise KeyboardInterrupt
        for _ in range(self.times):
            signal.raise_signal(signal.SIGINT)


def net(press=None, **changes):
    settings = {"solver": "lbfgs", "random_state": 0, "callback": press or Press()}
    return sb.MLPClassifier((4,), **{**settings, **changes})


@pytest.fixture(autouse=True)
def handler():
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("is_signal", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"solver": "adam"},
        {"solver": "sgd", "learning_rate": "adaptive"},
        {"solver": "newton-cg"},
        {"solver": "scipy:BFGS"},
        {"solver": "scipy:COBYLA"},
        {"early_stopping": True},
        {"n_starts": 3, "combine": "average"},
        {"warm_start": True},
        {"verbose": True},
    ],
    ids=str,
)
def test_a_fit_that_is_cut_says_so_and_keeps_the_best_so_far(changes, is_signal):
    one = net(Press(is_signal=is_signal), **changes)
    with pytest.warns(sb.InterruptedWarning, match=r"after [34] iterations; the best") as caught:
        assert one.fit(X, Y) is one
    assert [warning.filename for warning in caught] == [__file__]
    assert one.outcome_.is_interrupted
    assert one.loss_ <= min(one.outcome_.history[0])
    assert one.predict(X).shape == Y.shape


def test_every_cut_fit_of_a_line_says_so():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            net().fit(X, Y)
    assert [warning.category for warning in caught] == [sb.InterruptedWarning] * 2


def test_the_regressor_and_wrappers_of_one_fit_say_so():
    for one in (
        sb.MLPRegressor((4,), solver="lbfgs", random_state=0, callback=Press()),
        make_pipeline(StandardScaler(), net()),
    ):
        with pytest.warns(sb.InterruptedWarning, match="best point so far was kept"):
            one.fit(X, Y)
        assert one.predict(X).shape == Y.shape
    with pytest.warns(sb.InterruptedWarning, match="best point so far was kept"):
        assert net().fit_transform(X, Y).shape == (150, 4)


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "scipy:BFGS"])
def test_the_second_press_is_raised_and_leaves_the_earlier_fit(solver):
    one = quiet(net(solver=solver, callback=None, max_iter=5), X, Y)
    before, one.callback = one.coefs_[0].copy(), Press(times=2)
    with pytest.raises(KeyboardInterrupt):
        one.fit(X, Y)
    np.testing.assert_array_equal(one.coefs_[0], before)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_fit_that_never_began_replaces_no_earlier_one(solver, warm_start):
    one = quiet(net(solver=solver, callback=None, max_iter=5, warm_start=warm_start), X, Y)
    before, one.alpha, one.callback = one.coefs_[0].copy(), 0.5, Press(at=0, is_signal=False)
    with pytest.raises(KeyboardInterrupt, match="before its first iteration"):
        one.fit(X, Y)
    np.testing.assert_array_equal(one.coefs_[0], before)


def test_a_press_in_the_last_iteration_is_said_and_cuts_nothing():
    whole = quiet(net(callback=None, max_iter=4), X, Y)
    with pytest.warns(sb.InterruptedWarning, match="had ended by itself, after 4 iterations"):
        one = quiet(net(Press(at=3), max_iter=4), X, Y)
    np.testing.assert_array_equal(one.coefs_[0], whole.coefs_[0])


class Own(ClassifierMixin, BaseEstimator):
    """A meta-estimator of nobody's package."""

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimators_ = [clone(self.estimator).fit(X, y) for _ in range(3)]
        return self


GRID = {"alpha": [0.1, 1.0]}
MANY = {
    "grid": lambda one: GridSearchCV(one, GRID, cv=2).fit(X, Y),
    "random": lambda one: RandomizedSearchCV(one, GRID, n_iter=2, cv=2).fit(X, Y),
    "pipeline in a grid": lambda one: GridSearchCV(
        make_pipeline(StandardScaler(), one), {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2
    ).fit(X, Y),
    "cross-validation": lambda one: cross_val_score(one, X, Y, cv=2),
    "permutations": lambda one: permutation_test_score(one, X, Y, cv=2, n_permutations=2),
    "bagging": lambda one: BaggingClassifier(one, 2).fit(X, Y),
    "votes": lambda one: VotingClassifier([("a", one), ("b", clone(one))]).fit(X, Y),
    "one against the rest": lambda one: OneVsRestClassifier(one).fit(X, Y),
    "nobody's": lambda one: Own(one).fit(X, Y),
    "stacked": lambda one: sb.StackedSearchCV(one, GRID, cv=2).fit(X, Y),
}


@pytest.mark.parametrize("is_signal", [True, False])
@pytest.mark.parametrize("name", MANY)
def test_a_cut_fit_ends_what_it_is_one_of(name, is_signal):
    pressed = []

    class Counted(Press):
        def __call__(self, progress):
            pressed.extend([0] * (progress.iteration >= self.at))
            super().__call__(progress)

        def __deepcopy__(self, memo):
            return self

    one = net(Counted(is_signal=is_signal))
    with warnings.catch_warnings():
        # As an error of the fit: a search would note it for one candidate, and go on.
        warnings.simplefilter("error")
        with pytest.raises(KeyboardInterrupt):
            MANY[name](one)
    assert len(pressed) == 1


def test_the_warning_of_one_of_many_says_what_ends():
    with (
        pytest.warns(sb.InterruptedWarning, match="after 4 iterations; the search or ensemble"),
        pytest.raises(KeyboardInterrupt, match="after 4 iterations; the search or ensemble"),
    ):
        GridSearchCV(net(), GRID, cv=2).fit(X, Y)


def test_a_study_of_another_package_ends():
    study = types.ModuleType("optuna.study")
    exec(
        "def optimize(objective, n_trials):\n    return [objective() for _ in range(n_trials)]",
        vars(study),
    )
    with pytest.warns(sb.InterruptedWarning), pytest.raises(KeyboardInterrupt):
        study.optimize(lambda: net().fit(X, Y).loss_, 3)
    with pytest.warns(sb.InterruptedWarning):
        net().fit(X, Y)  # the same fit by itself goes on
    assert "optuna" not in sys.modules


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.filterwarnings("ignore::symbreak.InterruptedWarning")
def test_a_cut_fit_in_a_worker_ends_the_search(backend):
    press = Press(is_signal=backend == "loky")
    with parallel_config(backend, n_jobs=2), pytest.raises(KeyboardInterrupt):
        GridSearchCV(net(press), GRID, cv=2, n_jobs=2).fit(X, Y)


def test_a_press_in_partial_fit_is_raised_after_the_epoch(monkeypatch):
    parts = [slice(0, None, 2), slice(1, None, 2)] * 2
    whole, cut = (net(solver="adam", callback=None) for _ in range(2))
    for rows in parts:
        whole.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    evaluate, calls = NetworkCost.__call__, []

    def pressed(self, *given, **options):
        calls.append(0)
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
        return evaluate(self, *given, **options)

    cut.partial_fit(X[parts[0]], Y[parts[0]], classes=[0, 1, 2])
    monkeypatch.setattr(NetworkCost, "__call__", pressed)
    with pytest.raises(KeyboardInterrupt, match="epoch was made to its end"):
        cut.partial_fit(X[parts[1]], Y[parts[1]])
    for rows in parts[2:]:
        cut.partial_fit(X[rows], Y[rows])
    np.testing.assert_array_equal(cut.coefs_[0], whole.coefs_[0])
    assert cut.t_ == whole.t_


def two_after_an_epoch():
    """Return two estimators that have learnt the same."""
    nets = [net(solver="adam", callback=None) for _ in range(2)]
    for one in nets:
        one.partial_fit(X, Y, classes=[0, 1, 2])
    return nets


def assert_next_epoch_is_equal(one, other):
    for either in (one, other):
        either.partial_fit(X, Y)
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    assert one.t_ == other.t_


@pytest.mark.parametrize("call", [1, 2])
def test_partial_fit_that_breaks_off_has_learnt_nothing(monkeypatch, call):
    """In the evaluation before the updates of the epoch, and in the one after them."""
    monkeypatch.setattr(epochs, "problems_of", lambda *_: None)  # Python makes both
    whole, cut = two_after_an_epoch()
    evaluate, calls = NetworkCost.__call__, []

    def pressed(self, *given, **options):
        calls.append(0)
        if len(calls) == call:
            raise KeyboardInterrupt
        return evaluate(self, *given, **options)

    with monkeypatch.context() as now:
        now.setattr(NetworkCost, "__call__", pressed)
        with pytest.raises(KeyboardInterrupt):
            cut.partial_fit(X, Y)
    assert_next_epoch_is_equal(cut, whole)


@pytest.mark.skipif(native.load() is None, reason="needs the compiled core")
def test_partial_fit_that_breaks_off_in_the_core_has_learnt_nothing(monkeypatch):
    whole, cut = two_after_an_epoch()

    def pressed(*given, **named):
        return replace(bursts.burst(*given, **named), is_interrupted=True)

    with monkeypatch.context() as now:
        now.setattr(epochs, "burst", pressed)
        with pytest.raises(KeyboardInterrupt):
            cut.partial_fit(X, Y)
    assert_next_epoch_is_equal(cut, whole)


INTERRUPTED_SEARCH = """
import signal, numpy as np, symbreak as sb
from symbreak.objectives import NetworkCost

evaluate, calls = NetworkCost.evaluate, []

def pressed(self, *given, **named):
    calls.append(None)
    if len(calls) == 2:
        signal.raise_signal(signal.SIGINT)
    return evaluate(self, *given, **named)

NetworkCost.evaluate = pressed
X = np.random.default_rng(0).normal(size=(3000, 20))
y = np.where(X[:, 0] * X[:, 1] > 0.0, "a", "b")
net = sb.MLPClassifier((100,), solver="lbfgs", max_iter=10_000, random_state=0)
try:
    sb.StackedSearchCV(net, {"alpha": [1.0, 0.1, 0.01]}).fit(X, y)
except KeyboardInterrupt as error:
    print("ended:", error)
"""


def test_a_search_without_a_best_leaves_a_process_that_can_end():
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_SEARCH], capture_output=True, text=True, check=False
    )
    assert "ended: The search was interrupted before" in ran.stdout, ran.stderr
    assert (ran.returncode, ran.stderr) == (0, "")
