"""The benchmark of intervals: tables that load, scores by their definition, a band of coverage."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
intervals: Any = importlib.import_module("intervals")


@pytest.mark.parametrize("data", intervals.TABLES)
def test_every_table_loads(data):
    X, y = intervals.load(data, 0)
    assert X.ndim == 2
    assert X.shape[0] == len(y) >= 20
    assert np.isfinite(X).all()
    assert np.ptp(y) > 0.0
    other = intervals.load(data, 1)[1]
    assert np.array_equal(y, other) == (data in intervals.BUNDLED)


def test_width_coverage_and_score_are_those_of_the_definitions():
    ends = np.array([[0.0, 2.0], [1.0, 3.0], [5.0, 6.0]])
    found = intervals.judged(ends, np.array([1.0, 1.0, 7.0]), unit=2.0)
    assert (found["covered"], found["of"]) == (2, 3)
    assert found["width"] == pytest.approx(5 / 3 / 2)
    assert found["score"] == pytest.approx((5 + 20 * 1.0) / 3 / 2)


def test_the_band_holds_99_of_100_coverages():
    low, high = intervals.band(500)
    inside = binom.cdf(500 * high, 500, 0.9) - binom.cdf(500 * low - 1, 500, 0.9)
    assert inside == pytest.approx(0.99, abs=0.005)


def test_contestants_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setattr(intervals.importlib.util, "find_spec", lambda name: None)
    assert list(intervals.contestants()) == [intervals.OURS]
    score = {"covered": 90, "of": 100, "width": 1.0, "score": 1.5, "seconds": 1.0}
    cases = [
        {"data": data, "split": 0, "rows": 300, "scores": {intervals.OURS: score}}
        for data in intervals.TABLES
    ]
    machine = {"processor": "P", "threads": 1, "system": "S", "versions": {}}
    text = intervals.render({"machine": machine, "splits": 1, "cases": cases})
    assert "MAPIE was not installed" in text
    assert "| ours | 90.0 | 16 of 16 | 1.000 | 1.500 | 1.0 |" in text
