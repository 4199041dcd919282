"""Threads that have joined a lock take turns; others take no notice of it."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import symbreak as sb
from symbreak.native import load, n_threads
from symbreak.native import threads as native_threads
from symbreak.native.threads import share
from symbreak.native.turns import join, let_go, turn
from symbreak.optimize import bursts
from symbreak.optimize.loop import Loop

needs_core = pytest.mark.skipif(load() is None, reason="needs the compiled core")
SOON = 30.0  # seconds that nothing here takes, for a test that would hang otherwise


@pytest.fixture
def lock():
    return threading.Lock()


@pytest.fixture
def threads(lock):
    with ThreadPoolExecutor(2, initializer=join, initargs=(lock,)) as pool:
        yield pool


def run(pool, *tasks):
    return [future.result(SOON) for future in [pool.submit(task) for task in tasks]]


def test_one_thread_has_the_turn_at_a_time(threads, lock):
    def task():
        with turn():
            return lock.locked()

    assert run(threads, task, task) == [True, True]
    assert not lock.locked()


def test_others_have_theirs_while_it_is_let_go(threads):
    met = threading.Barrier(2, timeout=SOON)

    def task():
        with turn(), let_go():
            met.wait()

    run(threads, task, task)


def test_a_turn_within_a_turn_is_the_same(threads, lock):
    def task():
        with turn(), turn():
            return lock.locked()

    assert run(threads, task) == [True]


def test_an_error_gives_the_turn_back(threads, lock):
    def task():
        with turn(), let_go():
            raise ValueError("in the core")

    with pytest.raises(ValueError, match="in the core"):
        run(threads, task)
    assert not lock.locked()


def test_threads_that_joined_none_go_on(lock):
    with turn(), let_go(), turn():
        assert not lock.locked()


@pytest.mark.parametrize("solver", [pytest.param("lbfgs", marks=needs_core), "conjugate-gradient"])
def test_fits_of_a_search_compute_side_by_side(solver, monkeypatch):
    """The first two meet where they compute: in the core, or in Python without a twin there."""
    met = threading.Barrier(2, timeout=SOON)
    first = iter([met.wait] * 2)

    def meeting(compute):
        def computed(*arguments):
            next(first, int)()
            return compute(*arguments)

        return computed

    if solver == "lbfgs":
        core = load()
        assert core is not None
        monkeypatch.setattr(bursts, "load", lambda: SimpleNamespace(burst=meeting(core.burst)))
    else:
        monkeypatch.setattr(Loop, "_tick", meeting(Loop._tick))
    X = np.random.default_rng(0).standard_normal((20, 3))
    model = sb.MLPRegressor((4,), solver=solver, max_iter=3, random_state=0)
    search = sb.StackedSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X, X[:, 0])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_callers_share_the_threads_of_the_core(monkeypatch):
    monkeypatch.setattr(native_threads, "_of_process", lambda: 5)

    def shared(callers):
        share(callers)
        return n_threads()

    with ThreadPoolExecutor(1) as pool:
        assert run(pool, *(partial(shared, callers) for callers in (1, 2, 8))) == [5, 2, 1]
    assert n_threads() == 5
