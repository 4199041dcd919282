"""The call of every kind of finding, run on the finding's own case: it mends that, nothing else."""

import copy
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.findings import KINDS
from symbreak.modules.diagnosis.detectors import DETECTORS
from tests.modules.diagnosis import starts
from tests.modules.diagnosis.starts import data, twin_

# A case returns the module, what diagnose takes, and the entries that the remedy may change, as
# {name of a parameter: index}; no entry where the call must leave all numbers as they are.
Case = tuple[nn.Module, dict[str, Any], dict[str, Any]]
X, Y = data(32, 4), data(32, 2, seed=9)
REGRESSION = {"loss": F.mse_loss, "batch": (X, Y)}
EVERYTHING = (slice(None),)


def net(act: Any = nn.Tanh, width: int = 8) -> Any:
    return starts.mlp(act, width)


def filled(module: Any, name: str, value: float) -> Any:
    module.get_parameter(name).data.fill_(value)
    return module


def identical_units() -> Case:
    module = net()
    twin_(module[0], module[2], 1, 4)
    return module, REGRESSION, {"0.weight": (4,), "0.bias": (4,)}


def mirrored_units() -> Case:
    module = net()
    twin_(module[0], module[2], 1, 4, -1.0)
    return module, REGRESSION, {"0.weight": (4,), "0.bias": (4,)}


def dead_units() -> Case:
    return filled(net(nn.ReLU), "0.bias", -100.0), REGRESSION, {}


def saturated_units() -> Case:
    return filled(net(), "0.bias", 100.0), REGRESSION, {}


def constant_units() -> Case:
    return filled(net(), "0.weight", 0.0), REGRESSION, {}


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.base, self.A, self.B = nn.Linear(4, 2), nn.Linear(4, 3, False), nn.Linear(3, 2, False)
        self.head = nn.Linear(2, 2)
        nn.init.zeros_(self.A.weight)
        nn.init.zeros_(self.B.weight)

    def forward(self, x):
        return self.head(self.base(x) + self.B(self.A(x)))


def two_zero_factors() -> Case:
    torch.manual_seed(0)
    return Product(), REGRESSION, {"A.weight": EVERYTHING}


class Gate(nn.Module):
    """Two numbers that are each a factor of the other's gradient."""

    def __init__(self):
        super().__init__()
        self.base, self.head = nn.Linear(4, 2), nn.Linear(2, 2)
        self.A, self.B = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.head(self.base(x) * (1 + self.A * self.B))


def two_zero_numbers() -> Case:
    torch.manual_seed(0)
    return Gate(), REGRESSION, {"A": ()}


def unused_parameter() -> Case:
    module = net()
    module.register_parameter("spare", nn.Parameter(torch.randn(3, 3)))
    return module, REGRESSION, {}


def non_finite() -> Case:
    module = net()
    module[0].weight.data[1, 2] = math.nan
    return module, REGRESSION, {}


class RootMeanSquare(nn.Module):
    """A norm that is not of torch.nn."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.scale = kind, nn.Parameter(torch.ones(8))

    def forward(self, x):
        x = x / x.square().mean(-1, keepdim=True).sqrt()
        return {
            "x * w": lambda: x * self.scale,
            "w * x": lambda: self.scale * x,
            "mul": lambda: torch.mul(x, self.scale.to(x.dtype)),
            "1 + w": lambda: x * (1 + self.scale),
            "x + w": lambda: x + self.scale,
            "x / w": lambda: x / self.scale,
        }[self.kind]()


GARBAGE = 3e25


def fine_tuned(name: str, *extra: nn.Module) -> Case:
    """A trained module of which one parameter alone was not written."""
    torch.manual_seed(0)
    module: Any = nn.Sequential(
        nn.Linear(4, 8), nn.LayerNorm(8), nn.Tanh(), *extra, nn.Linear(8, 8), nn.ReLU(),
        nn.Linear(8, 2),
    )  # fmt: skip
    return filled(module, name, GARBAGE), REGRESSION, {name: EVERYTHING}


class Tokens(nn.Module):
    """A table with a padding row, positions, a token of its own, convolution, attention, memory."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 16, padding_idx=3)
        self.positions = nn.Parameter(0.02 * torch.randn(1, 7, 16))
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, 16))
        self.size = nn.Parameter(torch.ones(16, 1))
        self.conv = nn.Conv1d(16, 16, 3, padding=1)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.norm, self.memory = nn.LayerNorm(16), nn.GRU(16, 16, batch_first=True)
        self.out, self.head = nn.Parameter(torch.randn(16, 16) / 4), nn.Linear(16, 3)

    def forward(self, ids):
        x = torch.cat([self.token.expand(len(ids), -1, -1), self.table(ids)], 1)
        x = (self.conv((x + self.positions).transpose(1, 2)) * self.size).transpose(1, 2)
        x = x + self.attention(self.norm(x), x, x)[0]
        return self.head(torch.tanh(self.memory(x)[0][:, -1] @ self.out))


