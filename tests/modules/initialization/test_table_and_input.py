"""The table, rules for single roles, registered layers, and what is refused."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import symbreak as sb
from symbreak.errors import InvalidType


def test_the_table_reads_well():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    lines = str(sb.initialize_module(net, seed=7)).splitlines()
    assert lines[0] == "4 parameters, seed 7"
    head = "parameter shape role fan in fan out rule expected measured note"
    assert lines[1].split() == head.split()
    assert lines[2].split()[:8] == ["0.weight", "4", "x", "3", "weight", "3", "4", "lecun_normal"]
    assert lines[2].split()[8] == f"{1 / math.sqrt(3):.4g}"
    assert "lecun_normal(gain=1.414)" in lines[4]
    assert lines[3].split() == ["0.bias", "4", "bias", "-", "-", "0", "0", "0"]


def test_the_table_is_plain_data():
    module = nn.LSTM(3, 4)
    table = sb.initialize_module(module)
    data = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert data["seed"] == 0
    assert [row["parameter"] for row in data["rows"]] == [n for n, _ in module.named_parameters()]
    assert data["rows"][0]["shape"] == [16, 3]
    assert data["rows"][2]["fan_in"] is None
    assert table["weight_ih_l0"].shape == (16, 3)


def test_rules_by_role():
    module = nn.Sequential(nn.Embedding(30, 40), nn.LSTM(40, 50))
    chosen = {"recurrent weight": "glorot_normal", "embedding": sb.rules.Normal(std=0.02)}
    table = sb.initialize_module(module, chosen)
    assert table["0.weight"].expected == 0.02
    assert table["1.weight_hh_l0"].expected == pytest.approx(math.sqrt(2 / 100))
    assert table["1.weight_ih_l0"].expected == pytest.approx(1 / math.sqrt(40))
    with pytest.raises(sb.InvalidInput, match="Did you mean 'recurrent weight'"):
        sb.initialize_module(module, {"recurent weight": "glorot_normal"})


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(30, 20))
        self.token = nn.Parameter(torch.ones(1, 1, 20))
        self.gate = nn.Parameter(torch.ones(()))
        self.scale = nn.Parameter(torch.ones(20))
        self.phase = nn.Parameter(torch.ones(4, 4, dtype=torch.complex64))
        self.none = nn.Parameter(torch.ones(0, 5))


def test_what_is_not_known_is_said_and_kept():
    module = Odd()
    table = sb.initialize_module(module)
    assert table["matrix"].role == "unknown"
    assert table["matrix"].note == "taken as (out, in)"
    assert table["matrix"].measured == pytest.approx(1 / math.sqrt(20), rel=0.15)
    assert table["token"].note == "keeps its values: no known role, see register_role"
    for name in ("token", "gate", "scale", "phase", "none"):
        assert (getattr(module, name) == 1).all()
        assert "keeps its values" in table[name].note
    assert str(table)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(torch.empty(40, 3 * 50))
        self.b = nn.Parameter(torch.empty(3, 50))
        self.experts = nn.Parameter(torch.empty(3, 40, 50))
        self.gain = nn.Parameter(torch.empty(5))
        self.free = nn.Parameter(torch.ones(5, 5))


class Heir(Layer):
    pass


def test_registered_roles_hold_for_heirs():
    sb.register_role(Layer, "experts", axes="stack in out", bias="b", rule="he_normal")
    sb.register_role(Layer, "b", "bias")
    sb.register_role(Layer, "gain", "norm weight")
    sb.register_role(Layer, "free", "kept")
    sb.register_role(Layer, "W", axes="in out")
    sb.register_role(Heir, "W", "embedding")
    module = Heir()
    table = sb.initialize_module(module, sb.rules.LecunNormal(bias=0.25))
    assert (table["experts"].fan_in, table["experts"].fan_out) == (40, 50)
    assert table["experts"].expected == pytest.approx(math.sqrt(2 / 40))
    assert (module.b == 0).all()  # of the registered rule
    assert (module.gain == 1).all()
    assert (module.free == 1).all()
    assert table["W"].role == "embedding"
    assert sb.initialize_module(Layer())["W"].role == "weight"
    sb.register_role(Layer, "experts", axes="stack in out", bias="b")
    table = sb.initialize_module(module, "torch_default")
    found = [float(part.abs().max()) for part in module.b.detach()]
    assert found == pytest.approx([1 / math.sqrt(40)] * 3, rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((nn.Linear(2, 2), "weight"), InvalidType, "layer of register_role must be a class"),
        ((Layer, "a.b"), sb.InvalidInput, "parameter of register_role must be the name"),
        ((Layer, "W", "wieght"), sb.InvalidInput, "Did you mean 'weight'"),
        ((Layer, "W", "unknown"), sb.InvalidInput, "kind of register_role must be one of"),
    ],
)
def test_roles_that_make_no_sense_are_refused(arguments, kind, message):
    with pytest.raises(kind, match=message):
        sb.register_role(*arguments)
    with pytest.raises(sb.InvalidInput, match="axes of register_role must be one of out in, in ou"):
        sb.register_role(Layer, "W", axes="out")
    with pytest.raises(sb.InvalidInput, match="parts of register_role must be a whole number"):
        sb.register_role(Layer, "W", parts=0)


class Uneven(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat = nn.Parameter(torch.ones(7))
        self.split = nn.Parameter(torch.ones(7, 2))


def test_a_role_that_does_not_fit_its_parameter_is_refused():
    module = Uneven()
    sb.register_role(Uneven, "flat")
    with pytest.raises(sb.InvalidInput, match=r"flat must have the axes 'out in'.*Got shape \(7,"):
        sb.initialize_module(module)
    sb.register_role(Uneven, "flat", "kept")
    sb.register_role(Uneven, "split", parts=2)
    with pytest.raises(sb.InvalidInput, match=r"split must hold the 2 parts .*Got shape \(7,"):
        sb.initialize_module(module)
    sb.register_role(Uneven, "split", axes="stack out in")
    with pytest.raises(sb.InvalidInput, match=r"split must have the axes 'stack out in'"):
        sb.initialize_module(module)
    assert (module.split == 1).all()


@pytest.mark.parametrize(
    ("module", "arguments", "kind", "message"),
    [
        (SimpleNamespace(), {}, InvalidType, "module must be a torch.nn.Module. Got SimpleNa"),
        (nn.ReLU(), {}, sb.InvalidInput, "initialize_module must have parameters. Got none"),
        (nn.LazyLinear(3), {}, sb.InvalidInput, "must have a shape. Got weight without one"),
        (nn.Linear(2, 1), {"rule": "xavier"}, sb.InvalidInput, "rule must be one of"),
        (nn.Linear(2, 1), {"rule": 3}, InvalidType, "rule must be a word"),
        (nn.Linear(2, 1), {"seed": -1}, sb.InvalidInput, "seed of initialize_module must be at"),
        (nn.Linear(2, 1), {"seed": 1.5}, InvalidType, "seed of initialize_module must be an int"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_what_does_not_fit_is_refused(module, arguments, kind, message):
    with pytest.raises(kind, match=message):
        sb.initialize_module(module, **arguments)
