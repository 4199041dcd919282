"""Threads that have joined a lock take turns; others take no notice of it."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

import symbreak as sb
from symbreak.estimators.training import TrainingMixin
from symbreak.native import load, n_threads
from symbreak.native import threads as native_threads
from symbreak.native.threads import share
from symbreak.native.turns import _mine, join, let_go, turn
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


def test_threads_that_joined_none_go_on(threads, lock):
    lock.acquire()
    try:
        with turn(), let_go(), turn():
            pass
    finally:
        lock.release()


def search_of(X, **settings):
    model = sb.MLPRegressor((4,), max_iter=3, random_state=0, **settings)
    search = sb.StackedSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2, n_jobs=2, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X, X[:, 0])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.fixture
def X():
    return np.random.default_rng(0).standard_normal((20, 3))


@needs_core
def test_a_fit_of_a_search_has_its_turn_and_its_share(X, monkeypatch):
    monkeypatch.setattr(native_threads, "_of_process", lambda: 8)
    core, seen = load(), []
    assert core is not None

    def burst(*arguments):
        seen.append((_mine.lock is not None, _mine.has_turn, n_threads()))
        return core.burst(*arguments)

    monkeypatch.setattr(bursts, "load", lambda: SimpleNamespace(burst=burst))
    held: list[bool] = []
    monkeypatch.setattr(TrainingMixin, "_set_fitted", spied(TrainingMixin._set_fitted, held))
    search_of(X, solver="lbfgs")
    assert {one[:2] for one in seen} == {(True, False)}
    assert seen[-1][2] == 4
    assert held == [True] * 4


def spied(method, held):
    def called(*arguments, **options):
        held.append(_mine.has_turn)
        return method(*arguments, **options)

    return called


@pytest.mark.parametrize(
    "solver",
    [pytest.param("lbfgs", marks=needs_core), "conjugate-gradient", "scipy:L-BFGS-B", "callback"],
)
def test_fits_of_a_search_compute_side_by_side(X, solver, monkeypatch):
    """The first two meet where they compute: in the core, or elsewhere; or in what they call."""
    met = threading.Barrier(2, timeout=SOON)
    first = iter([met.wait] * 2)

    def meeting(compute):
        def computed(*arguments, **options):
            next(first, int)()
            return compute(*arguments, **options)

        return computed

    settings = {"solver": solver}
    if solver == "lbfgs":
        core = load()
        assert core is not None
        monkeypatch.setattr(bursts, "load", lambda: SimpleNamespace(burst=meeting(core.burst)))
    elif solver == "callback":
        settings = {"solver": "lbfgs", "callback": meeting(lambda progress: False)}
    elif solver.startswith("scipy:"):
        monkeypatch.setattr(scipy.optimize, "minimize", meeting(scipy.optimize.minimize))
    else:
        monkeypatch.setattr(Loop, "_tick", meeting(Loop._tick))
    search_of(X, **settings)
    assert not met.broken


def test_callers_share_the_threads_of_the_core(monkeypatch):
    monkeypatch.setattr(native_threads, "_of_process", lambda: 5)

    def shared(callers):
        share(callers)
        return n_threads()

    with ThreadPoolExecutor(1) as pool:
        assert run(pool, *(partial(shared, callers) for callers in (1, 2, 8))) == [5, 2, 1]
    assert n_threads() == 5
