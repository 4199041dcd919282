"""Errors of trainings on tables and intervals of their models, on truths that are constructed."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from symbreak.errors import InvalidInput
from symbreak.model_file import load_model, save_model
from symbreak.tables.table import Table
from symbreak.training import Settings, table_errors, train_split
from symbreak.training.cross_validation import cross_validated
from symbreak.training.data_split import DataSplit
from symbreak.training.model import Model
from symbreak.training.seeds import seeds_of
from symbreak.training.selection import chosen_by
from symbreak.training.table_choice import folds_of
from symbreak.training.table_errors import with_errors
from symbreak.training.uncertainty import disagreement

CHOOSES = Settings(hidden=(), starts=2, max_iter=100)
QUICK = Settings(hidden=(), alpha=0.1, starts=3, search=False)
NEW = 4000


def table(n: int, seed: int, noise=lambda a: np.full(len(a), 0.5)) -> Table:
    """Return y = 100 + 10 (2 a - b) with noise of a size that may depend on a."""
    random = np.random.default_rng(seed)
    a, b = random.uniform(-2, 2, (2, n))
    y = 100 + 10 * (2 * a - b + noise(a) * random.normal(size=n))
    return Table.of(pl.DataFrame({"a": a, "b": b, "y": y}), "t.csv")


def by_cross_validation(split: DataSplit):
    found = cross_validated(split, CHOOSES)
    training = train_split(dataclasses.replace(split), CHOOSES)
    return with_errors(dataclasses.replace(training, cross_validation=found), CHOOSES)


WAYS = {
    "folds that chose": lambda: train_split(DataSplit.of(table(1000, 0), "y"), CHOOSES),
    "hold-out": lambda: train_split(DataSplit.of(table(2000, 0), "y"), QUICK),
    "hold-out and validation": lambda: train_split(
        DataSplit.of(table(2000, 0), "y", validation=0.2), QUICK
    ),
    "cross-validation": lambda: by_cross_validation(
        DataSplit.of(table(600, 0), "y", separate_test=True)
    ),
}
PARTS = {
    "folds that chose": (("training",), 800),
    "hold-out": (("holdout",), 400),
    "hold-out and validation": (("validation", "holdout"), 720),
    "cross-validation": (("training",), 600),
}


def covered(columns, fresh: Table) -> int:
    y = fresh.column("y").to_numpy()
    return int(((columns["lower"] <= y) & (y <= columns["upper"])).sum())


@pytest.mark.parametrize("way", WAYS)
def test_new_rows_lie_in_the_intervals_as_often_as_was_asked(way):
    training = WAYS[way]()
    assert training.held_out is not None
    assert (training.errors_of, len(training.held_out.scores)) == PARTS[way]
    model, fresh = training.model(), table(NEW, 1)
    for coverage in (0.5, 0.9):
        # The rank of a held-out error and the new rows are both chance: about binomial.
        spread = (coverage * (1 - coverage) * (1 / NEW + 1 / PARTS[way][1])) ** 0.5
        share = covered(model.columns(fresh, coverage), fresh) / NEW
        assert share == pytest.approx(coverage, abs=2.6 * spread)
    narrow, wide = (
        np.subtract(columns["upper"], columns["lower"])
        for columns in (model.columns(fresh, 0.5), model.columns(fresh))
    )
    assert (wide > narrow).all()
    # 90 % of the normal law, of noise 5.
    assert np.median(wide) == pytest.approx(2 * 1.645 * 5, rel=0.1)


@pytest.mark.parametrize("is_validated", [False, True])
def test_a_network_that_knows_its_rows_by_heart_is_unsure_of_others(is_validated):
    def noise(a):
        return np.full(len(a), 2.0)

    by_heart = Settings(hidden=(50, 50), alpha=1e-6, starts=2, max_iter=1000)
    split = DataSplit.of(table(80, 0, noise), "y", separate_test=True)
    training = train_split(split, by_heart)
    if is_validated:
        fixed = dataclasses.replace(by_heart, activation="tanh")
        found = cross_validated(split, fixed)
        training = with_errors(dataclasses.replace(training, cross_validation=found), fixed)
    assert training.errors_of == ("training",)
    model, fresh = training.model(), table(NEW, 1, noise)
    assert np.std(model.predict(split.table) - split.table.column("y").to_numpy()) < 10
    assert covered(model.columns(fresh), fresh) / NEW == pytest.approx(0.9, abs=0.08)


def test_noise_that_grows_widens():
    def noise(a):
        return 0.1 + 0.5 * np.abs(a)

    training = train_split(DataSplit.of(table(1500, 0, noise), "y"), CHOOSES)
    fresh = table(NEW, 1, noise)
    columns = training.model().columns(fresh)
    a, width = fresh.column("a").to_numpy(), columns["upper"] - columns["lower"]
    ratio = np.median(width[np.abs(a) > 1.8]) / np.median(width[np.abs(a) < 0.2])
    assert ratio > 3
    even = train_split(DataSplit.of(table(1500, 0), "y"), CHOOSES).model().columns(table(NEW, 1))
    assert np.ptp(even["upper"] - even["lower"]) == pytest.approx(0, abs=1e-9)


def test_the_hold_out_tells_how_often_they_cover_where_it_did_not_make_them():
    training = WAYS["folds that chose"]()
    found = training.intervals
    assert found is not None
    frame = training.split.table.frame[training.split.rows[2]]
    held = Table.of(frame, "held.csv")
    columns = training.model().columns(held)
    assert found.covered == covered(columns, held) / 200
    low, high = binom.interval(0.99, 200, 0.9) / np.array(200)
    assert low <= found.covered <= high
    half = np.median(columns["upper"] - columns["lower"]) / 2
    assert found.half_width == pytest.approx(half)
    assert WAYS["hold-out"]().intervals.covered is None


def test_weights_count_and_rows_that_weigh_nothing_do_not():
    frame = table(1000, 0).frame.with_columns(w=pl.Series([1.0, 0.0] * 500))
    loud = pl.when(pl.col("w") == 0).then(pl.col("y") + 1e4).otherwise(pl.col("y"))
    split = DataSplit.of(Table.of(frame.with_columns(loud), "t.csv"), "y", weight="w")
    columns = train_split(split, QUICK).model().columns(table(NEW, 1))
    assert np.median(columns["upper"] - columns["lower"]) == pytest.approx(16.45, rel=0.3)


def test_classes_have_no_errors_but_starts_that_disagree():
    frame = table(300, 0).frame.with_columns(pl.col("y") > 100)
    split = DataSplit.of(Table.of(frame, "t.csv"), "y")
    training = train_split(split, dataclasses.replace(QUICK, hidden=(4,), max_iter=20))
    assert (training.held_out, training.intervals) == (None, None)
    model, fresh = training.model(), table(50, 1)
    columns = model.columns(fresh)
    outputs = training.network.predict(training.theta, split.preparation.transform(fresh))
    np.testing.assert_allclose(columns["disagreement"], disagreement(outputs), atol=1e-15)
    assert columns["disagreement"].max() > 0
    with pytest.raises(InvalidInput, match="must be asked of a model of numbers"):
        model.columns(fresh, 0.9)
    single = dataclasses.replace(model, theta=model.theta[:1])
    assert "disagreement" not in single.columns(fresh)


def test_few_rows_allow_no_intervals_unless_less_is_asked():
    training = train_split(DataSplit.of(table(40, 0), "y"), QUICK)
    assert training.held_out is not None
    assert training.held_out.n == 8
    assert training.intervals is None
    model, fresh = training.model(), table(50, 1)
    assert list(model.columns(fresh)) == ["prediction"]
    assert list(model.columns(fresh, 0.8)) == ["prediction", "lower", "upper"]
    with pytest.raises(InvalidInput, match=r"at most 0\.8889 with 8 rows that were held out"):
        model.columns(fresh, 0.9)
    with pytest.raises(InvalidInput, match="coverage must be"):
        model.columns(fresh, 1.0)


def test_without_rows_that_tell_errors_there_are_no_intervals():
    training = train_split(DataSplit.of(table(40, 0), "y", separate_test=True), QUICK)
    assert (training.held_out, training.errors_of) == (None, ())
    assert list(training.model().columns(table(5, 1))) == ["prediction"]
    with pytest.raises(InvalidInput, match="errors on held-out rows"):
        training.model().columns(table(5, 1), 0.9)


def test_a_fold_is_predicted_by_what_the_others_choose_trained_without_it():
    split = DataSplit.of(table(60, 0), "y", separate_test=True)
    training = train_split(split, CHOOSES)
    assert training.choice is not None
    found, y = table_errors._by_folds(training.choice, split, CHOOSES, None), split.train.y
    X, rows = split.train.X, folds_of(split, seeds_of(CHOOSES.seed).split)
    for place, (fold, (train, test)) in enumerate(zip(found, rows, strict=True)):
        one = chosen_by(training.choice.candidates, [k for k in range(5) if k != place])
        middle, scale = X[train].mean(0), X[train].std(0)
        mean, std = y[train].mean(), y[train].std()
        inputs = np.column_stack([np.ones(48), (X[train] - middle) / scale])
        penalty = one.alpha * np.diag([0.0, 1.0, 1.0])
        theta = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ (y[train] - mean) / std)
        wanted = (theta[0] + (X[test] - middle) / scale @ theta[1:]) * std + mean
        np.testing.assert_array_equal(fold.rows, test)
        np.testing.assert_allclose(fold.outputs[0, :, 0], wanted, atol=1e-4)


def test_the_record_is_of_the_starts_that_were_cross_validated():
    split = DataSplit.of(table(60, 0), "y", separate_test=True)
    settings = dataclasses.replace(QUICK, hidden=(3,), max_iter=20)
    found = cross_validated(split, settings, repeats=2)
    assert found is not None
    assert len(found.of_starts) == 10
    for place, fold in enumerate(found.of_starts):
        assert fold.outputs.shape == (3, 12, 1)
        predicted = found.predictions[place // 5][fold.rows]
        np.testing.assert_allclose(fold.outputs.mean(axis=0), predicted, rtol=1e-12)


@pytest.mark.parametrize(("combine", "starts"), [("average", 4), ("lowest-cost", 1), ("best", 1)])
def test_a_single_start_is_judged_by_single_starts(combine, starts):
    settings = Settings(hidden=(3,), alpha=1.0, starts=3, combine=combine, max_iter=30)
    split = DataSplit.of(table(100, 0), "y", validation=0.2)
    training = train_split(split, settings)
    assert training.errors_of == ("training",)
    folds = table_errors._by_folds(training.choice, split, settings, None)
    assert [len(fold.outputs) for fold in folds] == [starts] * 5


def test_validation_rows_that_choose_the_start_tell_no_errors():
    split = DataSplit.of(table(300, 0), "y", validation=0.2)
    training = train_split(split, dataclasses.replace(QUICK, combine="best"))
    assert training.errors_of == ("holdout",)


# The file


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m"
    model = WAYS["folds that chose"]().model()
    model.save(path)
    return model, path


def test_a_saved_model_gives_the_same_intervals(saved):
    model, path = saved
    fresh = table(50, 1)
    before, after = model.columns(fresh, 0.8), Model.load(path).columns(fresh, 0.8)
    for name in ("prediction", "lower", "upper"):
        assert before[name].tobytes() == after[name].tobytes()


def test_a_file_of_before_has_no_intervals(saved, tmp_path):
    arrays, settings = load_model(saved[1])
    kept = {name: arrays[name] for name in ("theta", "seen_rows")}
    save_model(tmp_path / "old", kept, settings)
    model = Model.load(tmp_path / "old")
    assert model.held_out is None
    assert list(model.columns(table(5, 1))) == ["prediction"]


DAMAGE = {
    "not finite": lambda a: a | {"held_out/scores": a["held_out/scores"] * np.nan},
    "negative": lambda a: a | {"held_out/weight": -a["held_out/weight"]},
    "other lengths": lambda a: a | {"held_out/weight": a["held_out/weight"][1:]},
    "infinite": lambda a: a | {"held_out/size0/intercept": np.array(np.inf)},
    "no rows": lambda a: a | {"held_out/n": np.array(0.0)},
    "missing": lambda a: {name: one for name, one in a.items() if name != "held_out/n"},
    "of whole numbers": lambda a: a | {"held_out/weight": a["held_out/weight"].astype(np.int64)},
    "of two outputs": lambda a: a | {"held_out/scores": np.repeat(a["held_out/scores"], 2, 1)},
    "of other features": lambda a: a | {
        f"held_out/size0/{name}": np.ones(3)
        for name in ("middle", "scale", "low", "high", "coef")
    },
    "a row": lambda a: a | {"held_out/scores": a["held_out/scores"][:, 0]},
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_errors_that_do_not_fit_are_refused_in_a_sentence(saved, tmp_path, kind):
    arrays, settings = load_model(saved[1])
    save_model(tmp_path / "bad", DAMAGE[kind](arrays), settings)
    with pytest.raises(InvalidInput, match="must be"):
        Model.load(tmp_path / "bad")
