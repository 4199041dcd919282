"""The page of `symbreak train --report`: its structure, and its numbers computed again."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn.datasets import load_iris
from sklearn.metrics import confusion_matrix, log_loss, r2_score, root_mean_squared_error

import symbreak as sb
from symbreak.cli import main
from symbreak.tables.read import read_table
from symbreak.tables.split import split_rows
from symbreak.training.model import Model
from tests.reports.conftest import island_of, trained_page

# The golden structure: what the data of a page holds, and which kinds of things.
STRUCTURE = {
    "first_screen": ["detail", "level", "name", "value"],
    "scores": [
        "accuracy", "accuracy_interval", "calibration_error", "calibration_error_by_chance",
        "confusion", "effective_rows", "how", "kind", "log_loss", "most_frequent_share",
        "reliability", "rows",
    ],
    "comparison": ["entries", "rows", "where"],
    "importance": ["columns", "of_columns"],
    "restarts": [
        "chance_of_lower_at_most", "chance_of_new", "lowest_J", "lowest_status", "minima",
        "n_converged", "n_lowest", "n_minima", "n_starts", "n_usable", "needs_more_starts", "rtol",
        "text",
    ],
    "starts": [
        "J", "best_iteration", "evaluations", "gradient_norm", "holdout", "iterations", "start",
        "status", "status_text", "used", "validation",
    ],
    "curves": ["chosen", "lines", "of_starts"],
    "network": [
        "J", "activations", "distinct", "iterations", "iterations_made", "picture", "shown",
        "sizes", "start",
    ],
    "distinct": ["iterations", "layers", "start"],
    "signals": ["layers", "rows", "starts"],
    "gradient_check": [
        "J", "blocks", "directions", "finding", "line", "n_checked", "n_evaluations",
        "n_parameters", "of_blocks", "relative_error", "rows_of_data", "tolerance", "verdict",
    ],
    "symmetry": ["finding", "is_broken", "kinds", "least", "line", "units"],
    "data": [
        "classes", "column_table", "columns", "holdout_rows", "n_classes", "n_features", "notes",
        "of_columns", "rows", "source", "target", "target_mean", "target_std", "task",
        "train_rows", "validation_rows",
    ],
    "reproduce": ["command", "python", "settings"],
}  # fmt: skip
SECTIONS = [
    "scores", "importance", "advice", "starts", "curves", "signals", "network", "gradient",
    "data-used", "reproduce", "numbers",
]  # fmt: skip


class Outline(HTMLParser):
    """Ids, headings with ids, and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[str] = []
        self.fetched: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if "id" in known:
            self.ids.append(known["id"])
        if tag == "h2" and "id" in known:
            self.headings.append(known["id"])
        if known.get("href", "").startswith("#"):
            self.targets.append(known["href"][1:])
        self.fetched += [
            value for name, value in attrs
            if name in ("src", "srcset", "action", "data", "poster")
            or (name == "href" and value[:1] != "#" and value != "data:,")
        ]  # fmt: skip


def test_the_structure_of_data_and_page_is_the_golden_one(flowers):
    page = (flowers / "page.html").read_text("utf-8")
    data = island_of(page)
    for section, keys in STRUCTURE.items():
        one = data[section][0] if isinstance(data[section], list) else data[section]
        assert sorted(one) == keys, section
    outline = Outline()
    outline.feed(page)
    assert outline.headings == SECTIONS
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.targets) <= set(outline.ids)
    assert outline.fetched == []
    names = [card["name"] for card in data["first_screen"]]
    assert names == ["What", "How good", "Starts", "Gradient", "Symmetry", "What to do next"]
    assert len(page.encode()) < 3_000_000


def test_the_same_training_writes_the_same_bytes(tmp_path):
    words = ("--dataset", "iris", "--starts", 3, "--hidden", 3, "--max-iter", 15)
    page = tmp_path / "page.html"
    assert trained_page(page, *words) == trained_page(page, *words)


def by_hand(model: Model, X: np.ndarray) -> np.ndarray:
    """Return the mean soft-max over the starts, from the numbers of the file alone."""
    predictions = []
    for theta in model.theta:
        a, place = X, 0
        sizes = model.network.layers
        for layer, (below, above) in enumerate(pairwise(sizes)):
            Theta = theta[place : place + above * (1 + below)].reshape(above, 1 + below)
            place += above * (1 + below)
            z = np.column_stack([np.ones(len(a)), a]) @ Theta.T
            a = np.tanh(z) if layer < len(sizes) - 2 else softmax(z, axis=1)
        predictions.append(a)
    return np.mean(predictions, axis=0)


