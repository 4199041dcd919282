"""Estimators that version 0.1 saved, before they held the record of a training, load as they were.

The files in `tests/reference` were written by 0.1; the numbers here are what it said of them.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import symbreak as sb
from symbreak.estimators import persistence
from symbreak.model_file import load_model

FOLDER = Path(__file__).parent.parent / "reference"
CLASSIFIER, REGRESSOR = (
    FOLDER / f"{name}_of_0.1.safetensors" for name in ("classifier", "regressor")
)
x = np.linspace(-2.0, 2.0, 24)
X = np.column_stack([x, x**2, np.cos(3 * x)])
SOME = X[::8]


def by_own_file(kind, path):
    return kind.load(path)


def by_pickle(kind, path):
    """As pickle and joblib do with the state that they hold."""
    arrays, settings = load_model(path)
    net = kind.__new__(kind)
    net.__setstate__(persistence._joined(settings["state"], arrays))
    return net


@pytest.fixture(params=[by_own_file, by_pickle], ids=lambda way: way.__name__)
def loaded(request):
    return request.param


def test_the_average_of_a_classifier(loaded):
    net = loaded(sb.MLPClassifier, CLASSIFIER)
    assert net.predict(SOME).tolist() == ["low", "mid", "high"]
    wanted = [
        [9.56332162e-04, 9.92039066e-01, 7.00460135e-03],
        [3.58738627e-03, 8.76670951e-02, 9.08745519e-01],
        [9.88249654e-01, 3.69435623e-03, 8.05599007e-03],
    ]
    np.testing.assert_allclose(net.predict_proba(SOME), wanted, rtol=1e-7)
    assert net.kept_.tolist() == [0, 2, 1]
    assert (net.loss_, net.n_iter_) == (0.012937133102547155, 6)
    costs = [0.012937133102547155, 0.024542629988179895, 0.013126554598927321]
    assert net.starts_["loss"].tolist() == costs
    assert net.class_weight == {"low": 1.0, "mid": 2.0, "high": 1.0}


def test_a_regressor_with_all_starts_and_a_validation(loaded):
    net = loaded(sb.MLPRegressor, REGRESSOR)
    np.testing.assert_allclose(net.predict(SOME), [4.642016, 8.419156, 11.988691], rtol=1e-5)
    first = net.predict_starts(SOME)[:, 0, 0]
    np.testing.assert_allclose(first, [4.642016, 6.1102409, 6.8198261], rtol=1e-5)
    assert net.kept_.tolist() == [1, 0, 2]
    assert net.best_validation_score_ == max(net.starts_["validation_score"])
    assert set(net.starts_["status"]) == {"max iterations"}


def test_they_have_the_record_and_go_on(loaded, tmp_path):
    net = loaded(sb.MLPClassifier, CLASSIFIER)
    record = net.training_
    assert (record.kept, record.lead, record.combine) == ((0, 1, 2), 0, "average")
    assert record.provenance.version == "0.1"
    assert sb.report(net).data["network"]["start"] == 0
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(SOME), net.predict_proba(SOME))
    net.save(tmp_path / "again")
    back = sb.MLPClassifier.load(tmp_path / "again")
    np.testing.assert_array_equal(back.thetas_, net.thetas_)
    y = net.predict(X)
    back.set_params(warm_start=True, max_iter=500).fit(X, y)
    assert back.loss_ < net.loss_


def test_best_without_a_validation_is_the_lowest_cost_as_in_a_new_fit():
    arrays, settings = load_model(CLASSIFIER)
    state = persistence._joined(settings["state"], arrays)
    full = persistence.full_state({**state, "combine": "best"})
    assert full["training_"].combine == "lowest-cost"
    assert full["combine"] == "best"
