"""An optimiser that stands already is as good as its class for what rounding loses."""

from __future__ import annotations

import torch
from torch import nn

import symbreak as sb


def test_an_optimizer_of_the_user_in_a_short_dtype():
    generator = torch.Generator().manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).to(torch.bfloat16)
    batch = torch.randn(32, 4, generator=generator), torch.randn(32, 2, generator=generator)
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-9)
    found = sb.diagnose(module, nn.functional.mse_loss, batch, optimizer)
    assert {f.kind for f in found.findings} == {"lost_updates"}


def test_an_optimizer_that_asks_for_j_again_serves_too():
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).to(torch.bfloat16)
    batch = torch.ones(32, 4), torch.zeros(32, 2)
    found = sb.diagnose(module, nn.functional.mse_loss, batch, torch.optim.LBFGS)
    assert {f.kind for f in found.findings} >= {"constant_units"}
