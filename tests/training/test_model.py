from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.model_file import load_model, save_model
from symbreak.tables.preparation import Preparation
from symbreak.tables.table import Table
from symbreak.tables.target import Target
from symbreak.training.model import Model

TABLE = Table.of(
    pl.DataFrame(
        {
            "size in cm": [1.0, 2.5, None, 4.0, 7.0, 5.5],
            "color": ["red", "green", "blue", "red", None, "green"],
            "kind": ["no", "yes", "no", "perhaps", "yes", "no"],
            "price": [10.25, 20.0, 35.0, 15.0, 60.0, 5.0],
        }
    ),
    "shop.csv",
)


def model(target: str, dtype: str = "float64", starts: int = 3) -> Model:
    preparation = Preparation.fit(TABLE, target=target, drop=[])
    fitted = Target.fit(TABLE, target)
    outputs = len(fitted.classes) or 1
    loss = "cross_entropy" if fitted.classes else "squared_error"
    net = sb.Network((len(preparation.feature_names), 5, outputs), "tanh", loss)
    theta = sb.initialize(net, "uniform", starts=starts, seed=1, dtype=dtype)
    return Model(net, theta, preparation, fitted, summary={"J": 0.1, "words": ["é"]})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", ["kind", "price"])
def test_a_saved_model_predicts_the_same_bits(tmp_path, target, dtype):
    before = model(target, dtype)
    before.save(tmp_path / "m")
    after = Model.load(tmp_path / "m")
    old, new = before.columns(TABLE), after.columns(TABLE)
    assert list(old) == list(new)
    for name in old:
        assert old[name].dtype == new[name].dtype
        assert old[name].tobytes() == new[name].tobytes()
    assert (after.combine, after.summary) == (before.combine, before.summary)
    assert after.theta.dtype == np.dtype(dtype)


def test_classes_come_with_probabilities_that_decide():
    columns = model("kind").columns(TABLE)
    labels = np.array(["no", "perhaps", "yes"])
    names = [f"probability of {label}" for label in labels]
    assert list(columns) == ["prediction", *names, "disagreement"]
    shares = np.column_stack([columns[name] for name in names]).astype(float)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(columns["prediction"], labels[shares.argmax(axis=1)])


def test_probabilities_are_the_mean_over_the_kept_starts():
    found = model("kind")
    X = found.preparation.transform(TABLE)
    each = found.network.predict(found.theta, X)
    np.testing.assert_allclose(
        found.columns(TABLE)["probability of yes"], each.mean(axis=0)[:, 2], rtol=1e-13
    )


def test_numbers_come_back_in_the_unit_of_the_table():
    found = model("price")
    flat = dataclasses.replace(found, theta=np.zeros_like(found.theta))
    np.testing.assert_allclose(flat.predict(TABLE), np.full(6, 145.25 / 6), rtol=1e-12)


def test_columns_may_be_reordered_but_not_be_missing():
    found = model("kind")
    turned = Table.of(TABLE.frame.select("price", "color", "size in cm"), "new.csv")
    np.testing.assert_array_equal(found.predict(turned), found.predict(TABLE))
    with pytest.raises(InvalidInput, match="'size in cm', 'price'"):
        found.predict(Table.of(TABLE.frame.select("color"), "new.csv"))


def test_parts_that_do_not_fit_are_refused():
    found = model("kind")
    for theta in (found.theta[:, 1:], found.theta[0], found.theta[:0], found.theta * np.nan,
                  found.theta.astype(np.float16)):  # fmt: skip
        with pytest.raises(InvalidInput, match="must fit each other"):
            dataclasses.replace(found, theta=theta)
    with pytest.raises(InvalidInput, match="must fit each other"):
        dataclasses.replace(found, target=model("price").target)
    with pytest.raises(InvalidInput, match="must fit each other"):
        dataclasses.replace(found, combine="best of all")


def test_other_model_files_are_refused(tmp_path):
    save_model(tmp_path / "other", {"theta": np.zeros((1, 3))}, {"kind": "something else"})
    with pytest.raises(InvalidInput, match="that 'symbreak train --model' wrote"):
        Model.load(tmp_path / "other")


@pytest.mark.parametrize("key", ["network", "preparation", "target", "combine", "summary"])
def test_settings_that_are_missing_or_of_another_kind_are_refused(tmp_path, key):
    model("kind").save(tmp_path / "m")
    arrays, settings = load_model(tmp_path / "m")
    save_model(tmp_path / "m", arrays, {**settings, key: 7})
    with pytest.raises(InvalidInput, match=key):
        Model.load(tmp_path / "m")


@pytest.mark.parametrize("network", [{"layers": 3}, {"layers": [None, "x"]}, {"activations": 1.5}])
def test_a_whole_file_that_says_what_cannot_be_is_refused_in_a_sentence(tmp_path, network):
    model("kind").save(tmp_path / "m")
    arrays, settings = load_model(tmp_path / "m")
    settings["network"] |= network
    save_model(tmp_path / "m", arrays, settings)
    with pytest.raises(InvalidInput):
        Model.load(tmp_path / "m")


@pytest.mark.parametrize("target", ["kind", "price"])
def test_weights_that_overflow_predict_nothing(target):
    fine = model(target)
    far = dataclasses.replace(fine, theta=np.full_like(fine.theta, 1e308))
    with pytest.raises(InvalidInput, match=r"must be finite. Got .* 6 of 6 rows, .* row 1: "):
        far.columns(TABLE)
