"""A fit that ends at the best constant says so, and says what to do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import ConvergenceWarning

import symbreak as sb

TANH = {"hidden_layer_sizes": (10,), "activation": "tanh", "solver": "lbfgs", "max_iter": 2000}
CONSTANT = "predicts nearly the same for every row"


@pytest.mark.parametrize("seed", range(3))
def test_raw_columns_that_saturate_every_unit_are_no_success(seed):
    X, y = load_wine(return_X_y=True)
    model = sb.MLPClassifier(**TANH, random_state=seed)
    with pytest.warns(ConvergenceWarning, match=CONSTANT) as caught:
        model.fit(X, y)
    words = str(caught[0].message)
    assert "about that of the class shares; 10 of 10 hidden units do not" in words
    assert words.endswith("Scale X: `standardize`=True.")
    assert model.training_.trivial == (10, 10)
    assert model.training_.advice[0].kind == "constant_network"
    page = sb.report(model).data["first_screen"]
    assert page[-1]["value"] == "It predicts a constant"
    assert next(card for card in page if card["name"] == "Starts")["level"] == "watch"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = sb.MLPClassifier(**TANH, random_state=seed, standardize=True).fit(X, y)
    assert scaled.score(X, y) > 0.98


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_a_penalty_that_flattens_all_is_named(loss):
    X, y = load_diabetes(return_X_y=True)
    model = sb.MLPRegressor(**TANH, loss=loss, standardize=True, alpha=1e4, random_state=0)
    with pytest.warns(ConvergenceWarning, match=CONSTANT) as caught:
        model.fit(X, y)
    assert str(caught[0].message).endswith("Lower `alpha`.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(alpha=3.0, max_iter=5000, max_fun=50_000).fit(X, y)
    assert model.training_.trivial is None


@pytest.mark.parametrize("alpha", [1e5, 1e7])
@pytest.mark.parametrize("make", [sb.MLPRegressor, sb.MLPClassifier])
def test_a_linear_model_that_a_penalty_shrank_is_no_success(make, alpha):
    """Its gain over the constant is tiny, and surely above 0: all of it is signal."""
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 3))
    y = X @ [2.0, -1.0, 0.5] + 0.3 * random.normal(size=400)
    known = y if make is sb.MLPRegressor else np.digitize(y, [-1.0, 1.0])
    model = make(**{**TANH, "hidden_layer_sizes": ()}, alpha=alpha, random_state=0)
    with pytest.warns(ConvergenceWarning, match=CONSTANT) as caught:
        model.fit(X, known)
    assert "hidden unit" not in str(caught[0].message)
    assert str(caught[0].message).endswith("Lower `alpha`.")


@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_where_cross_validation_chose_the_constant_the_columns_tell_nothing(signal):
    """But where all penalties were too strong, and the smallest the best."""
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.random.default_rng(10).normal(size=60)
    y, alphas = y + signal * X[:, 0], [1e6, 1e7] if signal else [1e-3, 1e6, 1e7]
    model = sb.MLPRegressorCV(hidden_layer_sizes=[()], alphas=alphas, cv=3, random_state=0)
    words = r"smaller penalties: `alphas`\.$" if signal else r"tell nothing of .* other rows\.$"
    with pytest.warns(ConvergenceWarning, match=words):
        model.fit(X, y)


def test_columns_that_tell_little_and_are_believed_that_little_are_no_fault():
    random = np.random.default_rng(0)
    X = random.uniform(-1.0, 1.0, size=(100_000, 2))
    y = (random.random(100_000) < 0.5 + 0.03 * X[:, 0]).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sb.MLPClassifier(**{**TANH, "hidden_layer_sizes": ()}, random_state=0).fit(X, y)


def test_weights_say_which_constant_is_the_best():
    """Rows without weight would make another constant of the mean."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(80, 2)), np.repeat([0.0, 9.0], 40)
    weight = np.repeat([1.0, 0.0], 40) + 1e-9
    y[:40] += random.normal(size=40)
    model = sb.MLPRegressor(**TANH, standardize=True, alpha=1e6, random_state=0)
    with pytest.warns(ConvergenceWarning, match=CONSTANT):
        model.fit(X, y, sample_weight=weight)


def test_targets_that_are_one_constant_are_rightly_predicted_so():
    X = np.random.default_rng(0).normal(size=(30, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sb.MLPRegressor(**TANH, random_state=0).fit(X, np.full(30, 2.0))


def test_scales_far_apart_are_known_of_a_fit():
    X = np.random.default_rng(0).normal(size=(60, 2)) * [1.0, 1e5]
    y = (X[:, 0] > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sb.MLPClassifier(**TANH, random_state=0).fit(X, y)
    assert model.training_.spread_of_inputs == pytest.approx(1e5, rel=0.5)
    found = {one.kind: one.remedy for one in model.training_.advice}
    assert set(found) & {"unscaled_inputs", "constant_network"}
    assert "scale_inputs" in found.values()


def test_where_columns_are_scaled_already_the_penalty_is_named():
    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = sb.MLPClassifier(**TANH, alpha=1e4, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"Lower `alpha`\.$"):
        model.fit(X, y)


def test_a_fit_that_was_cut_has_its_own_warning_alone():
    X, y = load_wine(return_X_y=True)
    model = sb.MLPClassifier(**{**TANH, "max_iter": 1}, random_state=0)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert [CONSTANT in str(one.message) for one in caught] == [False]
