"""Repair asks the anatomy where a unit lies and who reads it: registered layers are mended too."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.modules.anatomy.outgoing import layer_of, reader_of
from symbreak.modules.anatomy.targets import weight_of
from tests.modules.diagnosis.starts import data

X, Y = data(32, 4), data(32, 2, seed=2)


class Own(nn.Module):
    """A layer with its inputs first, under names that torch does not know."""

    def __init__(self, n_in: int, n_out: int, size: float | None = None) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(n_in, n_out) / n_in**0.5)
        self.shift = nn.Parameter(torch.zeros(n_out))
        self.size = size

    def forward(self, x):
        if self.size is None:
            return x @ self.kernel + self.shift
        return F.linear(x, (self.size * self.kernel).T, self.shift)


class Grouped(nn.Module):
    """Two matrices side by side: no unit is read by all."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(2, 3, 1))


@pytest.fixture(autouse=True)
def _roles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbreak.modules.anatomy.registry._REGISTERED", {})
    sb.register_role(Own, "kernel", axes="in out", bias="shift")
    sb.register_role(Grouped, "kernel", axes="stack in out")


def into(layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """(units, inputs) and (units,)."""
    return (layer.kernel.T, layer.shift) if isinstance(layer, Own) else (layer.weight, layer.bias)


def twins(first: Any, last: Any) -> tuple[nn.Sequential, Any]:
    """A net whose hidden units 1 and 3 are one unit, and its diagnosis."""
    out = into(last)[0].T
    with torch.no_grad():
        for values in (*into(first), out):
            values[3] = values[1]
    module = nn.Sequential(first, nn.Tanh(), last)
    return module, sb.diagnose(module, F.mse_loss, (X, Y))


PAIRS = {
    "read by a registered layer": lambda: (nn.Linear(4, 6), Own(6, 2)),
    "of a registered layer": lambda: (Own(4, 6), nn.Linear(6, 2)),
    "of one that changes its weight": lambda: (Own(4, 6, 0.5), nn.Linear(6, 2)),
    "between two": lambda: (Own(4, 6, 0.5), Own(6, 2, 0.5)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("how", ["redraw", "perturb"])
def test_units_of_a_registered_layer_are_drawn_apart(name, how):
    torch.manual_seed(0)
    module, found = twins(*PAIRS[name]())
    before = into(module[0])[0].detach().clone()
    repair = sb.repair(module, found, how=how)
    assert repair.after.ok
    changed = (into(module[0])[0] != before).any(1)
    assert changed.nonzero().flatten().tolist() == [3]


@pytest.mark.parametrize("name", PAIRS)
def test_ways_out_to_a_registered_layer_are_shared_out(name):
    torch.manual_seed(0)
    module, found = twins(*PAIRS[name]())
    before, output = into(module[2])[0].detach().clone(), module(X).detach()
    assert sb.repair(module, found, how="split").after.ok
    assert (module(X) - output).abs().max() < 1e-6
    changed = (into(module[2])[0] != before).any(0)
    assert changed.nonzero().flatten().tolist() == [1, 3]


def test_a_layer_of_groups_is_no_reader_of_all_units():
    assert reader_of(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), Own(6, 2)), "0") == "2"
    assert reader_of(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), Grouped()), "0") is None


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_what_a_weight_is_made_of_is_not_shared_out(norm):
    reader = norm(nn.Linear(6, 2))
    assert weight_of(reader) is None
    assert reader_of(nn.Sequential(nn.Linear(4, 6), nn.Tanh(), reader), "0") is None


def test_experts_of_a_stack_are_no_units_that_the_next_layer_reads():
    module = nn.Sequential(Grouped(), nn.Tanh(), nn.Linear(2, 2))
    assert layer_of(module, "0.kernel") == "0.kernel"
    assert reader_of(module, "0") is None


def test_a_unit_is_an_index_of_its_weight():
    weight = weight_of(Own(4, 6))
    assert weight is not None
    assert weight.n_units == 6
    weight.tensor[weight.unit(2)] = torch.nan
    assert weight.tensor.isnan().any(0).tolist() == [k == 2 for k in range(6)]
