"""Pickle, joblib, clone, skops and the own file: what comes back predicts the same, bit by bit."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import skops.io as sio
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.estimators import persistence
from symbreak.model_file import load_model, save_model
from tests.fitting import quiet


def fitted(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "regressor":
            net = sb.MLPRegressor((4, 3), "tanh", solver="lbfgs", n_starts=3, standardize=True,
                                  max_iter=20, random_state=0, early_stopping=True)  # fmt: skip
            return net.fit(*load_diabetes(return_X_y=True))
        X, y = load_iris(return_X_y=True)
        names = np.array(["one", "two", "three"], dtype=object if kind == "objects" else None)
        return sb.MLPClassifier(5, max_iter=20, random_state=0).fit(X, names[y])


def data(kind):
    return (load_diabetes if kind == "regressor" else load_iris)(return_X_y=True)[0]


def by_pickle(net, path):
    return pickle.loads(pickle.dumps(net))


def by_joblib(net, path):
    joblib.dump(net, path)
    return joblib.load(path)


def by_own_file(net, path):
    net.save(path)
    return type(net).load(path)


WAYS = [by_pickle, by_joblib, by_own_file]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", ["regressor", "words", "objects"])
def test_what_comes_back_is_the_same(kind, way, tmp_path):
    net, X = fitted(kind), data(kind)
    back = way(net, tmp_path / "net.bin")
    np.testing.assert_array_equal(back.predict(X), net.predict(X))
    np.testing.assert_array_equal(back.predict_starts(X), net.predict_starts(X))
    assert back.get_params() == net.get_params()
    for name in ("loss_curve_", "validation_scores_", "n_iter_", "out_activation_"):
        assert getattr(back, name) == getattr(net, name)
    assert back.outcome_.status == net.outcome_.status
    if kind != "regressor":
        assert back.classes_.dtype == net.classes_.dtype
        np.testing.assert_array_equal(back.predict_proba(X), net.predict_proba(X))


def test_clone_forgets_what_was_fitted():
    net = fitted("words")
    fresh = clone(net)
    assert fresh.get_params() == net.get_params()
    assert not hasattr(fresh, "coefs_")


def test_skops_needs_our_type_alone(tmp_path):
    net, X = fitted("words"), data("words")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(StandardScaler(), net).fit(X, net.predict(X))
    written = sio.dumps(pipeline)
    ours = ["symbreak.estimators.classifier.MLPClassifier"]
    assert sio.get_untrusted_types(data=written) == ours
    back = sio.loads(written, trusted=ours)
    np.testing.assert_array_equal(back.predict_proba(X), pipeline.predict_proba(X))


@pytest.mark.slow
def test_a_pipeline_loads_in_a_fresh_process_and_predicts_bit_by_bit(tmp_path):
    X, y = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(
            StandardScaler(), sb.MLPClassifier(5, solver="lbfgs", n_starts=4, random_state=0)
        ).fit(X, y)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    np.save(tmp_path / "X.npy", X)
    program = (
        "import joblib, numpy as np; p = joblib.load('pipeline.joblib');"
        "np.save('out.npy', p.predict_proba(np.load('X.npy')))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=300)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), pipeline.predict_proba(X))


def test_an_outcome_of_another_version_is_refused_in_one_sentence(monkeypatch, tmp_path):
    X, y = load_iris(return_X_y=True)
    fitted = sb.MLPClassifier((2,), solver="lbfgs", max_iter=3, random_state=0)
    quiet(fitted, X, y)
    fewer = tuple(name for name in persistence._OUTCOME_ARRAYS if name != "best_iteration")
    monkeypatch.setattr(persistence, "_OUTCOME_ARRAYS", fewer)
    fitted.save(tmp_path / "old")
    for again in (
        lambda: sb.MLPClassifier.load(tmp_path / "old"), lambda: pickle.loads(pickle.dumps(fitted)),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="without best_iteration in its outcome; fit it"):
            again()


def test_a_file_of_another_kind_is_refused(tmp_path):
    net = fitted("words")
    net.save(tmp_path / "net.safetensors")
    with pytest.raises(sb.InvalidInput, match="must be an estimator that MLPRegressor"):
        sb.MLPRegressor.load(tmp_path / "net.safetensors")
    save_model(tmp_path / "other", {"a": np.zeros(2)}, {"kind": "something"})
    with pytest.raises(sb.InvalidInput, match="a file of another kind"):
        sb.MLPClassifier.load(tmp_path / "other")


def _altered(held, place):
    """Return settings in which what stands at the end of a path of keys is a word."""
    if not place:
        return "x"
    held = {**held} if isinstance(held, dict) else [*held]
    held[place[0]] = _altered(held[place[0]], place[1:])
    return held


def test_files_that_say_what_cannot_be_are_refused_wherever_it_stands(tmp_path):
    fitted("classifier").save(tmp_path / "m")
    arrays, settings = load_model(tmp_path / "m")
    pairs = settings["state"]["dict"]
    places = [("state",), ("state", "dict"), *(("state", "dict", j) for j in range(len(pairs)))]
    inner = {key["plain"]: j for j, (key, _) in enumerate(pairs)}["training_"]
    parts = pairs[inner][1]["dict"]
    places += [("state", "dict", inner, 1, "dict", j, 1) for j in range(len(parts))]
    for place in places:
        save_model(tmp_path / "m", arrays, _altered(settings, place))
        with pytest.raises(InvalidInput):
            sb.MLPClassifier.load(tmp_path / "m")


def test_a_file_of_arrays_of_other_shapes_is_refused_at_loading(tmp_path):
    fitted("classifier").save(tmp_path / "m")
    arrays, settings = load_model(tmp_path / "m")
    for name in arrays:
        if name.startswith("/coefs_"):
            save_model(tmp_path / "m", {**arrays, name: arrays[name][:-1]}, settings)
            with pytest.raises(InvalidInput):
                sb.MLPClassifier.load(tmp_path / "m")


@pytest.mark.parametrize("way", [by_pickle, by_joblib, by_own_file])
def test_an_estimator_of_another_version_is_read_with_a_warning(tmp_path, monkeypatch, way):
    net = fitted("regressor")
    monkeypatch.setattr(persistence, "__version__", "9.8.7")
    with pytest.warns(UserWarning, match=r"This estimator was written by symbreak 9\.8\.7"):
        back = way(net, tmp_path / "m")
    monkeypatch.undo()
    np.testing.assert_array_equal(back.predict(data("regressor")), net.predict(data("regressor")))
    assert not hasattr(back, "_symbreak_version")
