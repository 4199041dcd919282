"""The benchmark of many tables: its draws, its scores, and what it says of made-up ones."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
common: Any = importlib.import_module("common")
tables: Any = importlib.import_module("tables")
data: Any = importlib.import_module("tables_data")
report: Any = importlib.import_module("tables_report")

GENERATED = [name for name, table in data.TABLES.items() if table.package is None]
BUNDLED = [name for name, table in data.TABLES.items() if table.package == "scikit-learn"]


@pytest.mark.parametrize("name", [*GENERATED, *BUNDLED])
def test_a_split_is_another_draw_and_comes_again(name):
    table = data.TABLES[name]
    first, again, other = table.split(0), table.split(0), table.split(1)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])
    X, y, X_test, y_test = first
    assert len(X) == len(y) <= table.most_rows
    assert len(X_test) == len(y_test) <= data.MOST_TEST
    if table.is_classes:
        assert set(np.unique(y)) == set(np.unique(y_test))


def test_there_are_tables_enough():
    packages = [table.package for table in data.TABLES.values()]
    assert len(packages) - packages.count(None) >= 20
    assert packages.count(None) >= 10


def test_the_score_of_numbers_is_in_deviations_and_that_of_classes_a_log_loss():
    y, y_test = np.array([0.0, 4.0]), np.array([0.0, 4.0])
    assert tables._of_numbers(np.array([[1.0], [3.0]]), y, y_test) == {"loss": 0.5}
    found = tables._of_classes(np.array([[0.5, 0.5], [0.25, 0.75]]), y, y_test)
    assert found["accuracy"] == 1.0
    np.testing.assert_allclose(found["loss"], (np.log(2) - np.log(0.75)) / 2)


def test_answers_are_kept_and_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "KEPT", tmp_path)
    only = [report.SHARES, report.LINEAR]
    (first,) = tables.measure(["iris"], 0, only, False)
    assert set(first["scores"]) == set(only)
    path = tmp_path / "iris" / "0" / "linear.json"
    path.write_text(json.dumps({"loss": 9.0, "accuracy": 0.0, "seconds": 1.0}))
    assert tables.measure(["iris"], 0, only, False)[0]["scores"][report.LINEAR]["loss"] == 9.0
    tables.forget([report.LINEAR])
    (kept,) = tables.measure(["iris"], 0, None, True)
    assert set(kept["scores"]) == {report.SHARES}


def cases(losses, data="made", classes=True, **facts):
    """Return one case for each split of a table, of the losses of each contestant."""
    common = {"data": data, "classes": classes, "public": True, "rows": 10, "features": 2, **facts}
    n = max(len(of) for of in losses.values())
    return [
        {
            **common,
            "split": split,
            "scores": {
                way: {"loss": of[split], "accuracy": 0.5, "seconds": 1.0}
                for way, of in losses.items()
                if split < len(of)
            },
        }
        for split in range(n)
    ]


def test_a_difference_within_twice_its_error_is_equal():
    ours, near, far = [1.0, 2.0, 3.0], [1.1, 2.3, 2.9], [1.1, 2.2, 3.1]
    of = cases({"ours": ours, "near": near, "far": far, "low": [0.9, 1.8, 2.9]})
    assert [report._verdict(of, "ours", way) for way in ("near", "far", "low")] == [
        "equal", "better", "worse",
    ]  # fmt: skip


def test_two_splits_judge_nothing():
    of = cases({"ours": [1.0, 2.0], "far": [3.0, 4.0]})
    assert report._verdict(of, "ours", "far") == "equal"
    assert "| far | 0 | 0 | 0 | 1 of 1 |" in report._beside({"made": of})


def test_ranks_are_of_the_splits_that_all_were_measured_on():
    found = cases({"ours": [1.0, 9.0], "linear": [2.0, 0.0], "late": [3.0]})
    lines = report._ranks({"made": found}, ["ours", "linear", "late"]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| ours", "| linear", "| late"]


def test_the_page_names_where_others_win():
    base = {"ours": 2.0, "linear": 1.0, "shares or mean": 1.5, "forest": 3.0, "boosting": 1.0}
    worse = {way: [loss, loss + 0.1, loss + 0.2] for way, loss in base.items()}
    better = {**worse, "ours": [0.0, 0.1, 0.2]}
    text = report.render({
        "machine": {"processor": "p", "threads": 1, "system": "s", "versions": {}},
        "missing": ["some-package"],
        "cases": [*cases(worse, "bad"), *cases(better, "good", classes=False)],
    })  # fmt: skip
    assert "Worse than the linear model beyond the noise: bad." in text
    assert "above that of class shares, in the mean: bad." in text
    assert "forest or boosting beyond the noise: bad." in text
    assert "left out: some-package" in text
    assert "| good | 10 | 2 |" in text


def test_the_page_shows_the_kept_result():
    kept = json.loads((common.RESULTS / "tables.json").read_text("utf-8"))
    page = (common.ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    shown = page.split("<!-- tables:begin -->")[1].split("<!-- tables:end")[0]
    assert shown.strip() == report.render(kept)
