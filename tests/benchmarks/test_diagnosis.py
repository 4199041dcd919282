"""The benchmark's module is GPT-2 small, its plant is found, and its tables can be written."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.needs_torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
diagnosis: Any = importlib.import_module("diagnosis")
gpt2: Any = importlib.import_module("gpt2")

SMALL = {"threads": 1, "layers": 2, "vocabulary": 50, "length": 8, "budget": 0.0}


def test_the_module_has_the_parameters_of_gpt2_small():
    with torch.device("meta"):
        module = gpt2.GPT2()
    # Radford and others: 124 million with the head tied to the table of tokens.
    assert sum(p.numel() for p in module.parameters()) == 124_439_808


def test_the_start_is_that_of_gpt2():
    torch.manual_seed(0)
    module = gpt2.GPT2(layers=2, width=96, heads=4, vocabulary=60)
    for name, p in module.named_parameters():
        if p.dim() > 1:
            spread = 0.02 / math.sqrt(4) if "c_proj" in name else 0.02
            assert float(p.detach().std()) == pytest.approx(
                spread, rel=5 / math.sqrt(2 * p.numel())
            )
        else:
            assert bool((p == (0.0 if name.endswith("bias") else 1.0)).all())
    assert module.lm_head.weight is module.wte.weight


def test_attention_is_causal():
    torch.manual_seed(0)
    module = gpt2.GPT2(layers=2, width=24, heads=4, vocabulary=11)
    tokens, _ = gpt2.tokens(2, 6, 11)
    changed = tokens.clone()
    changed[:, 4] = (changed[:, 4] + 1) % 11
    before, after = module(tokens), module(changed)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])


@pytest.mark.slow
@pytest.mark.parametrize(("start", "errors"), [("sound", 0), ("identical pair", 1)])
def test_a_case_has_its_numbers_and_its_errors(start, errors):
    case = diagnosis.measure(start, **SMALL)
    assert case["errors"] == errors
    assert case["times"] > 0
    assert case["peak"]["diagnose"] >= case["peak"]["step"] > 0
    result = {"machine": diagnosis.machine([]), "quick": True, "cases": [case]}
    assert start in diagnosis.render(result)
