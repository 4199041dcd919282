"""Modules as large as ResNet-18 and GPT-2 small: every finding, sound and planted.

The lists were written down before the modules were diagnosed for the first time.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import symbreak as sb
from tests.modules.diagnosis.resnet18 import ResNet18, twin_channels_
from tests.modules.diagnosis.starts import data

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
gpt2: Any = importlib.import_module("gpt2")

pytestmark = pytest.mark.slow

IMAGES, CLASSES = data(8, 3, 64, 64), torch.arange(8)


def listed(result):
    return sorted((f.kind, f.level, f.where, f.units) for f in result.findings)


def diagnosed_resnet(module):
    return listed(sb.diagnose(module, cross_entropy, (IMAGES, CLASSES)))


def resnet18():
    torch.manual_seed(0)
    return ResNet18()


def test_a_sound_resnet_has_no_finding():
    module = resnet18()
    assert sum(p.numel() for p in module.parameters()) == 11_181_642
    assert diagnosed_resnet(module) == []


def test_twin_channels_of_a_resnet():
    module = resnet18()
    twin_channels_(module.layer2[0], 3, 7)
    twin_channels_(module.layer4[1], 100, 511)
    assert diagnosed_resnet(module) == [
        ("identical_units", "error", "layer2.0.conv1", (3, 7)),
        ("identical_units", "error", "layer4.1.conv1", (100, 511)),
    ]


def test_equal_kernels_of_a_resnet_that_are_read_differently_are_harmless():
    module = resnet18()
    with torch.no_grad():
        module.layer2[0].conv1.weight[7] = module.layer2[0].conv1.weight[3]
        module.layer3[1].conv2.weight[:, 9] = module.layer3[1].conv2.weight[:, 4]
    assert diagnosed_resnet(module) == []


def test_branches_of_a_resnet_that_begin_at_zero_are_a_note():
    module = resnet18()
    for stage in (module.layer1, module.layer2, module.layer3, module.layer4):
        for block in stage:
            nn.init.zeros_(block.bn2.weight)
    assert diagnosed_resnet(module) == [("no_gradient", "note", "layer1.0.conv1.weight", ())]


# On purpose: the last weight of attention has spread 0.02 / sqrt(24) for 768 inputs, 0.08 x He's.
SMALL_BRANCHES: list[Any] = [
    ("wrong_scale", "note", f"h.{block}.attn.c_proj.weight", ()) for block in range(12)
]


def diagnosed_gpt2(module):
    batch = gpt2.tokens(2, 128, 50257)
    return listed(sb.diagnose(module, gpt2.next_token_loss, batch))


def small_gpt2():
    torch.manual_seed(0)
    return gpt2.GPT2()


def test_a_sound_gpt2_has_small_branches_and_nothing_else():
    module = small_gpt2()
    assert sum(p.numel() for p in module.parameters()) == 124_439_808
    assert diagnosed_gpt2(module) == sorted(SMALL_BRANCHES)


def test_twins_and_harmless_equalities_of_a_gpt2():
    module = small_gpt2()
    gpt2.twin_features_(module, 5, 3, 1500)
    gpt2.twin_heads_(module, 2, 0, 11)
    with torch.no_grad():
        module.h[7].mlp.c_fc.weight[20] = module.h[7].mlp.c_fc.weight[10]  # read differently
        module.wte.weight[-8:] = module.wte.weight[:-8].mean(0)  # new tokens, tied with the head
    twins: list[Any] = [
        ("identical_units", "error", "h.5.mlp.c_fc", (3, 1500)),
        ("identical_units", "error", "h.2.attn", (0, 11)),
    ]
    assert diagnosed_gpt2(module) == sorted(twins + SMALL_BRANCHES)