def test_scores_are_those_of_the_saved_model_computed_by_hand(flowers):
    data = island_of((flowers / "page.html").read_text("utf-8"))
    model = Model.load(flowers / "model")
    X, y = load_iris(return_X_y=True)
    # Which rows are held out depends on the seed alone; the scale is that of the training rows.
    shares = (0.8 * 0.85, 0.8 * 0.15, 0.2)
    train, _, held = split_rows(y, shares, "classification", 3)
    X = (X - X[train].mean(0)) / X[train].std(0)
    probability = by_hand(model, X[held])
    guess, scores = probability.argmax(1), data["scores"]
    m, right = len(held), int((guess == y[held]).sum())
    assert scores["rows"] == m == 30
    assert scores["accuracy"] == right / m
    assert scores["log_loss"] == pytest.approx(log_loss(y[held], probability), rel=1e-10)
    assert scores["confusion"]["counts"] == confusion_matrix(y[held], guess).tolist()
    interval = binomtest(right, m).proportion_ci(method="wilson")
    assert scores["accuracy_interval"] == pytest.approx([interval.low, interval.high], rel=1e-12)
    sure, far = probability.max(1), 0.0
    in_order = np.argsort(sure, kind="stable")
    ends = np.cumsum([one["rows"] for one in scores["reliability"]])
    assert ends[-1] == m
    for one, rows in zip(scores["reliability"], np.split(in_order, ends[:-1]), strict=True):
        far += len(rows) / m * abs(one["mean_probability"] - one["right"])
        assert one["mean_probability"] == pytest.approx(sure[rows].mean(), rel=1e-10)
        assert one["right"] == pytest.approx((guess == y[held])[rows].mean())
    assert scores["calibration_error"] == pytest.approx(far)


def test_the_costs_of_the_starts_are_j_of_the_saved_theta(flowers):
    data = island_of((flowers / "page.html").read_text("utf-8"))
    model = Model.load(flowers / "model")
    X, y = load_iris(return_X_y=True)
    train, *_ = split_rows(y, (0.8 * 0.85, 0.8 * 0.15, 0.2), "classification", 3)
    X = (X - X[train].mean(0)) / X[train].std(0)
    J = {row["start"]: row["J"] for row in data["starts"]}
    assert list(J.values()) == sorted(J.values())
    for start, theta in zip(model.summary["kept_starts"], model.theta, strict=True):
        alone = Model(model.network, theta[None], model.preparation, model.target)
        p = by_hand(alone, X[train])
        weights = [Theta[:, 1:] for Theta in model.network.thetas(theta)]
        penalty = sum((W**2).sum() for W in weights) / (2 * len(train))  # alpha is 1
        wanted = -np.log(p[np.arange(len(train)), y[train]]).mean() + penalty
        assert J[start] == pytest.approx(wanted, rel=1e-9)
    record = json.loads((flowers / "run.json").read_text("utf-8"))
    assert {row["start"]: row["J"] for row in record["starts"]} == J


def test_the_diagram_ends_at_the_saved_theta(flowers):
    data = island_of((flowers / "page.html").read_text("utf-8"))
    model, found = Model.load(flowers / "model"), data["network"]
    place = model.summary["kept_starts"].index(found["start"])
    assert found["start"] == data["starts"][0]["start"] == data["curves"]["chosen"]
    last = found["picture"]["snapshots"][-1]
    assert last["updates"] == data["starts"][0]["best_iteration"] <= data["starts"][0]["iterations"]
    for Theta, drawn in zip(model.network.thetas(model.theta[place]), last["weights"], strict=True):
        np.testing.assert_allclose(drawn, Theta, rtol=1e-4)
    first = found["picture"]["snapshots"][0]
    theta = sb.initialize(model.network, "glorot_uniform", starts=6, seed=3)[found["start"]]
    for Theta, drawn in zip(model.network.thetas(theta), first["weights"], strict=True):
        np.testing.assert_allclose(drawn, Theta, rtol=1e-4)
    assert found["J"][-1] == pytest.approx(data["starts"][0]["J"], rel=1e-6)
    curve = next(c for c in data["curves"]["lines"] if c["start"] == found["start"])
    known = dict(zip(curve["iterations"], curve["J"], strict=True))
    for update, J in zip(found["iterations"][:-1], found["J"], strict=False):
        assert known.get(update, J) == J


