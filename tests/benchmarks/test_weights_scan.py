"""The benchmark of the weights scan runs, and its file is one in which nothing is to be found."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.needs_torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
# Scripts, not a package: they find each other by the folder that they are started from.
weights_scan: Any = importlib.import_module("weights_scan")


@pytest.mark.parametrize("dtype", weights_scan.DTYPES)
def test_a_case_has_its_numbers_and_no_finding(dtype):
    case = weights_scan.measure(dtype, layers=1, tokens=40, budget=0.0)
    assert case["findings"] == 0
    assert set(case["milliseconds"]) == {"scan", "sum", "finite"}
    numbers = 40 * 768 + 1024 * 768 + 12 * 768**2
    size = {"float32": 4, "bfloat16": 2}[dtype]
    assert case["megabytes"] == pytest.approx(numbers * size / 1e6, rel=1e-3)
    assert case["share"] > 0
    assert dtype in weights_scan.render({"machine": weights_scan.machine([]), "cases": [case]})
