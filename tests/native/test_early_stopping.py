"""Early stopping of the estimators in bursts: scores of the Python path, wherever a burst ends."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import symbreak as sb
from symbreak import native
from symbreak.optimize import bursts

pytestmark = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")

M = 90


def data():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(M, 5))
    return X, X @ rng.normal(size=(5, 3)) + rng.normal(size=(M, 3))


def targets(kind):
    raw = data()[1]
    return {
        "binary": raw[:, 0] > 0, "multiclass": np.array(["a", "b", "c"])[raw.argmax(1)],
        "multilabel": (raw > 0).astype(int), "number": raw[:, 0], "numbers": raw[:, :2],
        "counts": np.random.default_rng(0).poisson(np.exp(0.5 * raw[:, 0])),
    }[kind]  # fmt: skip


@contextmanager
def patched(what, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bursts, what, value)
        yield


def fitted(kind, solver="adam", **options):
    y = options.pop("y", targets(kind))
    loss = {"loss": "poisson"} if kind == "counts" else {}
    is_class = kind in ("binary", "multiclass", "multilabel")
    make = sb.MLPClassifier if is_class else sb.MLPRegressor
    weight = options.pop("sample_weight", None)
    net = make(
        (6,), solver=solver, max_iter=60, n_starts=3, random_state=0, early_stopping=True,
        learning_rate_init=0.01, batch_size=16, **loss, **options,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return net.fit(data()[0], y, sample_weight=weight)


KINDS = ("binary", "multiclass", "multilabel", "number", "numbers", "counts")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_scores_are_those_of_the_python_path(kind, solver, monkeypatch):
    asked = []
    looked = bursts._score
    monkeypatch.setattr(bursts, "_score", lambda *a: asked.append(looked(*a)) or asked[-1])
    one = fitted(kind, solver)
    word = "accuracy" if kind in KINDS[:3] else "r2"
    assert {found[0] for found in asked} == {word}
    assert all(found[1] is not None for found in asked)
    with patched("_native", lambda objective: None):
        other = fitted(kind, solver)
    steps = slice(0, 12)
    ours, theirs = (net.outcome_.validation_history[steps] for net in (one, other))
    assert len(ours) == 12
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(
        one.outcome_.history[steps], other.outcome_.history[steps], rtol=1e-8
    )
    if solver == "adam":
        assert one.n_iter_ == other.n_iter_
        np.testing.assert_allclose(one.validation_scores_, other.validation_scores_, rtol=1e-8)
        np.testing.assert_allclose(
            one.outcome_.validation_loss, other.outcome_.validation_loss, rtol=1e-8
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_where_a_burst_ends_changes_no_bit(kind, solver):
    options = {"class_weight": "balanced"} if kind == "multiclass" else {}
    straight = fitted(kind, solver, **options)
    with patched("MOST_STEPS", 1):
        cut = fitted(kind, solver, **options)
    for name in ("theta", "history", "validation_history", "validation", "validation_loss"):
        one, other = (getattr(net.outcome_, name) for net in (straight, cut))
        np.testing.assert_array_equal(one, other, name)
    assert straight.outcome_.status == cut.outcome_.status


@pytest.mark.parametrize("options", [
    {"scoring": "balanced_accuracy"},
    {"sample_weight": np.linspace(0.5, 2.0, M)},
])  # fmt: skip
def test_other_scores_are_computed_in_python(options, monkeypatch):
    asked = []
    looked = bursts._score
    monkeypatch.setattr(bursts, "_score", lambda *a: asked.append(looked(*a)) or asked[-1])
    net = fitted("multiclass", **options)
    assert all(found[1] is None for found in asked)
    assert np.isfinite(net.best_validation_score_)


def test_an_output_that_is_not_finite_has_no_score():
    network = sb.Network((5, 1), loss="squared_error")
    X, y = data()[0], targets("number")
    cost = sb.NetworkCost(network, X, y)

    class Scored:
        native_score = "r2", cost.native_problem

        def __call__(self, theta):
            raise AssertionError

    found = sb.minimize(
        sb.NetworkCost(network, X, y), np.full((1, 6), 1e200), validation=Scored(), max_iter=3,
        method="sgd", learning_rate=1e150, batch_size=10, gradient_rtol=0.0,
    )  # fmt: skip
    assert np.isnan(found.validation_history).all() or found.n_iterations[0] == 0
