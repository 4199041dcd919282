"""Starts of modules: which numbers are drawn, with which fans, and which are left alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import symbreak as sb
from symbreak.errors import InvalidType


def cost_of(module):
    return sb.ModuleCost(module, step=lambda m, _: next(m.parameters()).sum())


def drawn(module, rule, starts=40, seed=0):
    """Return each parameter of all starts by name, (starts, *shape)."""
    cost = cost_of(module)
    theta = cost.initialize(rule, starts=starts, seed=seed)
    return {b.name: theta[:, b.slice].reshape(-1, *b.shape).double().numpy() for b in cost.blocks}


PLAIN = {
    "linear": nn.Linear(30, 50),
    "conv1d": nn.Conv1d(6, 20, 5),
    "conv2d": nn.Conv2d(4, 10, 3),
    "conv3d": nn.Conv3d(3, 8, 2),
    "embedding": nn.Embedding(40, 30),
    "bilinear": nn.Bilinear(5, 6, 20),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_weights_have_the_fans_of_torch(name):
    module = PLAIN[name]
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
    for rule, variance in (
        ("lecun_normal", 1 / fan_in),
        ("he_uniform", 2 / fan_in),
        ("glorot_normal", 2 / (fan_in + fan_out)),
    ):
        weight = drawn(module, rule)["weight"]
        tolerance = 5 * math.sqrt(2 / weight.size)
        assert weight.var() == pytest.approx(variance, rel=tolerance)
        assert abs(weight.mean()) < 5 * math.sqrt(variance / weight.size)


@pytest.mark.parametrize(
    ("module", "name", "fan_in", "fan_out"),
    [
        (nn.GRU(10, 20), "weight_ih_l0", 10, 20),
        (nn.GRU(10, 20), "weight_hh_l0", 20, 20),
        (nn.LSTM(10, 20, bidirectional=True), "weight_ih_l0_reverse", 10, 20),
        (nn.LSTM(10, 20, proj_size=7), "weight_hh_l0", 7, 20),
        (nn.LSTM(10, 20, proj_size=7), "weight_hr_l0", 20, 7),
        (nn.LSTMCell(10, 20), "weight_ih", 10, 20),
        (nn.RNN(10, 20), "weight_ih_l0", 10, 20),
        (nn.MultiheadAttention(12, 2), "in_proj_weight", 12, 12),
        (nn.Conv2d(8, 12, 3, groups=4), "weight", 2 * 9, 3 * 9),
        (nn.ConvTranspose2d(5, 9, 3), "weight", 5 * 9, 9 * 9),
        (nn.ConvTranspose2d(4, 10, 3, groups=2), "weight", 2 * 9, 5 * 9),
    ],
)
def test_packed_weights_have_the_fans_of_their_parts(module, name, fan_in, fan_out):
    for rule, variance in (("he_normal", 2 / fan_in), ("glorot_normal", 2 / (fan_in + fan_out))):
        weight = drawn(module, rule)[name]
        assert weight.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / weight.size))


def test_parts_and_kernels_are_orthogonal_each_by_itself():
    gru = drawn(nn.GRU(6, 6), "orthogonal", starts=2)["weight_hh_l0"]
    for gate in gru.reshape(2 * 3, 6, 6):
        np.testing.assert_allclose(gate @ gate.T, np.eye(6), atol=1e-6)
    assert not np.allclose(gru[:, :6], gru[:, 6:12])
    conv = drawn(nn.Conv2d(3, 4, 2), "orthogonal", starts=1)["weight"].reshape(4, 12)
    np.testing.assert_allclose(conv @ conv.T, np.eye(4), atol=1e-6)
    back = drawn(nn.ConvTranspose1d(5, 2, 3), "orthogonal", starts=1)["weight"][0]
    rows = back.swapaxes(0, 1).reshape(2, 15)
    np.testing.assert_allclose(rows @ rows.T, np.eye(2), atol=1e-6)


def test_biases_follow_the_rule_and_norms_stay():
    norm = nn.LayerNorm((2, 4))
    module = nn.Sequential(nn.Linear(3, 4), norm, nn.Linear(4, 2))
    nn.init.constant_(norm.weight, 1.5)
    nn.init.constant_(norm.bias, 0.25)
    zero = drawn(module, "glorot_uniform")
    one = drawn(module, sb.rules.GlorotUniform(bias=1.0))
    uniform = drawn(module, sb.rules.Uniform(epsilon=0.12))
    for layer in "02":
        assert (zero[f"{layer}.bias"] == 0).all()
        assert (one[f"{layer}.bias"] == 1).all()
        assert 0.05 < np.abs(uniform[f"{layer}.bias"]).max() < 0.12
        np.testing.assert_array_equal(zero[f"{layer}.weight"], one[f"{layer}.weight"])
    for found in (zero, one, uniform):
        assert (found["1.weight"] == 1.5).all()
        assert (found["1.bias"] == 0.25).all()


def test_what_stands_alone_keeps_its_values():
    attention = nn.MultiheadAttention(4, 2, add_bias_kv=True)
    kept = {name: p.detach().double().numpy() for name, p in attention.named_parameters()}
    found = drawn(attention, sb.rules.GlorotNormal(bias=3.0), starts=2)
    for name in ("bias_k", "bias_v"):
        np.testing.assert_array_equal(found[name], np.stack([kept[name]] * 2))
    assert (found["in_proj_bias"] == 3).all()
    table = nn.Embedding(5, 3, padding_idx=1)
    weight = drawn(table, "normal", starts=2)["weight"]
    assert (weight[:, 1] == 0).all()
    assert (weight[:, [0, 2, 3, 4]] != 0).all()
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))
    size = normed.parametrizations.weight.original0.detach().double().numpy()
    found = drawn(normed, "he_normal", starts=2)
    np.testing.assert_array_equal(found["parametrizations.weight.original0"], [size, size])
    assert len(np.unique(found["parametrizations.weight.original1"])) == 24


def test_a_start_depends_on_seed_and_name_alone():
    small = nn.ModuleDict({"a": nn.Linear(3, 4)})
    large = nn.ModuleDict({"other": nn.Linear(2, 2), "a": nn.Linear(3, 4), "b": nn.Linear(3, 4)})
    one, two = drawn(small, "he_normal", starts=2), drawn(large, "he_normal", starts=5)
    np.testing.assert_array_equal(one["a.weight"], two["a.weight"][:2])
    assert not np.array_equal(two["a.weight"], two["b.weight"])
    assert not np.array_equal(drawn(small, "he_normal", 2, seed=1)["a.weight"], one["a.weight"])
    cost = cost_of(small)
    single = cost.initialize("he_normal")
    assert single.shape == (16,)
    torch.testing.assert_close(single, cost.initialize("he_normal", starts=3)[0])
    assert not torch.equal(cost.initialize(seed=None), cost.initialize(seed=None))
    double = cost.to("float64").initialize("he_normal")
    torch.testing.assert_close(double.float(), single)


def test_theta_starts_where_the_module_stands():
    module = nn.Linear(2, 3)
    theta = cost_of(module).initial_theta()
    assert theta.shape == (9,)
    torch.testing.assert_close(theta[:6].reshape(3, 2), module.weight.detach())
    theta[:] = 0
    assert (module.weight != 0).all()


def test_equal_units_are_not_started_silently():
    deep = cost_of(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    with pytest.warns(sb.SymmetryWarning, match=r"equal, in 2 weights from 0.weight to 2.weight"):
        assert (deep.initialize("zeros") == 0).all()
    assert (cost_of(nn.Linear(3, 1)).initialize("zeros") == 0).all()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"rule": "golrot_uniform"}, sb.InvalidInput, "Did you mean 'glorot_uniform'"),
        ({"starts": 0}, sb.InvalidInput, "starts of initialize must be at least 1, or None. Got 0"),
        ({"starts": 1.5}, InvalidType, "starts of initialize must be an integer or None. Got 1.5"),
        ({"seed": -1}, sb.InvalidInput, "seed of initialize must be at least 0, or None. Got -1"),
        ({"seed": True}, InvalidType, "seed of initialize must be an integer or None. Got True"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=message):
        cost_of(nn.Linear(2, 1)).initialize(**arguments)