def tokens(name: str, value: float = GARBAGE) -> Case:
    torch.manual_seed(0)
    module = Tokens()
    module.get_parameter(name).data.fill_(value)
    ids = torch.randint(0, 9, (16, 6), generator=torch.Generator().manual_seed(1))
    options = {"loss": F.cross_entropy, "batch": (ids, ids[:, 0] % 3)}
    return module, options, {name: EVERYTHING}


def cloned() -> Case:
    module: Any = net()
    module[2] = nn.Linear(8, 8)
    module.insert(3, copy.deepcopy(module[2]))
    return module, REGRESSION, {"3.weight": EVERYTHING}


def cloned_and_frozen() -> Case:
    module, options, _ = cloned()
    module.get_submodule("2").requires_grad_(False)
    return module, options, {}


def deep(factor: float) -> Case:
    torch.manual_seed(0)
    layers = [nn.Linear(4, 4, bias=False) for _ in range(7)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight, gain=factor)
    return nn.Sequential(*layers, nn.Linear(4, 2)), REGRESSION, {}


def too_large() -> Case:
    module = net()
    module[2].weight.data.normal_(std=40.0)
    return module, REGRESSION, {"2.weight": EVERYTHING}


def too_large_table() -> Case:
    module, options, _ = tokens("token", 0.01)
    table: Any = module.get_submodule("table")
    table.weight.data.normal_(std=100.0)
    table.weight.data[3] = 0.0
    rows = [row for row in range(9) if row != 3]
    packed = {"attention.in_proj_weight": EVERYTHING}  # by PyTorch's own fans: a note
    return module, options, {"table.weight": (rows,), **packed}


def far_from_knowing_nothing() -> Case:
    module = net()
    module[4].bias.data.fill_(30.0)
    return module, REGRESSION, {}


def bfloat() -> Case:
    module = nn.Sequential(*net(), nn.LayerNorm(2)).to(torch.bfloat16)
    return module, REGRESSION | {"optimizer": torch.optim.AdamW}, {}


