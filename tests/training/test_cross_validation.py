"""The score of a whole training by cross-validation."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import KFold

import symbreak as sb
from symbreak.cli import main
from symbreak.tables.table import Table
from symbreak.training.cross_validation import FEW_ROWS, LEAST_SCORED, cross_validated, repeats_for
from symbreak.training.data_split import DataSplit
from symbreak.training.scores import number_scores
from symbreak.training.settings import Settings
from tests.reports.conftest import island_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(50, 2))
Y = 10.0 + X @ [3.0, -1.0] + RANDOM.normal(size=50)
LINEAR = Settings(hidden=(), alpha=2.0, starts=1)


def split_of(y, **columns):
    names = {"a": X[:, 0], "b": X[:, 1], "y": y}
    roles = {name: name for name in columns}
    table = Table.of(pl.DataFrame({**names, **columns}), "t.csv")
    return DataSplit.of(table, "y", separate_test=True, **roles)


def test_each_row_is_predicted_by_a_training_without_it():
    found = cross_validated(split_of(Y), LINEAR, repeats=2)
    assert found is not None
    assert (found.folds, found.repeats) == (5, 2)
    assert found.words == "5-fold cross-validation, twice"
    for repeat in range(2):
        wanted = np.zeros(50)
        for train, test in KFold(5, shuffle=True, random_state=repeat).split(X):
            inputs = (X - X[train].mean(0)) / X[train].std(0)
            mean, std = Y[train].mean(), Y[train].std()
            network = sb.Network((2, 1), "tanh", "squared_error")
            cost = sb.NetworkCost(network, inputs[train], (Y[train] - mean) / std, alpha=2.0)
            outcome = sb.minimize(cost, sb.initialize(network, starts=1, seed=0))
            wanted[test] = network.predict(outcome.theta[0], inputs[test])[:, 0] * std + mean
        predicted = found.target.unscale(found.predictions[repeat, :, 0])
        np.testing.assert_allclose(predicted, wanted, rtol=1e-4)
    pooled = found.target.unscale(found.predictions[:, :, 0])
    scores = number_scores(np.tile(Y, 2), pooled.ravel())
    assert found.scores is not None
    assert found.scores.score == pytest.approx(scores.score)
    assert found.scores.error == pytest.approx(scores.error)


def test_the_standard_error_is_that_of_a_mean_over_rows():
    found = cross_validated(split_of(Y), LINEAR)
    assert found is not None
    assert found.scores is not None
    squares = (found.target.unscale(found.predictions[0, :, 0]) - Y) ** 2
    error = squares.std(ddof=1) / math.sqrt(50)
    of_r2, of_rmse = found.standard_errors
    assert of_r2 == pytest.approx(error / Y.var())
    assert of_rmse == pytest.approx(error / (2 * found.scores.error))
    kinds = np.where(RANDOM.permutation(50) < 25, "u", "v")
    classes = cross_validated(split_of(kinds), LINEAR)
    assert classes is not None
    assert classes.scores is not None
    p = classes.scores.score
    assert classes.standard_errors[0] == pytest.approx(math.sqrt(p * (1 - p) / 49))


def test_a_weight_counts_in_score_and_error():
    found = cross_validated(split_of(Y, weight=np.full(50, 3.0)), LINEAR)
    plain = cross_validated(split_of(Y), LINEAR)
    assert found is not None
    assert plain is not None
    assert found.scores is not None
    assert plain.scores is not None
    assert found.scores.score == pytest.approx(plain.scores.score, rel=1e-2)
    weight = np.where(np.arange(50) < 25, 1.0, 0.0)
    half = cross_validated(split_of(Y, weight=weight), LINEAR)
    assert half is not None
    assert half.scores is not None
    predicted = half.target.unscale(half.predictions[0, :25, 0])
    assert half.scores.error == pytest.approx(math.sqrt(np.mean((predicted - Y[:25]) ** 2)))


def coins(group=None):
    """Return the accuracy of a coin per patient, whose rows lie close together."""
    random = np.random.default_rng(3)
    patient = np.repeat(np.arange(40), 10)
    place = random.normal(size=(40, 3))[patient] + 0.01 * random.normal(size=(400, 3))
    coin = random.permutation(np.arange(40) % 2)[patient]
    frame = pl.DataFrame({
        **{f"x{j}": column for j, column in enumerate(place.T)},
        "patient": patient, "coin": np.where(coin, "heads", "tails"),
    })  # fmt: skip
    split = DataSplit.of(
        Table.of(frame, "coins.csv"), "coin", drop=["patient"], separate_test=True, group=group
    )
    settings = Settings(hidden=(20,), activation="tanh", alpha=0.01, starts=2, max_iter=200)
    found = cross_validated(split, settings)
    assert found is not None
    assert found.scores is not None
    return found


def test_a_coin_for_each_patient_is_not_known_of_others():
    assert coins().scores.score > 0.95
    apart = coins(group="patient")
    assert abs(apart.scores.score - 0.5) < 0.25
    # Forty coins, not four hundred.
    assert apart.standard_errors[0] > 2 * math.sqrt(0.25 / 400)


def test_few_rows_are_validated_and_many_held_out():
    assert repeats_for(60, 4) == 2
    assert repeats_for(500, 4) == 1
    assert repeats_for(FEW_ROWS, 4) == 0
    assert repeats_for(500, 200) == 0


def test_terminal_json_page_and_model_show_one_score(tmp_path, capsys):
    split_of(Y).table.frame.write_csv(tmp_path / "t.csv")
    files = {name: str(tmp_path / name) for name in ("model", "json", "report")}
    words = ["train", str(tmp_path / "t.csv"), "--target", "y", "--hidden", "none", "--starts", "2"]
    code = main([*words, *(word for name, path in files.items() for word in (f"--{name}", path))])
    assert code == 0
    out = " ".join(capsys.readouterr().out.split())
    written = json.loads((tmp_path / "json").read_text("utf-8"))["scores"]["cross_validation"]
    r2, error = written["scores"]["r2"], written["standard_error"]["r2"]
    assert "Split: all 50 rows train" in out
    assert f"5-fold cross-validation, twice (50 rows): R2 {r2:.4f} ± {error:.4f} (standard" in out
    assert len(written["chosen"]) == 10
    page = island_of((tmp_path / "report").read_text("utf-8"))
    assert page["scores"]["r2"] == r2
    assert page["scores"]["rows"] == 50
    assert page["scores"]["r2_interval"] == pytest.approx(
        [r2 - 1.96 * error, r2 + 1.96 * error], rel=1e-3
    )
    assert main(["report", files["model"], "--json", str(tmp_path / "again.json")]) == 0
    assert main(["report", files["model"], "-o", str(tmp_path / "again.html")]) == 0
    assert "<dt>cross-validated r2</dt>" in (tmp_path / "again.html").read_text("utf-8")
    again = json.loads((tmp_path / "again.json").read_text("utf-8"))
    assert again["at_training"]["cross_validation"] == written
    card = next(one for one in again["first_screen"] if one["name"] == "How good")
    assert card["detail"] == "By cross-validation of its training."


def exact(rows):
    """Return the line y = 2a."""
    a = np.linspace(-1.0, 1.0, rows)
    return DataSplit.of(
        Table.of(pl.DataFrame({"a": a, "y": 2.0 * a}), "t.csv"), "y", separate_test=True
    )


@pytest.mark.parametrize("rows", [10, 12])
def test_the_fewest_rows_are_scored_by_folds_that_choose_as_all_rows_do(rows):
    found = cross_validated(exact(rows), Settings(starts=2, activation="tanh"))
    assert found is not None
    assert None not in found.choices
    assert found.scores is not None
    assert found.scores.score > 0.95
    assert found.words == "5-fold cross-validation"
    assert found.as_dict()["unchosen_folds"] == 0


def test_folds_that_could_not_choose_are_told_beside_the_score():
    found = cross_validated(exact(12), Settings(starts=1, max_iter=5, budget=0.0), repeats=2)
    assert found is not None
    assert found.words == (
        "5-fold cross-validation, twice, of the usual network in 10 of 10 folds, which could not "
        "choose one"
    )
    assert found.as_dict()["unchosen_folds"] == 10
    given = cross_validated(split_of(Y), LINEAR)
    assert given is not None
    assert given.words == "5-fold cross-validation"


def test_too_few_rows_for_folds_that_choose_are_held_out():
    assert repeats_for(LEAST_SCORED, 4) == 2
    assert repeats_for(LEAST_SCORED - 1, 4) == 0
