"""Parts that a loss reads and does not train on purpose, beside layers that are cut by mistake."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis.starts import data


class Parts(nn.Module):
    """A module of some parts, and what it does with them."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.does = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.does(self, x)


def trunk():
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh())


def actor():
    """The advantage is detached, so that the critic is not trained by the loss of the actor."""

    def loss(module, x):
        h = module.trunk(x)
        advantage = (x[:, 0] - module.critic(h)[:, 0]).detach()
        return -(F.log_softmax(module.policy(h), 1)[:, 0] * advantage).mean()

    return Parts(loss, trunk=trunk(), policy=nn.Linear(8, 3), critic=nn.Linear(8, 1))


def momentum():
    def loss(module, x):
        with torch.no_grad():
            target = module.target(x)
        return -F.cosine_similarity(module.head(module.online(x)), target).mean()

    online = trunk()
    return Parts(loss, online=online, target=copy.deepcopy(online), head=nn.Linear(8, 8))


def momentum_of_two_parts():
    def loss(module, x):
        with torch.no_grad():
            target = module.target_head(module.target(x))
        return -F.cosine_similarity(module.head(module.online(x)), target).mean()

    online, head = trunk(), nn.Linear(8, 8)
    copies = {"target": copy.deepcopy(online), "target_head": copy.deepcopy(head)}
    return Parts(loss, online=online, head=head, **copies)


def codebook():
    def loss(module, x):
        z = module.encode(x)
        q = module.codes(torch.cdist(z, module.codes.weight).argmin(1)).detach()
        return F.mse_loss(module.decode(z + (q - z).detach()), x) + F.mse_loss(z, q)

    return Parts(loss, encode=nn.Linear(5, 4), codes=nn.Embedding(6, 4), decode=nn.Linear(4, 5))


def probe():
    def loss(module, x):
        return F.mse_loss(module.probe(module.trunk(x).detach()), x)

    return Parts(loss, trunk=trunk(), probe=nn.Linear(8, 5))


def cut(module, seed=1):
    found = sb.diagnose(module, step=lambda m, x: m(x), batch=data(32, 5, seed=seed)).findings
    return [f for f in found if f.kind == "no_gradient"]


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (actor, "critic.bias"),
        (momentum, "target.0.bias"),
        (momentum_of_two_parts, "target_head.bias"),
        (codebook, "codes.weight"),
        (probe, "trunk.0.bias"),
    ],
)
def test_a_whole_part_that_the_loss_is_cut_off_from_is_a_warning(make, where):
    torch.manual_seed(0)
    (found,) = cut(make())
    assert (found.level, found.where, found.permanent) == ("warning", where, None)
    assert found.evidence.endswith("cut off from this loss")
    assert found.remedy.startswith("If another loss or an average trains it, freeze it or leave it")


class Shifted(nn.Module):
    """A layer whose bias is detached and whose weight is trained."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(4, 5)), nn.Parameter(torch.ones(4))

    def forward(self, x):
        return F.linear(x, self.weight, self.bias.detach())


def test_what_is_cut_off_within_a_layer_is_an_error_beside_a_whole_part():
    torch.manual_seed(0)
    module = probe()
    module.probe = nn.Sequential(nn.Linear(8, 5), Shifted(), nn.Linear(4, 5))
    found = cut(module)
    levels = [(f.level, f.where, f.permanent) for f in found]
    assert levels == [("error", "probe.1.bias", True), ("warning", "trunk.0.bias", None)]
