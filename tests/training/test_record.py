"""The record of a training: every fact once, and what is made of it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import polars as pl
import pytest

import symbreak as sb
from symbreak import training
from symbreak.cli import main
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.optimize import Status
from symbreak.tables.table import Table
from symbreak.training import predictions, table_training, train
from symbreak.training.checks import gradient_report
from symbreak.training.data_split import DataSplit
from symbreak.training.scores import target_scores
from symbreak.training.settings import Settings
from symbreak.training.table_training import train_split

random = np.random.default_rng(1)
X = random.normal(size=(120, 3))
TABLE = Table.of(
    pl.DataFrame(
        {
            "a": X[:, 0],
            "b": X[:, 1],
            "c": X[:, 2],
            "kind": np.where(X[:, 0] * X[:, 1] > 0, "same", "other"),
            "size": X @ [3.0, -1.0, 0.5] + 20.0,
        }
    ),
    "/somewhere/on/this/machine/shop.csv",
)
FEW = Settings(hidden=(4,), starts=3, max_iter=25, search=False)
SPLITS = {
    "kind": DataSplit.of(TABLE, "kind", drop=["size"], validation=0.15),
    "size": DataSplit.of(TABLE, "size", validation=0.15),
}


@pytest.fixture(params=SPLITS)
def found(request):
    return train_split(SPLITS[request.param], FEW)


@pytest.fixture
def calls(monkeypatch):
    """The shapes of theta of every call of `Network.predict`."""
    seen, predict = [], Network.predict

    def counting(self, theta, X):
        seen.append(tuple(np.shape(theta)))
        return predict(self, theta, X)

    monkeypatch.setattr(Network, "predict", counting)
    return seen


@pytest.mark.parametrize(("max_iter", "most"), [(5, 1), (300, 2)])
def test_each_part_of_the_data_is_predicted_once(calls, tmp_path, max_iter, most):
    """The hold-out, and the training rows where minima are compared by predictions."""
    files = {name: str(tmp_path / name) for name in ("model", "json", "report")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    code = main(
        ["train", "--quick", "--dataset", "iris", "--max-iter", str(max_iter), "--quiet", *words]
    )
    assert code == 0
    assert len(calls) == most
    assert calls[0][0] == 16


def test_every_start_and_all_of_them_are_scored_by_what_they_predict(found):
    split = found.split
    for name, part in (("validation", split.validation), ("holdout", split.holdout)):
        for start, scores in enumerate(found.scores_of_starts(name)):
            alone = found.network.predict(found.outcome.theta[start], part.X)
            expected = target_scores(split.target, part.y, alone)
            assert scores is not None
            assert expected is not None
            assert scores.score == pytest.approx(expected.score, rel=1e-12)
            assert scores.error == pytest.approx(expected.error, rel=1e-12)
    together = target_scores(split.target, split.holdout.y, found.predict(split.holdout.X))
    assert found.holdout == together


def test_predictions_that_would_fill_the_memory_are_made_start_by_start(calls, monkeypatch):
    at_once = train_split(SPLITS["kind"], FEW)
    monkeypatch.setattr(predictions, "MOST_BYTES", 0)
    calls.clear()
    single = train_split(SPLITS["kind"], FEW)
    for name in ("singles", "validation", "holdout"):
        assert getattr(at_once, name) == getattr(single, name)
    assert max(shape[0] for shape in calls[:-1]) == 1


def test_the_lead_is_the_kept_start_with_the_lowest_j(found):
    assert found.lead == int(found.outcome.value.argmin())
    only = dataclasses.replace(found, kept=(1, 2))
    assert only.lead == 1 + int(found.outcome.value[1:].argmin())


def test_a_model_is_the_part_that_predicts(found):
    model = found.model()
    np.testing.assert_array_equal(model.theta, found.theta)
    assert model.summary["holdout"] == found.to_dict()["scores"]["holdout"]
    rows = found.split.preparation.transform(TABLE)
    expected = found.predict(rows)
    shown = model.columns(TABLE)
    if model.target.classes:
        np.testing.assert_array_equal(shown["probability of other"], expected[:, 0])
    else:
        np.testing.assert_array_equal(shown["prediction"], model.target.unscale(expected[:, 0]))


@pytest.mark.parametrize("target", SPLITS)
def test_equal_runs_give_equal_model_files(tmp_path, target):
    """In other folders too: neither the time nor a path is in the file."""
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        TABLE.frame.write_csv(folder / "shop.csv")
        words = ["train", folder / "shop.csv", "--target", target, "--starts", 3, "--hidden", 4,
                 "--quick", "--max-iter", 20, "--quiet", "--model", folder / "m",
                 "--json", folder / "f.json"]  # fmt: skip
        assert main([str(word) for word in words]) == 0
        made.append(folder)
    first, second = ((folder / "m").read_bytes() for folder in made)
    assert first == second
    assert str(tmp_path).encode() not in first
    one, two = (json.loads((folder / "f.json").read_text()) for folder in made)
    for data in (one, two):  # what differs between the runs stands here, and here alone
        del data["seconds"], data["settings"], data["data"]["source"]
    assert one == two


def test_a_training_on_arrays_is_no_model_of_a_table():
    net = sb.Network((3, 2, 2), "tanh", "cross_entropy")
    made = train(net, X, (X[:, 0] > 0).astype(np.int64), starts=2, max_iter=5)
    with pytest.raises(InvalidInput, match="A model must come from a training on a table"):
        made.model()
    plain = made.to_dict()
    assert plain["data"] is plain["scores"]["holdout"] is None
    assert [row["J"] for row in plain["starts"]] == made.outcome.value.tolist()
    assert json.loads(json.dumps(plain))["starts"] == plain["starts"]


def test_the_words_of_the_starts_are_those_of_the_statuses(found):
    words = {row["status"] for row in found.to_dict()["starts"]}
    assert words <= {"converged", "max iterations"}
    assert {status.word for status in found.outcome.status} == words
    assert Status.NON_FINITE_START.word == "non finite start"


def test_without_a_hold_out_there_is_no_score_of_it():
    split = DataSplit.of(TABLE, "size", validation=0.0, separate_test=True)
    made = train_split(split, FEW)
    assert (made.holdout, made.singles, made.validation) == (None, (), ())
    assert made.to_dict()["starts"][0]["holdout"] is None
    assert "scores" not in sb.report(made).data
    assert made.predictions["training"].scores[made.lead] is not None


def test_a_wrong_gradient_ends_a_training_before_it_begins(monkeypatch):
    def wrong(cost, theta):
        return dataclasses.replace(gradient_report(cost, theta), verdict="fail")

    monkeypatch.setattr(table_training, "gradient_report", wrong)
    with pytest.raises(InvalidInput, match="nothing was trained"):
        train_split(SPLITS["kind"], FEW)


def test_a_validation_part_is_needed_to_choose_the_best():
    split = DataSplit.of(TABLE, "kind", drop=["size"], validation=0.0)
    with pytest.raises(InvalidInput, match="lowest-cost"):
        train_split(split, dataclasses.replace(FEW, combine="best"))


def test_the_penalty_may_be_chosen_by_cross_validation():
    made = train_split(SPLITS["kind"], dataclasses.replace(FEW, search=True, max_iter=4))
    assert made.choice is not None
    assert made.cost is not None
    written = made.to_dict()["search"]
    taken = written["candidates"][written["taken"]]
    assert float(made.cost.alpha) == made.choice.best.alpha == taken["alpha"]


def test_of_all_starts_that_are_kept_the_one_that_leads_predicts():
    network = sb.Network((3, 2, 1), "tanh", "squared_error")
    theta = sb.initialize(network, starts=3, seed=0)
    outcome = sb.minimize(sb.NetworkCost(network, X, X[:, 0]), theta, max_iter=3)
    lead = outcome.best
    assert lead > 0
    record = training.Training.of(network, outcome, "all")
    assert record.kept == (0, 1, 2)
    assert (record.lead, record.ranked[0], record.predicting) == (lead, lead, (lead,))
    alone = network.predict(outcome.theta[lead], X)
    np.testing.assert_allclose(record.predict(X), alone, rtol=1e-12)
    mean = training.Training.of(network, outcome, "average")
    assert mean.predicting == (0, 1, 2)
    assert np.abs(mean.predict(X) - alone).max() > 1e-3


def test_scores_by_which_the_search_was_validated_choose_the_best_start():
    network = sb.Network((3, 2, 1), "tanh", "squared_error")
    theta = sb.initialize(network, starts=4, seed=4)
    scores = iter([[-0.5, -0.75, np.nan, -0.75]] * 9)

    def validation(rows):
        return np.column_stack([next(scores), [1.0, 3.0, 0.5, 2.0]])

    cost = sb.NetworkCost(network, X, X[:, 0])
    outcome = sb.minimize(cost, theta, max_iter=1, validation=validation)
    record = training.Training.of(network, outcome, "best")
    assert record.kept == (3,)  # of equal scores the one with the lower loss
    assert [one.score for one in record.validation if one] == pytest.approx(
        [0.5, 0.75, np.nan, 0.75], nan_ok=True
    )
    shown = [row["validation"] for row in record.to_dict()["starts"]]
    assert shown == [{"score": 0.5}, {"score": 0.75}, {"score": None}, {"score": 0.75}]


def test_the_old_name_of_the_record_is_known():
    with pytest.warns(DeprecationWarning, match="called Training now"):
        assert training.Trained is training.Training
