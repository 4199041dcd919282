"""Which activation a layer reads, and its gain."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn

import symbreak as sb
from symbreak.initialization.gains import activation_gain
from symbreak.modules.anatomy.reads import reads_of

RELU, TANH = math.sqrt(2), activation_gain("tanh")


def gains(module, **options):
    """Return the gain that each weight was drawn with, by name."""
    table = sb.initialize_module(module, **options)
    weights = [row for row in table.rows if row.role in ("weight", "unknown")]
    return {row.parameter: row.expected * math.sqrt(row.fan_in) for row in weights}


def assert_gains(found, wanted):
    assert list(found) == list(wanted)
    assert list(found.values()) == pytest.approx(list(wanted.values()), rel=1e-9)


def test_in_a_sequence_a_layer_reads_what_stands_before_it():
    net = nn.Sequential(
        *(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(9, 8)),
        *(nn.Tanh(), nn.Dropout(), nn.Linear(8, 8), nn.Linear(8, 8), nn.ReLU()),
        *(nn.LayerNorm(8), nn.Linear(8, 4)),
    )
    wanted = {"0.weight": 1, "4.weight": RELU, "7.weight": TANH, "8.weight": 1, "11.weight": 1}
    assert_gains(gains(net), wanted)


def test_gates_and_projections_read_no_activation():
    rule = sb.rules.LecunNormal(gain="activation")
    table = sb.initialize_module(nn.GRU(10, 20), rule, activation="relu")
    assert table["weight_ih_l0"].expected == pytest.approx(1 / math.sqrt(10))
    table = sb.initialize_module(nn.MultiheadAttention(8, 2), rule, activation="relu")
    assert table["in_proj_weight"].expected == pytest.approx(1 / math.sqrt(8))


class Swish(nn.Module):
    def forward(self, x):
        return x * x.sigmoid()


def test_behind_a_layer_of_the_users_nothing_is_known():
    net = nn.Sequential(nn.Linear(3, 3), Swish(), nn.Linear(3, 3))
    assert_gains(gains(net), {"0.weight": 1, "2.weight": 1})
    assert_gains(
        gains(net, activation="silu"), {"0.weight": 1, "2.weight": activation_gain("silu")}
    )


def test_a_parametrised_layer_is_a_layer():
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), normed, nn.Tanh(), nn.Linear(3, 3))
    assert_gains(gains(net), {"0.weight": 1, "2.weight": RELU, "4.weight": TANH})


def test_sequences_in_sequences_are_one():
    inner = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.ReLU())
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), inner, nn.Sequential(nn.Linear(3, 1)))
    assert_gains(gains(net), {"0.weight": 1, "2.0.weight": TANH, "3.0.weight": RELU})


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.rest = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))

    def forward(self, x):
        return self.rest(torch.relu(self.first(x)))


def test_what_no_order_tells_is_the_argument():
    names = ("first.weight", "rest.0.weight", "rest.2.weight")
    assert_gains(gains(Block()), dict(zip(names, (1, 1, TANH), strict=True)))
    found = gains(Block(), activation="relu")
    assert_gains(found, dict(zip(names, (RELU, RELU, TANH), strict=True)))
    net = nn.Sequential(Block(), nn.Linear(4, 1))
    assert gains(net, activation="relu")["1.weight"] == pytest.approx(RELU)
    assert gains(nn.Linear(3, 2), activation=nn.LeakyReLU(0.5))["weight"] == pytest.approx(
        math.sqrt(2 / 1.25)
    )


@pytest.mark.parametrize(("activation", "name"), [("relu", "relu"), (F.gelu, "gelu")])
def test_a_transformer_layer_knows_its_activation(activation, name):
    for layer in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer):
        found = gains(layer(8, 2, 16, activation=activation), activation="tanh")
        assert found["linear1.weight"] == pytest.approx(1)
        assert found["linear2.weight"] == pytest.approx(activation_gain(name))
        assert found["self_attn.out_proj.weight"] == pytest.approx(1)


ACTIVATIONS = {
    "identity": nn.Identity(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.01),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "softplus": nn.Softplus(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_integrated_gains_are_those_of_the_table(name):
    found = reads_of(ACTIVATIONS[name])
    assert found.gain == pytest.approx(activation_gain(name), rel=1e-7)
    assert found.gain == pytest.approx(reads_of(name).gain, rel=1e-7)


@pytest.mark.parametrize(
    ("activation", "function", "kinks"),
    [
        (nn.Hardtanh(), lambda z: max(-1, min(1, z)), (-1, 1)),
        (nn.ReLU6(), lambda z: max(0, min(6, z)), (0, 6)),
        (nn.PReLU(4), lambda z: z if z > 0 else 0.25 * z, (0,)),
        (nn.LeakyReLU(0.3), lambda z: z if z > 0 else 0.3 * z, (0,)),
        (nn.Softsign(), lambda z: z / (1 + abs(z)), (0,)),
        (nn.ELU(2.0), lambda z: z if z > 0 else 2 * math.expm1(z), (0,)),
    ],
)
def test_gains_of_other_activations(activation, function, kinks):
    second, _ = quad(lambda z: function(z) ** 2 * norm.pdf(z), -12, 12, points=kinks, limit=200)
    net = nn.Sequential(nn.Linear(4, 4), activation, nn.Linear(4, 1))
    assert gains(net)["2.weight"] == pytest.approx(1 / math.sqrt(second), rel=1e-7)


def test_what_is_not_elementwise_has_no_gain():
    assert gains(nn.Sequential(nn.Linear(4, 4), nn.GLU(), nn.Linear(2, 1)))["2.weight"] == 1
    with pytest.raises(sb.InvalidInput, match="Did you mean 'relu'"):
        sb.initialize_module(nn.Linear(2, 2), activation="rleu")
    for wrong in (nn.GLU(), 3, nn.Linear(2, 2)):
        with pytest.raises(TypeError, match="activation of initialize_module must be one of"):
            sb.initialize_module(nn.Linear(2, 2), activation=wrong)


def test_rules_that_look_at_the_layers_own_activation_see_it():
    net: Any = nn.Sequential(nn.Linear(4, 6), nn.Sigmoid(), nn.Linear(6, 6), nn.Tanh())
    table = sb.initialize_module(net, "sklearn_default")
    assert table["0.weight"].expected == pytest.approx(math.sqrt(2 / 10 / 3))
    assert table["2.weight"].expected == pytest.approx(math.sqrt(6 / 12 / 3))
    table = sb.initialize_module(net, "nguyen_widrow")
    rows = net[0].weight.detach().double().norm(dim=1)
    torch.testing.assert_close(rows, torch.full((6,), 4 * 0.7 * 6**0.25).double())
    wanted = 4 * 0.7 * 6**0.25 / 2
    assert table["0.weight"].expected == pytest.approx(wanted)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU, nn.SELU, nn.Hardswish])
def test_the_signal_keeps_its_size_through_depth(activation):
    layers = [part for _ in range(10) for part in (nn.Linear(400, 400), activation())]
    net = nn.Sequential(*layers[:-1])
    sb.initialize_module(net)
    x = torch.randn(200, 400, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert 0.5 < float(net(x).square().mean()) < 2
