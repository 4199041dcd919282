"""An estimator, a training in Python and `symbreak train` show one run in the same numbers.

The same rows, standardised alike, the same starts and the same search: what the three say of J,
iterations, endings, kept starts and scores must agree.
"""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

import symbreak as sb
from symbreak.tables.datasets import load_dataset
from symbreak.training import Settings, train_split
from symbreak.training.data_split import DataSplit
from symbreak.training.scores import target_scores
from symbreak.training.seeds import seeds_of
from tests.fitting import quiet
from tests.reports.conftest import island_of

SEED = seeds_of(0).starts  # of the starts that random_state=0 draws
UPDATES = 15
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "average": ({"alpha": 1.0}, {"alpha": 1.0}),
    "lowest-cost": (
        {"alpha": 1.0, "combine": "lowest-cost"},
        {"alpha": 1.0, "combine": "lowest-cost"},
    ),
    "diverged": (
        {"alpha": 0.01, "method": "gradient-descent",
         "method_options": {"learning_rate": 1e8, "momentum": 0.0}},
        {"alpha": 0.01, "solver": "gradient-descent", "learning_rate_init": 1e8, "momentum": 0.0,
         "n_iter_no_change": np.inf},
    ),
}  # fmt: skip


def words_of(settings: dict[str, Any]) -> list[Any]:
    """Return the options of the command for settings of a training."""
    options = {**settings, **settings.get("method_options", {})}
    options.pop("method_options", None)
    return [word for name, value in options.items()
            for word in (f"--{name.replace('_', '-')}", value)]  # fmt: skip


@pytest.fixture(params=[(data, way) for data in ("iris", "diabetes") for way in WAYS],
                ids=" / ".join)  # fmt: skip
def made(request, run, tmp_path):
    """The estimator, the parts, the record, the JSON of the command and the data of its page."""
    data, way = request.param
    settings, parameters = WAYS[way]
    ran = run(
        "train", "--quick", "--dataset", data, "--validation", 0, "--seed", SEED, "--starts", 4,
        "--hidden", 5, "--activation", "tanh", "--max-iter", UPDATES, *words_of(settings),
        "--json", tmp_path / "run.json", "--report", tmp_path / "r.html",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    table, task = load_dataset(data)
    parts = DataSplit.of(table, "target", task=task, validation=0.0, seed=SEED)
    record = train_split(
        parts,
        Settings(
            hidden=(5,),
            activation="tanh",
            starts=4,
            seed=SEED,
            max_iter=UPDATES,
            search=False,
            **settings,
        ),
    )
    kind = sb.MLPClassifier if task == "classification" else sb.MLPRegressor
    net = kind(
        (5,), "tanh", init="glorot_uniform", n_starts=4, random_state=0, max_iter=UPDATES,
        **{"solver": "l-bfgs", **parameters},
    )  # fmt: skip
    quiet(net, *parts.train)
    page = island_of((tmp_path / "r.html").read_text("utf-8"))
    return net, parts, record, json.loads((tmp_path / "run.json").read_text("utf-8")), page


def near(wanted: Any) -> Any:
    """Rounding of the same sums, which depends on where the arrays lie in memory."""
    return pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_the_record_of_an_estimator_is_that_of_the_training(made):
    net, _, record, written, _ = made
    ours = net.training_
    assert ours.kept == record.kept == tuple(written["scores"]["kept_starts"])
    assert (ours.lead, ours.combine) == (record.lead, record.combine)
    assert ours.n_diverged == record.n_diverged
    np.testing.assert_allclose(ours.theta, record.theta, rtol=1e-7, atol=1e-9)
    names = ("start", "iterations", "best_iteration", "status", "kept")
    rows = zip(ours.to_dict()["starts"], written["starts"], strict=True)
    for one, other in rows:
        assert [one[name] for name in names] == [other[name] for name in names]
        assert one["J"] == near(other["J"])


def test_its_fitted_attributes_are_those_numbers(made):
    net, _, record, written, _ = made
    table = net.starts_
    for name, key in (("n_iter", "iterations"), ("status", "status"), ("kept", "kept")):
        assert table[name].tolist() == [row[key] for row in written["starts"]]
    assert table["loss"].tolist() == near([row["J"] for row in written["starts"]])
    assert net.kept_[0] == record.lead
    assert set(net.kept_) == set(record.kept)
    lead = written["starts"][record.lead]
    assert net.loss_ == net.best_loss_ == near(lead["J"])
    assert net.n_iter_ == len(net.loss_curve_) == lead["iterations"]
    history = record.outcome.history[1 : net.n_iter_ + 1, record.lead]
    assert net.loss_curve_ == near(history.tolist())
    np.testing.assert_array_equal(net.thetas_, net.outcome_.theta[net.kept_])


def test_its_score_is_the_score(made):
    net, parts, record, written, _ = made
    X, y = parts.holdout
    assert record.holdout is not None
    once = written["scores"]["holdout"]
    output = net.predict_proba(X) if parts.target.classes else net.predict(X)[:, None]
    found = target_scores(parts.target, y, output)
    assert found is not None
    assert found.as_dict() == near(once)
    if parts.target.classes or len(record.kept) == 1:
        assert net.score(X, y) == near(record.holdout.score)
    np.testing.assert_allclose(output, record.predict(X), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(net.training_.predict(X), record.predict(X), rtol=1e-7, atol=1e-12)


def test_its_page_is_the_page(made):
    net, _, record, _, page = made
    ours = sb.report(net).data
    for name in ("n_starts", "n_usable", "n_converged", "lowest_status", "n_lowest"):
        assert ours["restarts"][name] == page["restarts"][name]
    assert ours["restarts"]["lowest_J"] == near(page["restarts"]["lowest_J"])
    of_page = {row["start"]: row for row in page["starts"]}
    for row in ours["starts"]:
        other = of_page[row["start"]]
        for name in ("iterations", "best_iteration", "evaluations", "status", "status_text"):
            assert row[name] == other[name]
        assert row["used"] == other["used"]
        assert row["J"] == near(other["J"])
    assert ours["curves"]["chosen"] == page["curves"]["chosen"] == record.lead
    assert ours["network"]["start"] == page["network"]["start"] == record.lead
    for name in ("sizes", "activations", "iterations_made"):
        assert ours["network"][name] == page["network"][name]
    assert ours["network"]["iterations"][-1] == page["network"]["iterations"][-1]
    assert ours["network"]["J"][-1] == near(page["network"]["J"][-1])


def test_what_comes_back_from_a_file_says_the_same(made, tmp_path):
    net = made[0]
    net.save(tmp_path / "net")
    for back in (type(net).load(tmp_path / "net"), pickle.loads(pickle.dumps(net))):
        ours, other = net.training_.to_dict(), back.training_.to_dict()
        assert other == ours
        assert sb.report(back).data == sb.report(net).data


def test_the_net_that_a_search_refits_has_the_record_too(made):
    net, parts, _, _, _ = made
    search = sb.StackedSearchCV(net, {"alpha": [net.alpha]}, cv=2)
    found = quiet(search, *parts.train).best_estimator_.training_.to_dict()
    ours = net.training_.to_dict()
    for one, other in zip(found["starts"], ours["starts"], strict=True):
        assert one == {**other, "J": near(other["J"])}
    assert found["scores"] == ours["scores"]
