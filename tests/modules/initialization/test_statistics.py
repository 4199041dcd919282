"""Every rule on every layer type: the spread of each weight is that of the stated formula.

The fans are written down here by hand, from what the layer computes.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

import symbreak as sb

SEEDS = range(6)


class Experts(nn.Module):
    """Experts as plain stacks: x @ up[expert], and down[expert] @ x."""

    def __init__(self):
        super().__init__()
        self.up = nn.Parameter(torch.empty(5, 12, 30))
        self.down = nn.Parameter(torch.empty(5, 12, 30))
        self.packed = nn.Parameter(torch.empty(2 * 9, 15))


sb.register_role(Experts, "up", axes="stack in out")
sb.register_role(Experts, "down", axes="stack out in")
sb.register_role(Experts, "packed", parts=2)

# module, parameter, fan_in, fan_out, rows and columns of one matrix
LAYERS = {
    "linear": (nn.Linear(30, 50), "weight", 30, 50, (50, 30)),
    "bilinear": (nn.Bilinear(5, 6, 20), "weight", 5 * 6, 20 * 6, (20, 30)),
    "conv1d": (nn.Conv1d(6, 20, 5), "weight", 6 * 5, 20 * 5, (20, 30)),
    "conv2d": (nn.Conv2d(4, 10, (3, 5)), "weight", 4 * 15, 10 * 15, (10, 60)),
    "conv3d": (nn.Conv3d(3, 8, 2), "weight", 3 * 8, 8 * 8, (8, 24)),
    "strided": (nn.Conv2d(4, 10, 4, stride=2), "weight", 4 * 16, 10 * 4, (10, 64)),
    "grouped": (nn.Conv2d(8, 12, 3, groups=4), "weight", 2 * 9, 3 * 9, (3, 18)),
    "depthwise": (nn.Conv2d(32, 32, 3, groups=32), "weight", 9, 9, (1, 9)),
    "transposed1d": (nn.ConvTranspose1d(6, 20, 5), "weight", 6 * 5, 20 * 5, (20, 30)),
    "transposed2d": (nn.ConvTranspose2d(5, 9, 3), "weight", 5 * 9, 9 * 9, (9, 45)),
    "transposed, stride": (
        *(nn.ConvTranspose2d(8, 6, 4, stride=2), "weight"),
        *(8 * 4, 6 * 16, (6, 128)),
    ),
    "transposed, stride above kernel": (
        *(nn.ConvTranspose1d(8, 12, 2, stride=3), "weight"),
        *(8, 12 * 2, (12, 16)),
    ),
    "transposed, groups": (
        *(nn.ConvTranspose3d(4, 10, 3, groups=2), "weight"),
        *(2 * 27, 5 * 27, (5, 54)),
    ),
    "rnn": (nn.RNN(10, 40), "weight_ih_l0", 10, 40, (40, 10)),
    "gru": (nn.GRU(10, 20), "weight_ih_l0", 10, 20, (20, 10)),
    "gru, recurrent": (nn.GRU(10, 20), "weight_hh_l0", 20, 20, (20, 20)),
    "lstm": (nn.LSTM(10, 20, bidirectional=True), "weight_ih_l0_reverse", 10, 20, (20, 10)),
    "lstm, second layer": (nn.LSTM(10, 20, 2), "weight_ih_l1", 20, 20, (20, 20)),
    "lstm, projected": (nn.LSTM(10, 20, proj_size=7), "weight_hh_l0", 7, 20, (20, 7)),
    "lstm, projection": (nn.LSTM(10, 20, proj_size=7), "weight_hr_l0", 20, 7, (7, 20)),
    "lstm cell": (nn.LSTMCell(10, 20), "weight_ih", 10, 20, (20, 10)),
    "gru cell": (nn.GRUCell(10, 20), "weight_hh", 20, 20, (20, 20)),
    "rnn cell": (nn.RNNCell(10, 30), "weight_hh", 30, 30, (30, 30)),
    "attention, packed": (nn.MultiheadAttention(24, 2), "in_proj_weight", 24, 24, (24, 24)),
    "attention, key": (
        *(nn.MultiheadAttention(24, 2, kdim=10, vdim=8), "k_proj_weight"),
        *(10, 24, (24, 10)),
    ),
    "attention, out": (nn.MultiheadAttention(24, 2), "out_proj.weight", 24, 24, (24, 24)),
    "embedding": (nn.Embedding(40, 30), "weight", 30, 40, (40, 30)),
    "embedding bag": (nn.EmbeddingBag(40, 30), "weight", 30, 40, (40, 30)),
    "experts x @ W": (Experts(), "up", 12, 30, (30, 12)),
    "experts W @ x": (Experts(), "down", 30, 12, (12, 30)),
    "packed by hand": (Experts(), "packed", 15, 9, (9, 15)),
}

RULES = {
    "lecun_normal": lambda n, k, _: 1 / n,
    "lecun_uniform": lambda n, k, _: 1 / n,
    "he_normal": lambda n, k, _: 2 / n,
    "he_uniform": lambda n, k, _: 2 / n,
    "glorot_normal": lambda n, k, _: 2 / (n + k),
    "glorot_uniform": lambda n, k, _: 2 / (n + k),
    "torch_default": lambda n, k, _: 1 / (3 * n),
    "sklearn_default": lambda n, k, _: 2 / (n + k),
    "uniform": lambda n, k, _: 0.12**2 / 3,
    "normal": lambda n, k, _: 0.05**2,
    "truncated_normal": lambda n, k, _: 0.05**2,
    "orthogonal": lambda n, k, size: 1 / max(size),
    "nguyen_widrow": lambda n, k, _: 1 / 3,
}
KURTOSIS = 3.0  # of the normal law, the largest of these rules


def values_of(module, name):
    return dict(module.named_parameters())[name].detach().double().flatten()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layer", LAYERS)
def test_the_spread_is_that_of_the_formula(layer, rule):
    module, name, fan_in, fan_out, size = LAYERS[layer]
    variance = RULES[rule](fan_in, fan_out, size)
    found, rows = [], []
    for seed in SEEDS:
        rows.append(sb.initialize_module(module, rule, seed=seed)[name])
        found.append(values_of(module, name).clone())
    sample = torch.cat(found)
    error = 5 / math.sqrt(len(sample))
    assert float(sample.var()) == pytest.approx(variance, rel=error * math.sqrt(KURTOSIS - 1))
    assert abs(float(sample.mean())) < error * math.sqrt(variance)
    assert (rows[0].fan_in, rows[0].fan_out) == (fan_in, fan_out)
    assert rows[0].expected == pytest.approx(math.sqrt(variance), rel=1e-12)
    for row, one in zip(rows, found, strict=True):
        assert row.measured == pytest.approx(float(one.std(correction=0)), rel=1e-12)


DEFAULTS = {  # standard deviation without a rule, from the table in the docs
    **{layer: 1 / math.sqrt(row[2]) for layer, row in LAYERS.items()},
    "gru, recurrent": 1 / math.sqrt(20),
    "gru cell": 1 / math.sqrt(20),
    "rnn cell": 1 / math.sqrt(30),
    "lstm, projected": 1 / math.sqrt(20),
    "embedding": 1.0,
    "embedding bag": 1.0,
}


@pytest.mark.parametrize("layer", LAYERS)
def test_without_a_rule_each_role_has_its_own(layer):
    module, name, *_ = LAYERS[layer]
    row = sb.initialize_module(module, seed=3)[name]
    n = values_of(module, name).numel()
    assert row.expected == pytest.approx(DEFAULTS[layer], rel=1e-12)
    assert row.measured == pytest.approx(DEFAULTS[layer], rel=5 / math.sqrt(n) * math.sqrt(0.5))


def test_parts_are_orthogonal_each_by_itself():
    gru: Any = nn.GRU(6, 8)
    sb.initialize_module(gru)
    gates = gru.weight_hh_l0.detach().double().reshape(3, 8, 8)
    torch.testing.assert_close(gates @ gates.mT, torch.eye(8).double().expand(3, 8, 8))
    assert not torch.allclose(gates[0], gates[1])
    experts = Experts()
    sb.initialize_module(experts, "orthogonal")
    up = experts.up.detach().double()
    torch.testing.assert_close(up @ up.mT, torch.eye(12).double().expand(5, 12, 12))


def test_what_is_no_weight_starts_at_its_neutral_value():
    norms = nn.ModuleList(
        [nn.BatchNorm2d(4), nn.LayerNorm((2, 3)), nn.GroupNorm(2, 4), nn.RMSNorm(5)]
    )
    norms.append(nn.InstanceNorm1d(4, affine=True))
    module: Any = nn.ModuleDict({"norms": norms, "slope": nn.PReLU(3), "linear": nn.Linear(2, 3)})
    for parameter in module.parameters():
        nn.init.constant_(parameter, torch.nan)  # as to_empty may leave it
    table = sb.initialize_module(module, "he_normal")
    for name, parameter in norms.named_parameters():
        assert (parameter == (0.0 if "bias" in name else 1.0)).all()
    assert (module["slope"].weight == 0.25).all()
    assert (module["linear"].bias == 0).all()
    assert table["slope.weight"].role == "slope"
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_biases_are_those_of_the_rule():
    module: Any = nn.ModuleDict(
        {
            "linear": nn.Linear(300, 400),
            "attention": nn.MultiheadAttention(48, 2, kdim=7, vdim=5),
            "conv": nn.ConvTranspose1d(6, 400, 3, groups=2),
        }
    )
    table = sb.initialize_module(module, sb.rules.HeNormal(bias=0.5))
    assert all((p == 0.5).all() for name, p in module.named_parameters() if "bias" in name)
    assert table["linear.bias"].rule == "0.5"
    table = sb.initialize_module(module, "torch_default")
    limit = 1 / math.sqrt(300)
    assert float(module["linear"].bias.detach().abs().max()) == pytest.approx(limit, rel=0.05)
    assert table["linear.bias"].expected == pytest.approx(limit / math.sqrt(3))
    in_proj_bias = module["attention"].in_proj_bias.detach().reshape(3, 48)
    for part, fan_in in zip(in_proj_bias, (48, 7, 5), strict=True):
        assert float(part.abs().max()) == pytest.approx(1 / math.sqrt(fan_in), rel=0.3)
        assert float(part.abs().max()) <= 1 / math.sqrt(fan_in)
    assert len(torch.unique(module["conv"].bias)) == 400