CASES: dict[str, list[Any]] = {
    "identical_units": [identical_units],
    "mirrored_units": [mirrored_units],
    "dead_units": [dead_units],
    "saturated_units": [saturated_units],
    "constant_units": [constant_units],
    "no_gradient": [two_zero_factors, two_zero_numbers],
    "unused_parameter": [unused_parameter],
    "non_finite": [non_finite],
    "uninitialized": [
        *(lambda name=name: fine_tuned(name) for name in (
            "0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "5.bias")),
        *(lambda kind=kind: fine_tuned("3.scale", RootMeanSquare(kind)) for kind in (
            "x * w", "w * x", "mul", "1 + w", "x + w", "x / w")),
        *(lambda name=name: tokens(name) for name in (
            "table.weight", "positions", "token", "size", "conv.weight", "conv.bias",
            "attention.in_proj_weight", "attention.in_proj_bias", "norm.weight", "out",
            "memory.weight_ih_l0", "memory.bias_hh_l0")),
    ],
    "identical_tensors": [cloned, cloned_and_frozen],
    "vanishing_signal": [lambda: deep(0.1)],
    "exploding_signal": [lambda: deep(10.0)],
    "wrong_scale": [too_large, too_large_table],
    "initial_loss": [far_from_knowing_nothing],
    "lost_updates": [bfloat],
}  # fmt: skip
# Kinds of which every finding that asks for a draw says how, as Python.
WITH_CALL = {
    "identical_units", "mirrored_units", "no_gradient", "unused_parameter", "uninitialized",
    "identical_tensors", "wrong_scale",
}  # fmt: skip


def test_every_kind_has_a_case():
    assert set(CASES) == set(KINDS)
    assert set(DETECTORS) <= set(CASES)


def unlike(module, before):
    """Return the entries that differ, as {name: mask}."""
    after = module.state_dict()
    assert after.keys() == before.keys()
    same = {name: (after[name] == before[name]) | (after[name] != after[name]) for name in before}
    return {name: ~mask for name, mask in same.items() if not mask.all()}


def run(call, module, found):
    exec(call, {"torch": torch, "sb": sb, "symbreak": sb, "module": module, "found": found})


@pytest.mark.parametrize(
    ("kind", "case"),
    [pytest.param(k, case, id=f"{k}-{i}") for k in CASES for i, case in enumerate(CASES[k])],
)
def test_the_call_mends_the_finding_and_changes_nothing_else(kind, case):
    module, options, expected = case()
    before, found = copy.deepcopy(module.state_dict()), sb.diagnose(module, **options)
    own = [f for f in found.findings if f.kind == kind]
    assert own, str(found)
    if kind in WITH_CALL and own[0].level != "note":
        assert own[0].call
    for finding in (f for f in own if f.call):
        mended = copy.deepcopy(module)
        run(finding.call, mended, found)
        masks = unlike(mended, before)
        assert finding.where not in expected or set(masks) <= {finding.where}
        for name, mask in masks.items():
            allowed = torch.zeros_like(mask)
            allowed[expected[name]] = True
            assert not (mask & ~allowed).any(), name
        again = sb.diagnose(mended, **options).findings
        left = {(f.kind, f.where) for f in again if f.level in ("error", finding.level)}
        assert (kind, finding.where) not in left
        assert {k for k, name in left} <= {f.kind for f in found.findings}


@pytest.mark.parametrize("case", CASES["uninitialized"])
def test_repair_writes_the_parameter_alone_and_as_its_role_wants_it(case):
    module, options, expected = case()
    (name,) = expected
    before, found = copy.deepcopy(module.state_dict()), sb.diagnose(module, **options)
    assert [f.where for f in found.findings if f.kind == "uninitialized"] == [name]
    sb.repair(module, found)
    assert set(unlike(module, before)) == set(expected)
    assert module.get_parameter(name).abs().max() < 10


@pytest.mark.parametrize(
    ("name", "extra", "value"),
    [
        ("1.weight", (), 1.0),
        ("1.bias", (), 0.0),
        ("0.bias", (), 0.0),
        *(("3.scale", (RootMeanSquare(kind),), 1.0) for kind in ("x * w", "w * x", "mul", "x / w")),
        ("3.scale", (RootMeanSquare("1 + w"),), 0.0),
        ("3.scale", (RootMeanSquare("x + w"),), 0.0),
    ],
)
@pytest.mark.parametrize("way", ["call", "repair"])
def test_an_unwritten_scale_becomes_one_and_a_shift_zero(way, name, extra, value):
    module, options, _ = fine_tuned(name, *extra)
    found = sb.diagnose(module, **options)
    if way == "repair":
        sb.repair(module, found)
    else:
        (call,) = (f.call for f in found.findings if f.kind == "uninitialized")
        run(call, module, found)
    assert (module.get_parameter(name) == value).all()


class Strange(nn.Module):
    """A parameter that goes through a function which does not tell what it is."""

    def __init__(self, way):
        super().__init__()
        self.way, self.rate = way, nn.Parameter(torch.ones(8))

    def forward(self, x):
        return self.way(x, self.rate)


@pytest.mark.parametrize(
    "way",
    [lambda x, w: x * torch.sin(w), lambda x, w: torch.einsum("nd,d->nd", x, w)],
    ids=["sin", "einsum"],
)
def test_where_nothing_is_known_of_the_parameter_there_is_no_call_and_repair_refuses(way):
    module, options, _ = fine_tuned("3.rate", Strange(way))
    before, found = copy.deepcopy(module.state_dict()), sb.diagnose(module, **options)
    (one,) = (f for f in found.findings if f.kind == "uninitialized")
    assert (one.where, one.call) == ("3.rate", "")
    with pytest.raises(sb.InvalidInput, match="weights that can be drawn"):
        sb.repair(module, found)
    assert not unlike(module, before)


def test_a_scan_of_weights_gives_no_call_that_needs_more_than_the_finding_names():
    module = net()
    weights = module.state_dict()
    weights["0.weight"].fill_(GARBAGE)
    weights["4.weight"] = weights["4.weight"].clone()
    weights["2.weight"] = weights["5.weight"] = torch.randn(8, 8)
    found = sb.scan_weights({**weights, "5.weight": weights["2.weight"].clone()})
    kinds = {f.kind for f in found.findings}
    assert {"uninitialized", "identical_tensors"} <= kinds
    quiet = ("uninitialized", "identical_tensors")
    assert not any(f.call for f in found.findings if f.kind in quiet)
