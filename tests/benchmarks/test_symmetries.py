"""The starts of the benchmark have the symmetries that their names say."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import symbreak as sb

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
symmetries: Any = importlib.import_module("symmetries")

WIDTHS = {
    "random": [30, 30],
    "ten pairs": [20, 20],
    "equal sums, penalty": [30, 30],
    "all equal": [1, 1],
    "all zero": [0, 0],
}


def test_every_case_has_its_widths():
    assert set(symmetries.CASES) == set(WIDTHS)


@pytest.mark.parametrize("case", WIDTHS)
def test_a_case_is_what_it_says(case, monkeypatch):
    monkeypatch.setattr(symmetries, "STARTS", 2)
    net = sb.Network((20, 30, 30, 4), "tanh", "cross_entropy")
    theta = symmetries.start(net, case)
    alpha = 1.0 if "penalty" in case else 0.0
    found = sb.symmetries(net, theta, alpha=alpha)
    assert found.effective_widths.tolist() == [WIDTHS[case]] * 2
    by_sums = [group.units for group in found.groups if group.kind == "equal_sums"]
    assert by_sums == ([(0, 1, 2)] * 4 if "penalty" in case else [])
