"""One run, one number: terminal, JSON, page, saved model and Python show the same score.

The JSON files hold every digit, so the numbers in them must be equal, not near; what is printed
must be these very numbers, rounded. Infinite numbers are null in JSON and a word on the page.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error

import symbreak as sb
from symbreak.cli import train_run
from symbreak.tables.read import read_table
from symbreak.training import train
from symbreak.training.data_split import DataSplit
from symbreak.training.model import Model
from symbreak.training.scores import target_scores
from tests.reports.conftest import island_of

FEW = ("--starts", 2, "--hidden", "none", "--validation", 0, "--max-iter", 300)


def separable(rows: int, far: float | None = None, only: str | None = None) -> str:
    """Two classes far apart; one row on the wrong side, as far out as `far`."""
    x = np.linspace(-9.0, 9.0, rows)
    lines = [f"{value},{'up' if value > 0 else 'down'}" for value in x]
    lines += [] if far is None else [f"{far},down"]
    kept = lines if only is None else [line for line in lines if line.endswith(only)]
    return "\n".join(["x,y", *kept]) + "\n"


def numbers(y: list[float]) -> str:
    return "\n".join(["x,y", *(f"{place / 2},{value}" for place, value in enumerate(y))]) + "\n"


LINE = numbers([0.5 + 1.5 * place + (0.25 if place % 3 else -0.5) for place in range(30)])
CASES = {
    "probabilities that round to 1": (separable(80), separable(9, far=900.0)),
    "one class in the test": (separable(80), separable(9, only="up")),
    "one class, all wrong": (separable(80), "x,y\n900.0,down\n800.0,down\n"),
    "one row of a class": (separable(80), "x,y\n-3.0,down\n"),
    "numbers": (LINE, numbers([2.0, 1.0, 4.5, 3.0])),
    "numbers all alike": (LINE, numbers([3.25] * 7)),
    "one row of a number": (LINE, numbers([2.0])),
    "absurd rows": (LINE, "x,y\n1e149,1.0\n-1e149,2.0\n"),
}


@pytest.fixture(params=CASES)
def files(request, tmp_path):
    table, test = CASES[request.param]
    (tmp_path / "table.csv").write_text(table)
    (tmp_path / "test.csv").write_text(test)
    return tmp_path


def trained(run, folder, *words) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return what was printed, the JSON and the data of the page."""
    ran = run(
        "train", "--quick", folder / "table.csv", "--target", "y", "--test", folder / "test.csv",
        "--alpha", 0, *FEW, *words, "--json", folder / "run.json", "--report", folder / "r.html",
        "--model", folder / "m.symbreak",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    page = island_of((folder / "r.html").read_text("utf-8"))
    return ran.out, json.loads((folder / "run.json").read_text("utf-8")), page


def finite(scores: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return scores as the JSON of the command writes them."""
    if scores is None:
        return None
    known = {
        name: scores[name] for name in ("accuracy", "log_loss", "r2", "rmse") if name in scores
    }
    return {name: None if isinstance(one, str) else one for name, one in known.items()}


def test_every_place_shows_the_one_score(run, files):
    out, written, page = trained(run, files)
    once = written["scores"]["holdout"]
    assert finite(page["scores"]) == once
    model = Model.load(files / "m.symbreak")
    assert finite(model.summary["holdout"]) == once
    assert run("report", files / "m.symbreak", "--json", files / "kept.json").code == 0
    kept = json.loads((files / "kept.json").read_text())
    assert finite(kept["at_training"]["holdout"]) == once
    given = ("report", files / "m.symbreak", files / "test.csv", "--json", files / "again.json")
    assert run(*given).code == 0
    assert finite(json.loads((files / "again.json").read_text())["scores"]) == once
    for name, label in (("accuracy", "accuracy"), ("r2", "R2")):
        if once.get(name) is not None:
            assert f": {label} {once[name]:.4f}, " in out
    for name, label in (("log_loss", "log-loss"), ("rmse", "RMSE")):
        if once.get(name) is not None:
            assert f", {label} {once[name]:.4g}" in out


def test_it_is_the_score_of_the_training_in_python(run, files):
    _, written, page = trained(run, files)
    split = DataSplit.of(
        read_table(files / "table.csv"), "y", validation=0.0, separate_test=True
    ).with_test(read_table(files / "test.csv"))
    network = sb.Network((1, split.n_outputs), (), split.loss)
    found = train(network, *split.train, starts=2, alpha=0.0, max_iter=300)
    scores = target_scores(split.target, split.holdout.y, found.predict(split.holdout.X))
    assert scores is not None
    plain = {
        name: one if one is not None and math.isfinite(one) else None
        for name, one in scores.as_dict().items()
    }
    assert plain == written["scores"]["holdout"] == finite(page["scores"])


def test_every_start_has_one_score(run, files):
    _, written, page = trained(run, files)
    name = "accuracy" if "accuracy" in page["scores"] else "r2"
    of_page = {row["start"]: row["holdout"] for row in page["starts"]}
    for row in written["starts"]:
        shown = of_page[row["start"]]
        assert row["holdout"][name] == (None if isinstance(shown, str) else shown)


def test_it_is_what_scikit_learn_finds_in_the_predictions(run, files):
    _, written, _ = trained(run, files)
    once = written["scores"]["holdout"]
    model, test = Model.load(files / "m.symbreak"), read_table(files / "test.csv")
    columns, known = model.columns(test), test.column("y").to_numpy()
    if model.target.classes:
        assert once["accuracy"] == accuracy_score(known, columns["prediction"])
        names = [f"probability of {label}" for label in model.target.classes]
        shares = np.column_stack([columns[name] for name in names]).astype(float)
        loss = log_loss(known, shares, labels=list(model.target.classes))
        assert once["log_loss"] == pytest.approx(loss, rel=1e-12)
        return
    if once["rmse"] is not None:
        error = root_mean_squared_error(known, columns["prediction"])
        assert once["rmse"] == pytest.approx(error, rel=1e-12)
    if once["r2"] is not None:
        assert once["r2"] == pytest.approx(r2_score(known, columns["prediction"]), rel=1e-12)


def test_the_confusion_counts_the_answers_that_the_accuracy_counts(run, files):
    _, written, page = trained(run, files)
    if page["scores"]["kind"] == "classes":
        confusion = page["scores"]["confusion"]
        share = sum(confusion["right"]) / page["scores"]["rows"]
        assert share == written["scores"]["holdout"]["accuracy"]


def test_one_row_has_no_r2_and_every_place_says_so_in_words(run, tmp_path):
    (tmp_path / "table.csv").write_text(LINE)
    (tmp_path / "test.csv").write_text(numbers([2.0]))
    out, written, page = trained(run, tmp_path)
    assert ": R2 not defined for one row, RMSE " in out
    assert "a single start: R2 not defined for one row\n" in out
    assert written["scores"]["holdout"]["r2"] is page["scores"]["r2"] is None
    assert written["starts"][0]["holdout"]["r2"] is page["starts"][0]["holdout"] is None
    assert run("report", tmp_path / "m.symbreak", "-o", tmp_path / "kept.html").code == 0
    for name in ("r.html", "kept.html"):
        text = re.sub(r"<script.*?</script>", "", (tmp_path / name).read_text("utf-8"), flags=re.S)
        assert "R² not defined for one row" in text
        assert "not a number" not in text


def test_a_prediction_that_is_not_finite_has_no_score_anywhere(run, tmp_path):
    # y is a small difference of the columns, so the weights are large and float32 overflows.
    rows = [f"{place},{place + 0.1 * (-1) ** place},{(-1) ** place}.5" for place in range(30)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,y", *rows]))
    (tmp_path / "test.csv").write_text("a,b,y\n1e38,-1e38,1.0\n-1e38,1e38,2.0\n")
    out, written, page = trained(run, tmp_path, "--dtype", "float32")
    assert "no score, the prediction is not finite" in out
    assert written["scores"]["holdout"] is None
    assert page["scores"]["kind"] == "none"
    assert Model.load(tmp_path / "m.symbreak").summary["holdout"] is None
    given = ("report", tmp_path / "m.symbreak", tmp_path / "test.csv")
    ran = run(*given, "--json", tmp_path / "again.json", "-o", tmp_path / "again.html")
    assert ran.code == 0, ran.err
    assert json.loads((tmp_path / "again.json").read_text())["scores"]["kind"] == "none"
    assert "is not finite" in (tmp_path / "again.html").read_text("utf-8")


WAYS = {
    "found": ("--starts", 4),
    "best by validation": ("--starts", 3, "--validation", 0.3, "--combine", "best"),
    "lowest J": ("--starts", 3, "--combine", "lowest-cost", "--max-iter", 2),
    "diverged": ("--starts", 3, "--method", "gradient-descent", "--learning-rate", 1e8,
                 "--momentum", 0, "--hidden", 2, "--activation", "relu"),
    "equal units": ("--starts", 2, "--hidden", 3, "--init", "zeros", "--max-iter", 3),
    "searched": ("--starts", 2),
}  # fmt: skip
RUNS = [
    *(("one class in the test", way) for way in WAYS),
    ("numbers", "best by validation"), ("numbers", "diverged"),
    ("numbers all alike", "found"), ("one row of a number", "found"),
]  # fmt: skip


@pytest.fixture
def records(monkeypatch):
    """The records of the trainings that the command makes."""
    made = []

    scored = train_run._scored

    def noting(*args):
        made.append(scored(*args))
        return made[-1]

    monkeypatch.setattr(train_run, "_scored", noting)
    return made


@pytest.fixture(params=RUNS, ids=" / ".join)
def shown(request, run, tmp_path, records):
    """What one run shows: its record, the terminal, the JSON, the page and the model."""
    table, way = request.param
    for name, text in zip(("table.csv", "test.csv"), CASES[table], strict=True):
        (tmp_path / name).write_text(text)
    words = WAYS[way] if way == "searched" else ("--quick", "--alpha", 0.01, *WAYS[way])
    ran = run(
        "train", tmp_path / "table.csv", "--target", "y", "--test", tmp_path / "test.csv",
        "--validation", 0, "--max-iter", 40, "--hidden", "none", *words,
        "--json", tmp_path / "run.json", "--report", tmp_path / "r.html",
        "--model", tmp_path / "m.symbreak",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    written = json.loads((tmp_path / "run.json").read_text("utf-8"))
    page = island_of((tmp_path / "r.html").read_text("utf-8"))
    return records[0], ran.out + ran.err, written, page, Model.load(tmp_path / "m.symbreak")


def strict(value: Any) -> Any:
    """Return data as JSON of the command and of the page write it alike: no infinities."""
    words = ("inf", "-inf", "nan")
    if isinstance(value, dict):
        return {key: strict(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [strict(one) for one in value]
    is_infinite = isinstance(value, float) and not math.isfinite(value)
    return None if is_infinite or value in words else value


def test_every_place_shows_the_one_run(shown):
    made, text, written, page, model = shown
    assert written == strict(made.to_dict())
    assert strict(model.summary["holdout"]) == written["scores"]["holdout"]
    assert strict(model.summary["single_start"]) == written["scores"]["single_start"]
    assert strict(model.summary["intervals"]) == written["scores"]["intervals"]
    assert model.summary["kept_starts"] == written["scores"]["kept_starts"] == list(made.kept)
    assert finite(page["scores"]) == written["scores"]["holdout"]
    assert page["scores"]["rows"] == written["data"]["holdout_rows"]
    for name in ("n_starts", "n_usable", "n_converged", "lowest_status", "n_lowest"):
        assert page["restarts"][name] == written["restarts"][name]
    for name in ("lowest_J", "chance_of_new", "chance_of_lower_at_most"):
        assert strict(page["restarts"][name]) == written["restarts"][name]
    is_one = "without a hidden layer there is no other" in text
    for line in str(made.outcome.restarts).splitlines()[:2]:
        assert (line in text) != is_one
    for one in made.advice:
        assert f"Advice: {one.sentence}" in text
    assert [one["sentence"] for one in page["advice"]] == [one.sentence for one in made.advice]
    assert page["curves"]["chosen"] == page["network"]["start"] == made.lead


def test_every_place_shows_the_starts_of_the_one_run(shown):
    made, text, written, page, _ = shown
    rows = {row["start"]: row for row in page["starts"]}
    for start, data in enumerate(written["starts"]):
        row = rows[start]
        assert strict(row["J"]) == data["J"] == strict(float(made.outcome.value[start]))
        for name in ("iterations", "best_iteration", "status"):
            assert row[name] == data[name]
        assert row["used"] == data["kept"] == (start in made.kept)
        for part in ("validation", "holdout"):
            score = data[part] and next(iter(data[part].values()))
            assert strict(row[part]) == score
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table(text)]
    folded = sum(int(line[0].split()[1]) for line in lines if line[0].startswith("and "))
    if not lines:
        J = f"{min(made.outcome.value):.6g}"
        n = len(written["starts"])
        assert f"{n} starts: {n} converged to one minimum, J {J}" in text
        return
    assert len([line for line in lines if line[0].isdigit()]) + folded == len(written["starts"])
    for line in lines:
        if not line[0].isdigit():
            continue
        data = written["starts"][int(line[0])]
        score = data["validation"] and next(iter(data["validation"].values()))
        cell = ["-" if score is None else f"{score:.4f}"] * bool(made.validation)
        assert line == [
            line[0], f"{made.outcome.value[int(line[0])]:#.6g}",
            *cell, str(data["iterations"]), data["status"],
            "yes" if data["kept"] else "no",
        ]  # fmt: skip


def table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("│")]


def test_every_place_shows_what_was_found_before_the_one_run(shown):
    made, text, written, page, _ = shown
    assert made.gradient.line in text
    assert page["gradient_check"]["line"] == made.gradient.line
    for name in ("verdict", "relative_error", "n_checked", "n_parameters"):
        assert page["gradient_check"][name] == written["gradient_check"][name]
    assert made.symmetry.line in text
    assert page["symmetry"]["line"] == made.symmetry.line
    assert page["symmetry"]["least"] == written["symmetry"]["least_distinct_units"]
    rows = [written["data"][f"{name}_rows"] for name in ("train", "validation", "holdout")]
    assert [page["data"][f"{name}_rows"] for name in ("train", "validation", "holdout")] == rows
    middle = f", {rows[1]} validate" if rows[1] else ""
    assert f"Split: {rows[0]} rows train{middle}, {rows[2]} held out" in text
    if made.choice is not None:
        (best,) = (row for row in page["search"]["candidates"] if row["taken"])
        taken = written["search"]["candidates"][written["search"]["taken"]]
        alpha = made.choice.best.alpha
        assert best["settings"]["alpha"] == taken["alpha"] == written["settings"]["alpha"] == alpha
        assert f"Search: no hidden layer, alpha {alpha:.4g}, of" in text
    assert page["reproduce"]["settings"]["alpha"] == written["settings"]["alpha"]