def test_the_signals_are_those_of_a_pass_by_hand(flowers):
    data = island_of((flowers / "page.html").read_text("utf-8"))
    X, y = load_iris(return_X_y=True)
    train, *_ = split_rows(y, (0.8 * 0.85, 0.8 * 0.15, 0.2), "classification", 3)
    X = (X - X[train].mean(0)) / X[train].std(0)
    model = Model.load(flowers / "model")
    for start, theta in enumerate(sb.initialize(model.network, starts=6, seed=3)):
        Theta1, Theta2, Theta3 = model.network.thetas(theta)
        a2 = np.tanh(X[train] @ Theta1[:, 1:].T + Theta1[:, 0])
        a3 = np.tanh(a2 @ Theta2[:, 1:].T + Theta2[:, 0])
        a4 = softmax(a3 @ Theta3[:, 1:].T + Theta3[:, 0], axis=1)
        delta4 = a4 - np.eye(3)[y[train]]
        delta3 = delta4 @ Theta3[:, 1:] * (1 - a3**2)
        for place, (a, delta) in enumerate(((a2, None), (a3, delta3), (a4, delta4))):
            layer = data["signals"]["layers"][place]
            assert layer["a"][start] == pytest.approx(a.std(), rel=1e-5)
            if delta is not None:
                assert layer["delta"][start] == pytest.approx(delta.std(), rel=1e-5)


@pytest.mark.parametrize("more", [(), ("--epsilon", "0.5", "--alpha", "0.1", "--combine", "best")])
def test_the_python_and_the_command_of_the_page_train_the_same(shop_page, more, run_page):
    data = shop_page(*more)
    names: dict[str, Any] = {}
    exec(data["reproduce"]["python"], names)
    found = names["trained"]
    J = {row["start"]: row["J"] for row in data["starts"]}
    np.testing.assert_array_equal(list(found.outcome.value), [J[s] for s in sorted(J)])
    assert list(found.kept) == sorted(row["start"] for row in data["starts"] if row["used"])
    again = run_page(data["reproduce"]["command"])
    assert again == data


@pytest.fixture
def shop_page(tmp_path):
    random = np.random.default_rng(2)
    frame = pl.DataFrame({
        "a b": random.normal(size=60), "colour": ["red", "blue"] * 30,
        "price": random.normal(size=60) + 4.0,
    })  # fmt: skip
    frame.write_csv(tmp_path / "shop one.csv")

    def made(*more):
        page = trained_page(
            tmp_path / "shop.html", tmp_path / "shop one.csv", "--target", "price", "--starts", 4,
            "--hidden", 3, "--max-iter", 40, *more,
        )  # fmt: skip
        return island_of(page)

    return made


@pytest.fixture
def run_page(tmp_path):
    def run(command):
        assert main(shlex.split(command)[1:]) == 0
        return island_of((tmp_path / "shop.html").read_text("utf-8"))

    return run


def test_regression_scores_are_those_of_scikit_learn(shop_page, tmp_path):
    data = shop_page("--model", tmp_path / "m", "--validation", "0")
    scores = data["scores"]
    known = np.array(scores["pairs"]["known"])
    predicted = np.array(scores["pairs"]["predicted"])
    assert scores["r2"] == pytest.approx(r2_score(known, predicted), rel=1e-10)
    assert scores["rmse"] == pytest.approx(root_mean_squared_error(known, predicted), rel=1e-10)
    frame = pl.read_csv(tmp_path / "shop one.csv")
    model = Model.load(tmp_path / "m")
    everything = model.predict(read_table(tmp_path / "shop one.csv"))
    price = frame["price"].to_numpy()
    places = [int(np.flatnonzero(price == one)[0]) for one in known]
    np.testing.assert_allclose(predicted, everything[places], rtol=1e-12)
    low, high = scores["rmse_interval"]
    assert low < scores["rmse"] < high
    assert scores["residual_quantiles"]["0.5"] == pytest.approx(np.median(known - predicted))


def test_what_is_seen_is_what_is_stored(flowers):
    page = (flowers / "page.html").read_text("utf-8")
    data = island_of(page)
    text = re.sub(r"\s+", " ", page)
    share = f"{100 * data['scores']['accuracy']:.4g} % of 30 rows are right"
    assert share in text
    for row in data["starts"]:
        assert f'<td class="n" data-key="{row["J"]}">{row["J"]:.7g}</td>' in text
    assert f"{data['restarts']['n_lowest']} of 6 starts reached the best" in text
    assert data["gradient_check"]["rows_of_data"] == 64
    assert "J was taken of 64 training rows, spread evenly." in text
