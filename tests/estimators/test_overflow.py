"""Predictions that overflow are refused in a sentence, wherever they are asked for."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from tests.fitting import quiet

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3)).astype(np.float32)
TARGETS = {
    "two": (X[:, 0] > 0).astype(int), "three": RNG.integers(0, 3, 100),
    "labels": np.column_stack([X[:, 0] > 0, X[:, 1] > 0]).astype(int),
    "number": X[:, 0], "numbers": X[:, :2],
}  # fmt: skip
FAR = np.array([[0, 0, 0], [3e38, 3e38, -3e38], [-3e38, 3e38, 3e38]], np.float32)


def fitted(kind, **settings):
    make = sb.MLPRegressor if kind.startswith("number") else sb.MLPClassifier
    settings = {"hidden_layer_sizes": (8, 4), "solver": "lbfgs", "max_iter": 20, **settings}
    return quiet(make(random_state=0, **settings), X, TARGETS[kind])


def asked(net):
    names = ("predict", "predict_proba", "predict_log_proba", "predict_starts", "transform")
    return [getattr(net, name) for name in names if hasattr(net, name)]


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "identity"])
def test_rows_at_the_edge_of_float32_give_finite_numbers_or_a_sentence(kind, activation):
    net = fitted(kind, activation=activation)
    refused = []
    for answer in asked(net):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert np.isfinite(answer(FAR)).all()
        except InvalidInput as error:
            refused.append(str(error))
        assert np.isfinite(answer(FAR[:1])).all()
    for words in refused:
        assert re.search(r"for [12] of 3 rows, the first of them X\[[12]\]:", words)
        assert "too large for float32" in words
    assert refused or activation != "relu"


@pytest.mark.parametrize("kind", TARGETS)
def test_weights_that_overflow_are_no_prediction(kind):
    net = fitted(kind, activation="identity")
    # The first layer gives infinities of both signs, which the second adds.
    net.coefs_[0][:] = np.resize([3e38, -3e38], 8)
    net.coefs_[1][:] = 1.0
    for answer in asked(net):
        if answer.__name__ == "predict_starts":  # which goes by thetas_
            continue
        with pytest.raises(InvalidInput, match=r"A prediction must be finite\. Got NaN or inf"):
            answer(1.0 + np.abs(X))


def test_a_sigmoid_of_infinity_is_certain_and_its_logarithm_finite():
    net = fitted("two", hidden_layer_sizes=(1,), activation="identity")
    net.coefs_ = [np.full((3, 1), 1e20, np.float32), np.full((1, 1), 1e30, np.float32)]
    logs = net.predict_log_proba(np.ones((1, 3), np.float32))
    assert np.isfinite(logs).all()
    np.testing.assert_array_equal(net.predict_proba(np.ones((1, 3), np.float32)).argmax(1), [1])


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", "roc_auc"])
def test_validation_rows_that_overflow_score_nothing_and_end_no_fit(scoring):
    net = sb.MLPClassifier((8, 4), solver="lbfgs", scoring=scoring, random_state=0, max_iter=5)
    held = np.concatenate([X[:20], FAR[1:]])
    labels = np.concatenate([TARGETS["two"][:20], [0, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(X, TARGETS["two"], X_val=held, y_val=labels)
    assert np.isfinite(net.predict_proba(X)).all()
