"""`repair` reads the fields of findings and no sentence: scrambled words change nothing."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.findings import Diagnosis
from tests.modules.diagnosis import starts
from tests.modules.diagnosis.starts import data

X, Y = data(48, 4), 4 * data(48, 2, seed=2)


def scrambled(found):
    """Return the diagnosis with other sentences, as are those that are made again."""

    def of(finding):
        words = {"evidence": "rows are std=7", "remedy": "constant_(x, 9)", "call": "normal_(x)"}
        return replace(finding, **words, parts=tuple(map(of, finding.parts)))

    again = found.again
    return Diagnosis(tuple(map(of, found.findings)), lambda module: scrambled(again(module)))


class Product(nn.Module):
    """x @ w, or x @ w.T; `weight` is the name of a layer's own."""

    def __init__(self, shape, transposed, values=None):
        super().__init__()
        self.weight = nn.Parameter(
            data(*shape) / 2 if values is None else torch.full(shape, values)
        )
        self.bias = nn.Parameter(
            data(max(shape), seed=4) if values is None else torch.zeros(max(shape))
        )
        self.transposed = transposed

    def forward(self, x):
        return x @ (self.weight.T if self.transposed else self.weight) + self.bias


class Table(nn.Module):
    """Rows that lie along an axis of three: the first, or the one after an axis of one entry."""

    def __init__(self, *shape):
        super().__init__()
        self.table, self.head = nn.Parameter(torch.zeros(shape)), nn.Linear(4, 2)

    def forward(self, x):
        rows = (
            self.table.expand(len(x), *self.table.shape[1:])
            if len(self.table) == 1
            else (self.table.sum(1).expand(len(x), -1, -1))
        )
        seen = torch.cat([rows, x[:, None]], dim=1)
        return self.head((F.softmax(seen @ x[..., None], 1) * seen).sum(1))


def net(first, width):
    return nn.Sequential(first, nn.Tanh(), nn.Linear(width, 2))


def twins(transposed):
    torch.manual_seed(0)
    module = net(Product((6, 4) if transposed else (4, 6), transposed), 6)
    with torch.no_grad():
        weight = module[0].weight if transposed else module[0].weight.T
        weight[3] = weight[1]
        module[0].bias[3] = module[0].bias[1]
        module[2].weight[:, 3] = module[2].weight[:, 1]
    return module


def experts():
    return starts.StackedExperts(copies=True, zero_router=True)


def wrong_scale():
    torch.manual_seed(0)
    module: Any = nn.Sequential(Product((6, 4), True), nn.ELU(), nn.Linear(6, 2))
    module[0].weight.data.mul_(100)
    return module


def unwritten():
    torch.manual_seed(0)
    module = net(Product((6, 4), True), 6)
    module[0].weight.data.fill_(1e30)
    return module


def dead():
    module: Any = starts.mlp(nn.ReLU)
    module[0].bias.data.fill_(-50)
    return module


def heads():
    module = starts.Attention()
    starts.twin_heads_(module.attn)
    return module


SICK = {
    "x @ w": lambda: twins(False),
    "x @ w.T": lambda: twins(True),
    "experts": experts,
    "wrong scale": wrong_scale,
    "unwritten": unwritten,
    "dead": dead,
    "rows of a table": lambda: Table(1, 3, 4),
    "rows of several numbers": lambda: Table(5, 3, 4),
}


@pytest.mark.parametrize("name", SICK)
def test_sentences_are_not_read(name):
    one, x = SICK[name](), X
    other = copy.deepcopy(one)
    found = sb.diagnose(one, F.mse_loss, (x, Y[:, :2] if name != "experts" else data(48, 4)))
    assert any(finding.level != "note" for finding in found.findings)
    assert sb.repair(one, found).after.ok
    sb.repair(other, scrambled(found))
    for mine, its in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_unit_of_a_product_is_a_row_or_a_column(transposed):
    module = twins(transposed)
    before = copy.deepcopy(module)
    found = sb.diagnose(module, F.mse_loss, (X, Y))
    (twin,) = [finding for finding in found.findings if finding.level == "error"]
    assert (twin.where, twin.units, twin.axis) == ("0", (1, 3), 0 if transposed else 1)
    sb.repair(module, found)
    changed = module[0].weight != before[0].weight
    changed = changed if transposed else changed.T
    assert changed[3].all()
    assert changed.sum() == 4


def test_rows_of_several_numbers_are_drawn_whole():
    module = Table(5, 3, 4)
    found = sb.diagnose(module, F.mse_loss, (X, Y))
    sb.repair(module, found)
    assert len(module.table.flatten(1).unique(dim=0)) == 5
    assert (module.table.flatten(1)[1:] != 0).all()


def test_a_constant_product_is_drawn_by_the_fan_of_its_call():
    module = net(Product((4000, 4), True, values=0.1), 4000)
    nn.init.constant_(module[2].weight, 0.01)
    repair = sb.repair(module, sb.diagnose(module, F.mse_loss, (X, Y)))
    assert repair.after.ok
    assert 0.45 < module[0].weight.std() < 0.55  # 1 / sqrt(4)


def test_the_fields_are_plain_data():
    found = sb.diagnose(wrong_scale(), F.mse_loss, (X, Y)).to_dict()["findings"]
    (wrong,) = [finding for finding in found if finding["kind"] == "wrong_scale"]
    assert (wrong["std"], wrong["axis"], wrong["value"]) == (0.5, None, None)


class OwnNorm(nn.Module):
    """A norm of one's own between two layers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.scale, self.shift = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
        self.inner, self.outer = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x):
        x = self.inner(x)
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt()
        return self.outer(torch.tanh(x * self.scale + self.shift))


@pytest.mark.parametrize("bad", [slice(None), slice(2, 5)])
@pytest.mark.parametrize(("name", "expected"), [("scale", 1.0), ("shift", 0.0)])
def test_what_is_not_finite_in_a_norm_of_ones_own_becomes_what_changes_nothing(name, expected, bad):
    module: Any = OwnNorm()
    with torch.no_grad():
        getattr(module, name)[0] = 1.25
        getattr(module, name)[bad] = torch.nan
    before = getattr(module, name).detach().clone()
    sb.repair(module, scrambled(sb.diagnose(module, F.mse_loss, (X, Y))))
    kept = before.isfinite()
    after = getattr(module, name).detach()
    assert (after[~kept] == expected).all()
    assert torch.equal(after[kept], before[kept])
