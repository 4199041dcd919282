"""The benchmark of the search: both sides search alike, and the table says what was measured."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
search: Any = importlib.import_module("search")


@pytest.mark.parametrize("dataset", ["iris", "diabetes"])
def test_both_sides_make_the_same_fits(dataset):
    theirs = search.search_of(dataset, "scikit-learn")
    ours = search.search_of(dataset, "one job")
    starts = len(theirs.param_grid["random_state"])
    assert len(theirs.param_grid["alpha"]) * starts * theirs.cv == 160
    assert len(ours.param_grid["alpha"]) * ours.estimator.n_starts * ours.cv == 160
    for name in ("hidden_layer_sizes", "activation", "solver", "max_iter", "tol"):
        assert getattr(theirs.estimator, name) == getattr(ours.estimator, name)


@pytest.mark.filterwarnings("ignore")
def test_a_measurement_has_times_score_and_memory(monkeypatch):
    monkeypatch.setattr(search, "ALPHAS", (0.1, 1000.0))
    found = search.measure("iris", "one job")
    assert found["seconds"] > 0
    assert found["again"] > 0
    assert 0.8 < found["score"] <= 1.0
    assert found["peak"] > 2**20


def test_the_table_compares_with_the_same_round():
    samples = {
        name: [{"seconds": s, "again": s / 2, "score": 0.5, "peak": 2.0**20} for s in seconds]
        for name, seconds in (
            ("scikit-learn", (4.0, 8.0, 6.0)), ("plain", (4.0, 4.0, 4.0)),
            ("one job", (1.0, 1.0, 2.0)), ("all jobs", (1.0, 2.0, 3.0)),
            ("float32", (2.0, 4.0, 3.0)),
        )
    }  # fmt: skip
    machine = {"processor": "P", "threads": 2, "system": "S", "versions": {}}
    case = {"dataset": "iris", "found": samples}
    text = search.render({"machine": machine, "rounds": 3, "cases": [case]})
    row = next(line for line in text.splitlines() if "| StackedSearchCV |" in line)
    assert "| 1.00 | 4.00 | 0.500 | 4.00 | 0.5000 | 1 |" in row
