"""Weights that stand for rows, parameters in files, layers and sizes that are none."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import unique_labels

import symbreak as sb
from tests.fitting import quiet

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)


def fitted(*args, weight=None, X=X, y=Y, **options):
    options = {"solver": "lbfgs", "random_state": 0, "max_iter": 60, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return sb.MLPClassifier(*(args or ((4,), "tanh")), **options).fit(X, y, weight)


def test_a_weight_of_two_is_a_repeated_row_where_classes_are_balanced():
    weight = np.where(np.arange(150) < 40, 2.0, 1.0)
    rows = np.repeat(np.arange(150), weight.astype(int))
    options = {"class_weight": "balanced", "alpha": 0.1, "tol": 1e-9, "max_iter": 500}
    weighted = fitted(weight=weight, **options)
    repeated = fitted(X=X[rows], y=Y[rows], **options)
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-5)
    assert weighted.predict_proba(X) == pytest.approx(repeated.predict_proba(X), abs=1e-3)


def test_class_weights_of_whole_numbers_and_of_words_come_back_from_a_file(tmp_path):
    for y, weights in ((Y, {0: 1.0, 1: 2.0, 2: 3.0}), (np.array(list("abc"))[Y], {"a": 2.0})):
        net = fitted(y=y, class_weight=weights)
        net.save(tmp_path / "net")
        again = sb.MLPClassifier.load(tmp_path / "net")
        assert again.class_weight == weights
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            again.fit(X, y)
        np.testing.assert_array_equal(again.coefs_[0], net.coefs_[0])


def test_a_parameter_that_no_file_can_hold_is_named(tmp_path):
    net = sb.MLPRegressor((3,), solver="lbfgs", loss=sb.losses.Quantile(0.9), max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(X[:, :3], X[:, 3])
    with pytest.raises(sb.InvalidInput, match="loss of an estimator to save must be a plain value"):
        net.save(tmp_path / "net")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{"weight": np.ones(150)}, {"class_weight": "balanced"}])
def test_a_scorer_without_weights_serves_beside_weights(options):
    def scorer(estimator, X, y):
        return estimator.score(X, y)

    assert fitted(early_stopping=True, scoring=scorer, **options).best_validation_score_ > 0.5


def test_balanced_classes_are_refused_where_only_a_part_is_seen():
    with pytest.raises(sb.InvalidInput, match="class_weight of partial_fit"):
        sb.MLPClassifier((3,), class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


@pytest.mark.parametrize("layer", [0, 3, -3, 1.5, None, "a"])
def test_layers_that_are_none_are_named(layer):
    with pytest.raises(sb.InvalidInput, match="layer of transform must be a hidden layer, 1 to 2"):
        fitted((5, 3)).transform(X, layer)


def test_named_columns_are_those_of_the_last_hidden_layer():
    net = fitted((5, 3)).set_output(transform="pandas")
    assert net.transform(X).shape == net.transform(X, 2).shape == (150, 3)
    with pytest.raises(sb.InvalidInput, match="must be the last hidden one where set_output"):
        net.transform(X, 1)
    assert net.set_output(transform="default").transform(X, -2).shape == (150, 5)


@pytest.mark.parametrize("sizes", [(3.5,), [[3]], (0,), (-1,)])
def test_sizes_that_are_no_whole_numbers_are_refused(sizes):
    with pytest.raises(ValueError, match="hidden_layer_sizes must be > 0"):
        fitted(sizes)


def test_edited_weights_are_what_a_warm_start_goes_on_from():
    net = fitted(warm_start=True, max_iter=20)
    reached = net.loss_
    net.intercepts_[-1][:] += [9.0, 0.0, 0.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.set_params(max_iter=1).fit(X, Y)
    assert net.loss_ > reached  # a search that went on could only be lower


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_agree_with_their_logarithms_far_into_saturation(classes):
    rows = classes > Y
    net = fitted(X=X[rows], y=Y[rows])
    far = 1e4 * X[rows]
    probabilities, logs = net.predict_proba(far), net.predict_log_proba(far)
    assert np.isfinite(logs).all()
    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(1), 1.0, rtol=1e-12)
    seen = logs > -600
    np.testing.assert_allclose(np.log(probabilities[seen]), logs[seen], rtol=1e-9, atol=1e-15)


KINDS = {
    "int": Y, "uint8": Y.astype("uint8"), "bool": Y > 0, "float": Y.astype(float),
    "str": Y.astype(str), "object": Y.astype(str).astype(object), "list": Y.tolist(),
    "labels": np.column_stack([Y > 0, Y > 1]).astype(int),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_is_scikit_learns_accuracy(kind):
    y = KINDS[kind]
    net = fitted(y=y, max_iter=5)
    for weight in (None, np.arange(150.0)):
        wanted = accuracy_score(y, net.predict(X), sample_weight=weight)
        found = net.score(X, y, weight)
        assert (found, type(found)) == (wanted, float)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.score(X, y[:-1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_classes_are_scikit_learns(kind):
    found, wanted = fitted(y=KINDS[kind], max_iter=1).classes_, unique_labels(KINDS[kind])
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == wanted.dtype


def test_a_default_of_a_subclass_is_held_against_its_range_too():
    class Mistaken(sb.MLPClassifier):
        def __init__(self, alpha=-1.0):
            super().__init__(alpha=alpha)

    with pytest.raises(ValueError, match="'alpha' parameter of Mistaken must be"):
        Mistaken().fit(X, Y)


def test_input_that_is_not_finite_or_of_another_width_is_refused_in_scikit_learns_words():
    net = fitted()
    holed = X.copy()
    holed[3, 1] = np.nan
    for call in (net.predict, lambda X: net.fit(X, Y)):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            call(holed)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4"):
        net.predict(X[:, :3])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.fit(X, Y[:-1])
    assert fitted(X=X[:, :3]).n_features_in_ == net.fit(X[:, :3], Y).n_features_in_ == 3


def test_arrays_after_a_frame_have_no_names():
    pandas = pytest.importorskip("pandas")
    net = fitted(X=pandas.DataFrame(X, columns=list("abcd")))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        net.predict(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.set_params(max_iter=1000).fit(X, Y).predict(X)
    assert not hasattr(net, "feature_names_in_")


@pytest.mark.parametrize(
    ("outputs", "rows", "y"),
    [
        (1, 1, np.arange(20.0)),
        (1, 19, np.arange(20.0)),
        (20, 20, np.arange(20.0)),
        (2, 20, np.arange(20.0)),
        (1, 20, None),
        (1, 20, 3.0),
    ],
    ids=["one row", "a row less", "as many outputs", "two outputs", "nothing", "a number"],
)
def test_a_score_of_what_does_not_fit_is_refused(outputs, rows, y):
    """Numbers that NumPy would spread over the others are no answer."""
    X = np.random.default_rng(0).standard_normal((20, 3))
    known = np.tile(X[:, :1], outputs) if outputs > 1 else X[:, 0]
    model = quiet(sb.MLPRegressor((2,), solver="lbfgs", max_iter=5, random_state=0), X, known)
    with pytest.raises((ValueError, TypeError)):
        model.score(X[:rows], y)


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 1.0, 20)])
@pytest.mark.parametrize("as_given", [np.asarray, list, lambda y: y[:, None]])
def test_a_score_is_that_of_scikit_learn(weight, as_given):
    X = np.random.default_rng(0).standard_normal((20, 3))
    model = quiet(sb.MLPRegressor((2,), solver="lbfgs", max_iter=5, random_state=0), X, X[:, 0])
    expected = r2_score(X[:, 1], model.predict(X), sample_weight=weight)
    assert model.score(X, as_given(X[:, 1]), weight) == pytest.approx(expected, rel=1e-12)
