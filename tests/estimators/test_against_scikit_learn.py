"""Same data and same starting weights: the same network as scikit-learn's."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import symbreak as sb

PAIRS = [(sb.MLPClassifier, theirs.MLPClassifier), (sb.MLPRegressor, theirs.MLPRegressor)]


@pytest.mark.parametrize(("ours", "other"), PAIRS)
def test_every_parameter_has_the_same_name_and_default(ours, other):
    mine, known = (inspect.signature(e).parameters for e in (ours, other))
    defaults = {n: p.default for n, p in mine.items()}
    assert defaults["n_iter_no_change"] == "auto"  # 10 where scikit-learn has early stopping
    assert {n: p.default for n, p in known.items()} == {
        n: 10 if n == "n_iter_no_change" else defaults[n] for n in known
    }
    assert list(mine)[:2] == ["hidden_layer_sizes", "activation"]
    for method in ("fit", "predict", "partial_fit", "score", "set_params", "get_params"):
        assert hasattr(ours(), method)


@pytest.mark.parametrize(("ours", "other"), PAIRS)
@pytest.mark.parametrize("solver", ["lbfgs", "sgd", "adam"])
def test_every_fitted_attribute_is_there(ours, other, solver):
    X, y = load_iris(return_X_y=True)
    options = {"solver": solver, "max_iter": 3, "random_state": 0, "hidden_layer_sizes": (4, 3)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine, known = ours(**options).fit(X, y), other(**options).fit(X, y)
    for name in (n for n in vars(known) if n.endswith("_") and not n.startswith("_")):
        found, wanted = getattr(mine, name), getattr(known, name)
        assert type(found) in (type(wanted), float), name
        if isinstance(wanted, list) and name != "loss_curve_":
            assert [np.shape(a) for a in found] == [np.shape(a) for a in wanted]
        if isinstance(wanted, str | int):
            assert found == wanted, name


CASES = [
    ("classes", load_breast_cancer, 0.1),
    ("three classes", load_iris, 0.5),
    ("numbers", load_diabetes, 1.0),
]


@pytest.mark.parametrize(("name", "load", "alpha"), CASES, ids=[c[0] for c in CASES])
def test_l_bfgs_from_the_same_weights_finds_the_same_network(name, load, alpha):
    X, y = load(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    y = (y - y.mean()) / y.std() if name == "numbers" else y
    ours, other = PAIRS[name == "numbers"]
    options = {
        "hidden_layer_sizes": (3,), "activation": "identity", "solver": "lbfgs", "alpha": alpha,
        "max_iter": 5000, "tol": 1e-9, "random_state": 0,
    }  # fmt: skip
    # The first weights of scikit-learn are those of a fit whose first evaluation is the last.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = other(**options).fit(X, y)
        start = other(**{**options, "max_fun": 1, "max_iter": 1}).fit(X, y)
    mine = ours(**options, coefs_init=start.coefs_, intercepts_init=start.intercepts_).fit(X, y)
    # SciPy's ends by a fall of J below 2.2e-9 of max(J, 1); so J agrees to that, and predictions,
    # in which J is of second order, to its root.
    assert mine.loss_ <= known.loss_ + 1e-7
    predict = "predict" if name == "numbers" else "predict_proba"
    np.testing.assert_allclose(getattr(mine, predict)(X), getattr(known, predict)(X), atol=2e-3)


def test_five_outputs_reach_the_minimum_that_scikit_learns_gradient_misses():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    Y = np.tanh(X @ rng.normal(size=(5, 10))) @ rng.normal(size=(10, 5))
    alpha = 10.0
    options = {
        "hidden_layer_sizes": (10,), "activation": "tanh", "solver": "lbfgs", "alpha": alpha,
        "max_iter": 2000, "tol": 1e-6, "random_state": 0,
    }  # fmt: skip

    def objective(network):
        error = ((network.predict(X) - Y) ** 2).sum() / 2
        return (error + alpha / 2 * sum((W**2).sum() for W in network.coefs_)) / len(X)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = theirs.MLPRegressor(**options).fit(X, Y)
        mine = sb.MLPRegressor(**options, coefs_init=None, intercepts_init=None).fit(X, Y)
    assert mine.loss_ == pytest.approx(objective(mine), rel=1e-10)
    assert objective(mine) < 0.95 * objective(known)
