"""Which start a way takes, and what is told of it, on predictions that are known beforehand."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import symbreak as sb
from symbreak.training.scores import Scores

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
# Scripts, not a package: they find each other by the folder that they are started from.
common: Any = importlib.import_module("common")
combining_starts: Any = importlib.import_module("combining_starts")

# The probability that each of four starts gives to class 1, whatever x is.
P = (0.9, 0.6, 0.2, 0.4)


def trained_by_hand() -> Any:
    """Four soft-max regressions without weights; validation prefers start 2, J prefers start 3."""

    network = sb.Network((1, 2), loss="cross_entropy")
    theta = [[0.0, 0.0, math.log(p / (1 - p)), 0.0] for p in P]
    validation = tuple(Scores(("accuracy", "log_loss"), s, 0.5) for s in (0.5, 0.6, 0.9, 0.8))
    outcome = SimpleNamespace(theta=np.array(theta), value=np.array([4.0, 3.0, 2.0, 1.0]))
    return SimpleNamespace(
        network=network, outcome=outcome, usable=np.ones(4, bool), validation=validation
    )


@pytest.mark.parametrize(
    ("way", "p"), [("best", P[2]), ("lowest-cost", P[3]), ("average", sum(P) / 4)]
)
def test_a_way_takes_the_starts_that_it_names(way: str, p: float) -> None:
    """The hold-out part would prefer start 0, and has no say."""
    X, y = np.zeros((4, 1)), [1, 1, 1, 0]
    found = combining_starts.scores(trained_by_hand(), X, y)[way]
    assert found["log_loss"] == pytest.approx(-(3 * math.log(p) + math.log(1 - p)) / 4)
    assert found["accuracy"] == (0.75 if p > 0.5 else 0.25)


def test_a_single_start_is_the_mean_over_starts_of_its_own_score() -> None:
    found = combining_starts.scores(trained_by_hand(), np.zeros((4, 1)), [1, 1, 1, 0])["single"]
    losses = [-(3 * math.log(p) + math.log(1 - p)) / 4 for p in P]
    assert found["log_loss"] == pytest.approx(sum(losses) / 4)
    assert found["log_loss_spread"] == pytest.approx(np.std(losses))
    assert found["accuracy"] == 0.5
    assert found["accuracy_spread"] == 0.25


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    cases = combining_starts.measure("wine", 2, alphas=(0.0, 1.0), starts=3, max_iter=15)
    machine = common.machine(combining_starts.PACKAGES)
    return {"machine": machine, "splits": 2, "starts": 3, "cases": cases}


def test_each_split_and_penalty_is_measured_on_three_parts(measured: dict[str, Any]) -> None:
    keys = [(case["split"], case["alpha"]) for case in measured["cases"]]
    assert keys == [(0, 0.0), (0, 1.0), (1, 0.0), (1, 1.0)]
    for case in measured["cases"]:
        assert case["rows"] == [121, 21, 36]
        found = case["scores"]
        assert set(found) == {"single", "average", "best", "lowest-cost"}
        assert found["average"]["log_loss"] < found["single"]["log_loss"]  # Jensen


def test_the_tables_show_the_means_over_splits(measured: dict[str, Any]) -> None:
    losses, accuracies = combining_starts.render(measured).split("### Accuracy")
    (line,) = (line for line in losses.splitlines() if line.startswith("| wine | 1 |"))
    row = [cell.strip() for cell in line.split("|")][1:-1]
    of_alpha_1 = [case["scores"] for case in measured["cases"] if case["alpha"] == 1.0]
    best, average = (
        [scores[way]["log_loss"] for scores in of_alpha_1] for way in ("best", "average")
    )
    assert row[4:6] == [f"{sum(values) / 2:.4f}" for values in (best, average)]
    below = sum(a < 0.99 * b for a, b in zip(average, best, strict=True))
    above = sum(a > 1.01 * b for a, b in zip(average, best, strict=True))
    assert row[7] == f"{below} / {above}"
    assert accuracies.count("| wine |") == 2


def test_the_page_shows_the_results_that_are_kept() -> None:
    kept = json.loads((common.RESULTS / "combining_starts.json").read_text("utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    shown = page.split("<!-- combining_starts:begin -->")[1].split("<!-- combining_starts:end")[0]
    assert shown.strip() == combining_starts.render(kept)
    splits = {case["split"] for case in kept["cases"]}
    assert len(splits) == kept["splits"] >= 5
    assert {case["dataset"] for case in kept["cases"]} == set(combining_starts.DATASETS)
