"""The benchmark of quality: sets that load, contestants that score alike, verdicts by the noise."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
quality: Any = importlib.import_module("quality")


@pytest.mark.parametrize("data", [*quality.CLASSES, *quality.NUMBERS])
def test_every_set_loads(data):
    X, y = quality.load(data)
    assert len(X) == len(y) >= 150
    assert (len(np.unique(y)) <= 10) == (data in quality.CLASSES)


def test_scores_are_those_of_the_definitions():
    class Known:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return np.array([[0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])

        def predict(self, X):
            return np.array([1.0, 2.0, 4.0])

    found = quality.of_classes(Known(), None, np.array([0, 1, 0]))
    assert found["loss"] == pytest.approx(-np.log([0.8, 0.6, 0.3]).mean())
    assert found["accuracy"] == pytest.approx(2 / 3)
    y = np.array([1.0, 2.0, 3.0])
    assert quality.of_numbers(Known(), None, y)["loss"] == pytest.approx((1 / 3) ** 0.5 / y.std())


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [((1.0, 1.1, 0.9), "better"), ((-1.0, -1.1, -0.9), "worse"), ((1.0, -1.1, 0.2), "equal")],
)
def test_a_verdict_needs_more_than_the_noise(gains, verdict):
    group = [
        {"scores": {quality.PEER: {"loss": 2.0 + gain}, quality.AVERAGE: {"loss": 2.0}}}
        for gain in gains
    ]
    assert quality._verdict(group) == verdict


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_all_ways_are_scored_on_one_split():
    cases = quality.measure("iris", 1)
    assert [case["alpha"] for case in cases] == [*quality.ALPHAS]
    assert all(set(case["scores"]) == set(quality.WAYS) for case in cases)
