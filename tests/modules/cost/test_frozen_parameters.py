"""Frozen parameters that `forward` writes: averages of trained ones, as MoCo and BYOL keep them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import symbreak as sb
from symbreak.modules.cost import frozen


def by_data(average, own):
    average.data = 0.9 * average.data + 0.1 * own.data


def by_copy(average, own):
    average.copy_(0.9 * average + 0.1 * own)


def by_lerp(average, own):
    average.lerp_(own, 0.1)


def by_lerp_of_data(average, own):
    average.data.lerp_(own.data, 0.1)


def by_mul_of_data(average, own):
    average.data.mul_(0.9).add_(0.1 * own.data)


def by_foreach(average, own):
    torch._foreach_lerp_([average.data], [own.data], 0.1)


WAYS = [by_data, by_copy, by_lerp, by_lerp_of_data, by_mul_of_data, by_foreach]


class Momentum(nn.Module):
    """A trained layer and an average of it, which every call moves; held in a list as well."""

    def __init__(self, write, *, is_copy=False):
        super().__init__()
        torch.manual_seed(0)
        self.own = nn.Linear(5, 4)
        self.average = copy.deepcopy(self.own) if is_copy else nn.Linear(5, 4)
        self.average.requires_grad_(False)
        self.pairs = [*zip(self.average.parameters(), self.own.parameters(), strict=True)]
        self.write = write

    def forward(self, x):
        with torch.no_grad():
            for pair in self.pairs:
                self.write(*pair)
            target = self.average(x)
        return (self.own(x) - target).square().mean()


def step(module, x):
    return module(x)


def example(write, **more):
    module = Momentum(write, **more).double()
    X = torch.randn(12, 5, generator=torch.Generator().manual_seed(1)).double()
    return module, X, sb.ModuleCost(module, step=step, batch=X)


def by_hand(module, cost, X, theta):
    own = copy.deepcopy(module)
    with torch.no_grad():
        for block, p in zip(cost.blocks, own.own.parameters(), strict=True):
            p.copy_(theta[block.slice].reshape(block.shape))
    J = own(X)
    J.backward()
    return J.detach(), torch.cat([p.grad.reshape(-1) for p in own.own.parameters()])


@pytest.mark.parametrize("starts", [None, 3])
@pytest.mark.parametrize("write", WAYS)
def test_every_evaluation_starts_from_the_frozen_parameters_as_given(write, starts):
    module, X, cost = example(write)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    theta = cost.initialize("lecun_normal", starts=starts, seed=1)
    expected = [by_hand(module, cost, X, each) for each in theta.reshape(-1, theta.shape[-1])]
    for _ in range(3):
        J, gradient = cost(theta)
        for k, (value, slope) in enumerate(expected):
            torch.testing.assert_close(J.reshape(-1)[k], value, rtol=1e-12, atol=0)
            torch.testing.assert_close(gradient.reshape(-1, len(slope))[k], slope)
        torch.testing.assert_close(cost.value(theta), J, rtol=1e-12, atol=0)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


@pytest.mark.parametrize("write", WAYS)
def test_an_average_that_equals_what_it_follows_at_first_is_put_back_later(write):
    module, X, cost = example(write, is_copy=True)
    theta = cost.initial_theta()
    assert cost.mode in ("stacked", "one by one")
    for k in (0, cost.blocks[-1].start):  # one entry at a time, as differences are taken
        cost.value(theta)
        moved = theta.clone()
        moved[k] += 1.0
        expected, _ = by_hand(module, cost, X, moved)
        for _ in range(3):
            torch.testing.assert_close(cost.value(moved), expected, rtol=1e-12, atol=0)
            torch.testing.assert_close(cost(moved.expand(2, -1))[0], expected.expand(2))


def test_frozen_parameters_that_no_call_writes_are_copied_in_the_first_calls_alone(monkeypatch):
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    module[0].requires_grad_(False)
    cost = sb.ModuleCost(module, nn.functional.mse_loss, (torch.ones(2, 3), torch.ones(2, 1)))
    copies = []
    put_back = frozen._put_back
    monkeypatch.setattr(frozen, "_put_back", lambda *had: copies.append(had) or put_back(*had))
    theta = cost.initialize("lecun_normal", starts=4)
    cost(theta[0])
    assert copies
    cost(theta[1] + 1.0)
    copies.clear()
    cost(theta)
    cost.batch([0])(theta[2])
    assert not copies
    assert cost.mode == "stacked"
