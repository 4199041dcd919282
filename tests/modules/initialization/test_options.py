"""Residual depth, LSUV, forget gates, frozen, tied and parametrised parameters."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import symbreak as sb
from symbreak.errors import InvalidType


def state(module):
    return copy.deepcopy(module.state_dict())


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


# residual


class Residual(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(200), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 200))
            for _ in range(depth)
        )

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        return x


def test_branches_share_one_variance_whatever_their_number():
    x = torch.randn(50, 200, generator=torch.Generator().manual_seed(0))
    for depth in (2, 16):
        net = Residual(depth).requires_grad_(True)
        table = sb.initialize_module(net, residual="blocks.*.3.weight")
        row = table["blocks.1.3.weight"]
        assert row.expected == pytest.approx(math.sqrt(2 / 200 / depth))
        assert row.measured == pytest.approx(row.expected, rel=0.02)
        assert "ends a residual branch" in row.note
        with torch.no_grad():
            assert float(net(x).var()) == pytest.approx(2, rel=0.25)  # 1 of x, 1 of all branches
    sb.initialize_module(net)
    with torch.no_grad():
        assert float(net(x).var()) > 8


def test_a_factor_of_zero_starts_blocks_as_the_identity():
    net = Residual(3)
    table = sb.initialize_module(net, residual=("blocks.*.3.weight",), residual_factor=0)
    x = torch.randn(5, 200)
    assert torch.equal(net(x), x)
    assert table["blocks.0.3.weight"].expected == 0


def test_a_pattern_that_fits_nothing_is_refused():
    net = Residual(1)
    before = state(net)
    with pytest.raises(sb.InvalidInput, match=r"Got 'block.0.3.weight'. Did you mean 'blocks.0.3"):
        sb.initialize_module(net, residual="block.0.3.weight")
    with pytest.raises(InvalidType, match="residual of initialize_module must be names"):
        sb.initialize_module(net, residual=3)
    with pytest.raises(sb.InvalidInput, match="residual_factor of initialize_module must be a fin"):
        sb.initialize_module(net, residual="*", residual_factor=math.inf)
    assert same(before, state(net))


# LSUV


def outputs(net, x):
    """Return the output of each linear or convolutional layer."""
    found = []
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    hooks = [
        part.register_forward_hook(lambda *args: found.append(args[-1]))
        for part in net.modules()
        if isinstance(part, kinds)
    ]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("rule", [None, "orthogonal", "torch_default", sb.rules.Normal(std=3.0)])
def test_each_layer_gets_unit_variance_on_the_batch(rule):
    net = nn.Sequential(
        *(nn.Conv2d(2, 6, 3), nn.Tanh(), nn.ConvTranspose2d(6, 3, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(3 * 8 * 8, 20), nn.Sigmoid(), nn.Linear(20, 5)),
    )
    x = 7 + 3 * torch.randn(30, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = copy.deepcopy(net)
    sb.initialize_module(plain, rule, seed=2)
    table = sb.initialize_module(net, rule, seed=2, batch=x)
    found = outputs(net, x)
    assert [float(z.var(correction=0)) for z in found] == pytest.approx([1] * 4, abs=0.02)
    for name, parameter in net.named_parameters():
        before = dict(plain.named_parameters())[name]
        if "weight" in name:
            ratio = parameter / before
            factor = float(ratio.flatten()[0].detach())
            torch.testing.assert_close(ratio, torch.full_like(ratio, factor))
            assert f"x {factor:.3g}"[:5] in table[name].note
        else:
            assert torch.equal(parameter, before)


def test_lsuv_leaves_no_trace():
    net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(), nn.GRU(6, 3))
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    table = sb.initialize_module(net, batch={"input": torch.randn(20, 4)})
    assert all(torch.equal(before[name], buffer) for name, buffer in net.named_buffers())
    assert not any(part._forward_hooks for part in net.modules())
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    assert "unit variance" in table["0.weight"].note
    assert "not rescaled" in table["4.weight_ih_l0"].note


def test_a_constant_output_is_left_alone():
    net = nn.Sequential(nn.Linear(4, 1, bias=False))
    table = sb.initialize_module(net, batch=torch.zeros(3, 4))
    assert "not rescaled" in table["0.weight"].note
    assert table["0.weight"].measured > 0


def test_a_batch_that_does_not_fit_changes_nothing():
    net = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(3, 1))
    before = state(net)
    message = r"batch of initialize_module must be one that .* Got RuntimeError: mat1"
    with pytest.raises(sb.InvalidInput, match=message):
        sb.initialize_module(net, batch=torch.randn(5, 4))
    assert same(before, state(net))
    assert not any(part._forward_hooks for part in net.modules())


# gates


@pytest.mark.parametrize("module", [nn.LSTM(3, 4, 2, bidirectional=True), nn.LSTMCell(3, 4)])
def test_forget_gates_start_open(module):
    table = sb.initialize_module(module)
    for name, parameter in module.named_parameters():
        if "bias" in name:
            wanted = torch.zeros(4, 4)
            wanted[1] = 1.0 if "_ih" in name else 0.0
            assert torch.equal(parameter.detach().reshape(4, 4), wanted)
    name = "bias_ih" if isinstance(module, nn.LSTMCell) else "bias_ih_l0"
    assert table[name].rule == "0, forget gate 1"
    sb.initialize_module(module, forget_bias=None)
    assert all((p == 0).all() for name, p in module.named_parameters() if "bias" in name)
    with pytest.raises(InvalidType, match="forget_bias of initialize_module must be a number"):
        sb.initialize_module(module, forget_bias="open")


def test_gru_has_no_forget_gate():
    module: Any = nn.GRU(3, 4)
    sb.initialize_module(module)
    assert (module.bias_ih_l0 == 0).all()


# frozen, tied, padding


def test_frozen_parameters_keep_their_values():
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    net[0].requires_grad_(False)
    net[1].weight.requires_grad_(False)
    before = state(net)
    table = sb.initialize_module(net, "torch_default")
    after = state(net)
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["1.bias"]
    assert table["0.weight"].note == "keeps its values: frozen"
    assert table["0.weight"].rule == "-"
    net[1].weight.requires_grad_(True)
    sb.initialize_module(net, "torch_default")
    assert torch.equal(net[1].bias, after["1.bias"])


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(200, 50, padding_idx=3)
        self.head = nn.Linear(50, 200)
        self.head.weight = self.table.weight


def test_a_tied_embedding_is_drawn_once_as_the_weight_of_the_head():
    module = Tied()
    table = sb.initialize_module(module)
    row = table["table.weight"]
    assert [each.parameter for each in table.rows] == ["table.weight", "head.bias"]
    assert row.note == "tied: also head.weight"
    assert row.expected == pytest.approx(1 / math.sqrt(50))
    assert row.measured == pytest.approx(row.expected, rel=0.04)
    assert (module.table.weight[3] == 0).all()
    assert module.head.weight is module.table.weight
    assert (module.head.bias == 0).all()


def test_a_padding_row_is_zero():
    module = nn.Embedding(5, 3, padding_idx=-1)
    nn.init.ones_(module.weight)
    sb.initialize_module(module)
    assert (module.weight[4] == 0).all()
    assert (module.weight[:4] != 0).all()


def test_a_layer_used_twice_is_drawn_once():
    layer = nn.Linear(3, 3)
    table = sb.initialize_module(nn.Sequential(layer, nn.ReLU(), layer))
    assert [row.parameter for row in table.rows] == ["0.weight", "0.bias"]
    assert "2.weight" in table["0.weight"].note


# parametrised


def test_weight_norm_does_not_change_the_start():
    plain: Any = nn.Sequential(nn.Linear(6, 5))
    sb.initialize_module(plain)
    normed: Any = nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 5)))
    table = sb.initialize_module(normed)
    torch.testing.assert_close(normed[0].weight, plain[0].weight)
    sizes = normed[0].parametrizations.weight.original0
    torch.testing.assert_close(sizes[:, 0], plain[0].weight.norm(dim=1))
    assert [row.parameter for row in table.rows] == ["0.weight", "0.bias"]
    assert table["0.weight"].note == "parametrised"


@pytest.mark.filterwarnings("ignore:.*weight_norm")
def test_the_old_weight_norm_gives_what_is_drawn():
    layer: Any = nn.utils.weight_norm(nn.Conv1d(6, 5, 2))
    table = sb.initialize_module(layer, sb.rules.HeNormal(bias=0.5))
    layer(torch.ones(1, 6, 2))  # its weight is made anew in each call
    torch.testing.assert_close(layer.weight, layer.weight_v)
    assert layer.weight_g.shape == (5, 1, 1)
    assert (layer.bias == 0.5).all()
    assert table["weight_v"].expected == pytest.approx(math.sqrt(2 / 12))


def test_spectral_norm_has_the_last_word():
    layer: Any = parametrizations.spectral_norm(nn.Linear(6, 5)).eval()
    plain = nn.Linear(6, 5)
    sb.initialize_module(plain)
    sb.initialize_module(layer)
    torch.testing.assert_close(layer.parametrizations.weight.original, plain.weight)


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x


def test_without_an_inverse_the_numbers_behind_are_drawn():
    layer = nn.Linear(6, 5)
    nn.utils.parametrize.register_parametrization(layer, "weight", Doubled())
    plain = nn.Linear(6, 5)
    sb.initialize_module(plain)
    table = sb.initialize_module(layer)
    assert "has no inverse" in table["weight"].note
    torch.testing.assert_close(layer.weight, 2 * plain.weight)


# symmetry


def test_equal_units_are_not_started_silently():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with pytest.warns(sb.SymmetryWarning, match=r"equal, in 2 weights from 0.weight to 2.weight"):
        sb.initialize_module(net, "constant")
    assert all((parameter == 0.12).all() for parameter in net.parameters())
    sb.initialize_module(nn.Linear(2, 1), "zeros")
