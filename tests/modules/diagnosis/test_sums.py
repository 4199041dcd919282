"""Rows of a parameter that are only added: biases of an ensemble are no units to be twins."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis.starts import data


class Ensemble(nn.Module):
    """Four networks side by side; their outputs are averaged, or all are given out."""

    def __init__(self, way, combine, members=4):
        super().__init__()
        torch.manual_seed(0)
        self.way, self.combine = way, combine
        self.w = nn.Parameter(torch.randn(members, 5, 8) * 0.4)
        self.b = nn.Parameter(torch.zeros(members, 8))
        self.v = nn.Parameter(torch.randn(members, 8, 3) * 0.4)
        self.c = nn.Parameter(torch.zeros(members, 3))

    def forward(self, x):
        return self.combine(self.way(x, self.w, self.b, self.v, self.c))


def by_vmap(x, *weights):
    return torch.func.vmap(lambda w, b, v, c: torch.tanh(x @ w + b) @ v + c)(*weights)


def by_einsum(x, w, b, v, c):
    hidden = torch.tanh(torch.einsum("bi,eih->ebh", x, w) + b[:, None])
    return torch.einsum("ehk,ebh->ebk", v, hidden) + c[:, None]


def by_matmul(x, w, b, v, c):
    return torch.tanh(x @ w + b.unsqueeze(1)) @ v + c.unsqueeze(1)


def by_baddbmm(x, w, b, v, c):
    hidden = torch.tanh(torch.baddbmm(b[:, None], x.expand(len(w), -1, -1), w))
    return torch.baddbmm(c[:, None], hidden, v)


def mean(outputs):
    return outputs.mean(0)


def total(outputs):
    return outputs.sum(0)


@pytest.mark.parametrize("combine", [mean, total])
@pytest.mark.parametrize("way", [by_vmap, by_einsum, by_matmul, by_baddbmm])
def test_output_biases_of_an_ensemble_that_is_averaged_are_sound(way, combine):
    y = torch.randint(3, (32,), generator=torch.Generator().manual_seed(1))
    found = sb.diagnose(Ensemble(way, combine), F.cross_entropy, (data(32, 5), y))
    assert [f for f in found.findings if f.kind == "identical_units"] == []
    assert found.ok


class Tokens(nn.Module):
    """Learned tokens that attention reads beside the input."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.tokens = nn.Parameter(torch.zeros(4, 8) + 0.1)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = torch.cat([self.tokens.expand(len(x), -1, -1), x], 1)
        return self.head(self.attention(x, x, x)[0].mean(1))


class Gates(nn.Module):
    """Rows that are added before a nonlinear function, each to the same numbers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = nn.Linear(5, 3), nn.Linear(3, 2)
        self.shifts = nn.Parameter(torch.zeros(4, 3))

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)[:, None] + self.shifts).mean(1))


@pytest.mark.parametrize(
    ("make", "shape", "where"), [(Tokens, (16, 3, 8), "tokens"), (Gates, (16, 5), "shifts")]
)
def test_equal_rows_that_are_used_apart_are_an_error(make, shape, where):
    found = sb.diagnose(make(), F.mse_loss, (data(*shape), data(16, 2, seed=2)))
    (twins,) = [f for f in found.findings if f.where == where]
    assert (twins.kind, twins.level, twins.permanent) == ("identical_units", "error", True)
    assert twins.units == (0, 1, 2, 3)
