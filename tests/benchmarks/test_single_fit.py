"""The benchmark of one fit: both sides have the same parameters, the table the right ratio."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
single_fit: Any = importlib.import_module("single_fit")


@pytest.mark.parametrize("solver", single_fit.SOLVERS)
@pytest.mark.parametrize("dataset", single_fit.DATASETS)
def test_both_sides_have_the_same_parameters(dataset, solver):
    ours, theirs = (
        single_fit.estimator(side, dataset, solver, 7, 3).get_params() for side in single_fit.SIDES
    )
    assert ours["n_iter_no_change"] == "auto"  # which is their 10 without early stopping
    assert {name: ours[name] for name in theirs} == {**theirs, "n_iter_no_change": "auto"}
    assert ours["n_starts"] == 1


@pytest.mark.filterwarnings("ignore")
def test_a_measurement_has_one_entry_for_each_round():
    found = single_fit.measure("iris", "adam", rounds=2, max_iter=3)
    assert {side: len(seconds) for side, seconds in found.items()} == {
        "ours": 2, "scikit-learn": 2,
    }  # fmt: skip
    assert min(found["ours"]) > 0.0


def test_the_table_has_medians_and_the_ratio_of_each_round():
    found = {"ours": [0.001, 0.002, 0.009], "scikit-learn": [0.002, 0.002, 0.002]}
    machine = {"processor": "P", "threads": 2, "system": "S", "versions": {}}
    case = {"dataset": "iris", "solver": "adam", "threads": 1, "found": found}
    text = single_fit.render({"machine": machine, "rounds": 3, "cases": [case]})
    assert text.splitlines()[-1] == "| iris | adam | 1 | 2.00 | 2.00 | 1.00 |"
