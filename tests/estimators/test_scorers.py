"""Scores of probabilities on rows that lack a class of the training, or have one of their own."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, get_scorer_names

import symbreak as sb
from symbreak.estimators.scorers import scorer_of
from tests.fitting import quiet

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
THREE = np.array(["a", "b", "c"])[np.argmax(X + 0.5 * RNG.normal(size=X.shape), axis=1)]
TWO = (X[:, 0] > 0).astype(int)
NETS = {
    "three": (quiet(sb.MLPClassifier((3,), solver="lbfgs", random_state=0), X, THREE), THREE),
    "two": (quiet(sb.MLPClassifier((3,), solver="lbfgs", max_iter=5), X, TWO), TWO),
    "one": (quiet(sb.MLPClassifier((3,), solver="lbfgs"), X, np.ones(120)), np.ones(120)),
}  # fmt: skip


def of_rows(kind, rows):
    net, y = NETS[kind]
    return net, X[rows], y[rows]


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("three", THREE != "c"), ("three", THREE == "b"), ("two", TWO == 1), ("one", TWO == 1)],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_log_loss_is_that_of_the_labels_at_hand(kind, rows, weighted):
    net, X, y = of_rows(kind, rows)
    weight = np.arange(len(y)) + 1.0 if weighted else None
    p = net.predict_proba(X)[np.arange(len(y)), np.searchsorted(net.classes_, y)]
    wanted = np.average(np.log(p), weights=weight)
    assert scorer_of("neg_log_loss")(net, X, y, weight) == pytest.approx(
        wanted, rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(("kind", "rows"), [("three", THREE != "c"), ("two", TWO == 1)])
def test_the_brier_score_is_that_of_the_labels_at_hand(kind, rows):
    net, X, y = of_rows(kind, rows)
    share = 0.5 if kind == "two" else 1.0  # scikit-learn halves it for two classes
    squares = ((net.predict_proba(X) - (y[:, None] == net.classes_)) ** 2).sum(1)
    assert scorer_of("neg_brier_score")(net, X, y) == pytest.approx(-share * squares.mean())


WORDS = [
    "neg_log_loss", "neg_brier_score", "d2_log_loss_score", "d2_brier_score", "roc_auc_ovr",
    "roc_auc_ovr_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted", "top_k_accuracy",
]  # fmt: skip


@pytest.mark.parametrize("word", sorted({*WORDS} & {*get_scorer_names()}))
def test_where_nothing_is_lacking_it_is_scikit_learns(word):
    for net, y in (NETS["three"], NETS["two"]):
        if word == "top_k_accuracy" and len(net.classes_) == 2:
            continue
        assert scorer_of(word)(net, X, y) == get_scorer(word)(net, X, y)


@pytest.mark.parametrize("word", sorted({*WORDS} & {*get_scorer_names()}))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_no_word_raises_where_a_class_is_lacking(word):
    net, rows, y = of_rows("three", THREE != "c")
    assert isinstance(scorer_of(word)(net, rows, y), float)


def test_every_word_that_takes_the_labels_and_probabilities_is_known():
    """By the metrics of scikit-learn that is installed."""
    for word in get_scorer_names():
        if "proba" in str(getattr(get_scorer(word), "_response_method", "")) and word not in WORDS:
            assert word in {"roc_auc", "average_precision"}  # of two classes, and undefined for one


def test_a_label_that_was_never_seen_has_the_probability_zero():
    known = SimpleNamespace(
        classes_=np.array([0, 1]), predict_proba=lambda X: np.tile([0.25, 0.75], (len(X), 1))
    )
    y = np.array([0, 1, 7])
    eps = np.finfo(np.float64).eps
    wanted = (math.log(0.25) + math.log(0.75) + math.log(eps)) / 3
    assert scorer_of("neg_log_loss")(known, X[:3], y) == pytest.approx(wanted)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_validation_part_without_a_class_stops_early(solver):
    held = np.flatnonzero(THREE != "c")[:40]
    net = sb.MLPClassifier((3,), solver=solver, scoring="neg_log_loss", random_state=0)
    quiet(net, X, THREE, X_val=X[held], y_val=THREE[held])
    p = net.predict_proba(X[held])[np.arange(40), np.searchsorted(net.classes_, THREE[held])]
    assert net.best_validation_score_ == pytest.approx(np.log(p).mean(), rel=1e-9)


def test_folds_without_a_class_are_scored():
    y = np.where(np.arange(120) == 0, "rare", THREE)
    net = sb.MLPClassifierCV((2,), alphas=[0.1, 1.0], cv=3, scoring="neg_log_loss", n_starts=1)
    with pytest.warns(UserWarning, match="least populated class"):
        quiet(net, X, y)
    assert np.isfinite(net.scores_path_).all()


def test_an_area_under_no_curve_gives_way_to_the_loss():
    held = np.flatnonzero(THREE != "c")[:40]
    net = sb.MLPClassifier((3,), solver="lbfgs", scoring="roc_auc_ovr", random_state=0)
    with pytest.warns(UndefinedMetricWarning):
        quiet(net, X, THREE, X_val=X[held], y_val=THREE[held])
    assert net.outcome_.best_iteration[0] > 0
