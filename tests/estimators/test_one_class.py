"""A y of one class: the table of probabilities has the columns of `classes_`, which is one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import KFold, cross_val_predict

import symbreak as sb
from tests.fitting import quiet

X = np.random.default_rng(0).normal(size=(60, 3))
ESTIMATORS = [
    sb.MLPClassifier((3,), solver="lbfgs", random_state=0),
    sb.MLPClassifier((3,), solver="adam", n_starts=2, random_state=0),
    sb.MLPClassifierCV((2,), alphas=[0.1, 1.0], cv=2, n_starts=2, random_state=0),
]


@pytest.mark.parametrize("net", ESTIMATORS, ids=str)
@pytest.mark.parametrize("label", [1, 7.0, "only"])
def test_the_only_class_is_certain(net, label):
    quiet(net, X, np.full(60, label))
    assert net.classes_.tolist() == [label]
    np.testing.assert_array_equal(net.predict_proba(X), np.ones((60, 1)))
    np.testing.assert_array_equal(net.predict_log_proba(X), np.zeros((60, 1)))
    assert set(net.predict(X)) == {label}


@pytest.mark.parametrize("net", ESTIMATORS, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_folds_of_one_class_are_predicted(net, method):
    y = np.repeat([0, 1], 30)  # in halves: each fold is trained on one class
    with pytest.warns(RuntimeWarning, match="Number of classes in training fold"):
        found = cross_val_predict(net, X, y, cv=KFold(2), method=method)
    known = found if method == "predict_proba" else np.exp(found)
    np.testing.assert_array_equal(known, np.column_stack([y == 0, y == 1])[::-1])


def test_epochs_of_one_class_of_two_know_both():
    net = sb.MLPClassifier((3,), random_state=0).partial_fit(X, np.ones(60), classes=[0, 1])
    assert net.predict_proba(X).shape == (60, 2)
    alone = sb.MLPClassifier((3,), random_state=0).partial_fit(X, np.ones(60), classes=[1])
    np.testing.assert_array_equal(alone.predict_proba(X), np.ones((60, 1)))


def test_a_saved_net_of_one_class_is_read(tmp_path):
    quiet(ESTIMATORS[0], X, np.ones(60)).save(tmp_path / "net")
    again = sb.MLPClassifier.load(tmp_path / "net")
    np.testing.assert_array_equal(again.predict_proba(X), np.ones((60, 1)))
