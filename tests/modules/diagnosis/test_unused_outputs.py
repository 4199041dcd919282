"""Parameters without a gradient: cut off, outside of what the loss uses, or cancelling."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb

SEEDS = range(4)


def no_gradient(module, batch, loss=F.mse_loss, **options):
    """Return level, place, permanence of the findings of this kind, and the diagnosis."""
    options = options or {"loss": loss}
    found = sb.diagnose(module, batch=batch, **options)
    return [f for f in found.findings if f.kind == "no_gradient"], found


class Heads(nn.Module):
    """A body, the head that the loss uses, and what `aside` makes of the body's output."""

    def __init__(self, aside, aside_module=None):
        super().__init__()
        self.body, self.head = nn.Linear(5, 8), nn.Linear(8, 2)
        self.pooler = nn.Linear(8, 8) if aside_module is None else aside_module
        self.aside = aside

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.aside(self, h, self.head(h))


class Output:
    """A container of a person's own."""

    def __init__(self, main, aux):
        self.main, self.aux = main, aux


def kept_as_attribute(net, h, main):
    net.last = net.pooler(h)
    return main


def logged(net, h, main):
    net.log = float(net.pooler(h).detach().abs().max())
    return main


def compared(net, h, main):
    net.agreed = net.pooler(h).argmax(1) == main.argmax(1)
    return main


ASIDE = {
    "tuple": (lambda net, h, main: (main, net.pooler(h)), lambda out: out[0]),
    "dictionary": (lambda net, h, main: {"main": main, "aux": net.pooler(h)}, lambda o: o["main"]),
    "own class": (lambda net, h, main: Output(main, net.pooler(h)), lambda out: out.main),
    "dropped": (lambda net, h, main: (main, net.pooler(h))[0], lambda out: out),
    "attribute": (kept_as_attribute, lambda out: out),
    "logged": (logged, lambda out: out),
    "compared": (compared, lambda out: out),
    "detached too": (lambda net, h, main: (main, net.pooler(h.detach()).detach()), lambda o: o[0]),
    "no_grad": (lambda net, h, main: (main, torch.no_grad()(net.pooler)(h)), lambda out: out[0]),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("aside", ASIDE)
def test_an_output_that_the_loss_does_not_use_is_a_warning_that_claims_no_cut(aside, seed):
    torch.manual_seed(seed)
    forward, main = ASIDE[aside]
    batch = torch.randn(16, 5), torch.randn(16, 2)
    (one,), found = no_gradient(Heads(forward), batch, lambda out, y: F.mse_loss(main(out), y))
    assert found.ok
    assert (one.level, one.where, one.permanent) == ("warning", "pooler.bias", None)
    assert "pooler.weight, pooler.bias" in one.evidence
    assert "stays the same" in one.evidence
    assert "detach" not in one.remedy
    assert " for ever" not in str(found)


class Energies(nn.Module):
    """The energy of a configuration x; forces are its negative gradient."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, x):
        x = x.detach().requires_grad_()
        energy = self.net(x)
        (slope,) = torch.autograd.grad(energy.sum(), x, create_graph=True)
        return energy, -slope


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_bias_of_an_energy_that_is_trained_on_forces(seed):
    torch.manual_seed(seed)
    batch = torch.randn(16, 6), torch.randn(16, 6)
    (one,), found = no_gradient(Energies(), batch, lambda out, y: F.mse_loss(out[1], y))
    assert found.ok
    assert (one.level, one.where, one.permanent) == ("warning", "net.2.bias", None)
    none, _ = no_gradient(
        Energies(), batch, lambda out, y: F.mse_loss(out[1], y) + out[0].square().mean()
    )
    assert none == []


CUTS = {
    "detach": lambda h: h.detach(),
    "data": lambda h: h.data,
    "clone of data": lambda h: h.data.clone(),
    "new tensor": lambda h: torch.tensor(h.tolist()),
    "numpy": lambda h: torch.from_numpy(np.tanh(h.detach().numpy())),
    "item": lambda h: torch.full_like(h, h.mean().item()),
    "argmax": lambda h: F.one_hot(h.argmax(-1), h.shape[-1]).to(h),
    "integers": lambda h: (10 * h).long().to(h),
    "comparison": lambda h: (h > 0).to(h),
    "round": lambda h: torch.round(10 * h),
    "floor": lambda h: torch.floor(10 * h),
    "sign": lambda h: torch.sign(h),
    "ceil": lambda h: torch.ceil(10 * h),
}


class Cut(nn.Module):
    """A body whose output is cut, and a head."""

    def __init__(self, cut, unused=False):
        super().__init__()
        self.first, self.body, self.head = nn.Linear(5, 6), nn.Linear(6, 8), nn.Linear(8, 2)
        self.cut, self.pooler = cut, nn.Linear(8, 3) if unused else None

    def forward(self, x):
        h = torch.tanh(self.body(torch.tanh(self.first(x))))
        if self.pooler is not None:
            self.last = self.pooler(h)
        return self.head(self.cut(h))


BEFORE = "first.weight, first.bias, body.weight, body.bias"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cut", CUTS)
def test_what_is_truly_cut_is_an_error_for_ever(cut, seed):
    torch.manual_seed(seed)
    batch = torch.randn(32, 5), torch.randn(32, 2)
    (one,), found = no_gradient(Cut(CUTS[cut]), batch)
    assert not found.ok
    assert (one.level, one.where, one.permanent) == ("error", "body.bias", True)
    assert BEFORE in one.evidence
    assert "detach" in one.remedy
    assert "rounding" in one.remedy


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cut", ["detach", "sign"])
def test_a_cut_and_an_unused_output_are_told_apart(cut, seed):
    torch.manual_seed(seed)
    batch = torch.randn(32, 5), torch.randn(32, 2)
    found, _ = no_gradient(Cut(CUTS[cut], unused=True), batch)
    assert sorted((f.level, f.where, f.permanent) for f in found) == [
        ("error", "body.bias", True),
        ("warning", "pooler.bias", None),
    ]


def test_many_parameters_that_are_cut_are_told_from_many_that_are_unused():
    torch.manual_seed(0)
    deep = [layer for _ in range(20) for layer in (nn.Linear(6, 6), nn.Tanh())]

    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.body: Any = nn.Sequential(*deep)
            self.aux = nn.ModuleList(nn.Linear(6, 3) for _ in range(20))
            self.head = nn.Linear(6, 2)

        def forward(self, x):
            h = self.body(x)
            return self.head(h.detach()), [layer(h) for layer in self.aux]

    batch = torch.randn(16, 6), torch.randn(16, 2)
    found, _ = no_gradient(Deep(), batch, lambda out, y: F.mse_loss(out[0], y))
    assert [(f.level, f.where) for f in found] == [
        ("error", "body.38.bias"),
        ("warning", "aux.19.bias"),
    ]
    assert "and 39 parameters" in found[0].evidence
    assert "and 39 parameters" in found[1].evidence


def test_a_part_without_forward_in_this_run_stays_an_unused_parameter():
    torch.manual_seed(0)
    module = Heads(lambda net, h, main: main)
    found, diagnosis = no_gradient(module, (torch.randn(8, 5), torch.randn(8, 2)))
    assert found == []
    unused = [f.where for f in diagnosis.findings if f.kind == "unused_parameter"]
    assert unused == ["pooler.weight", "pooler.bias"]


class Loud(nn.Module):
    """Draws from a stream that nobody can set back."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(5, 8), nn.Linear(8, 2)

    def forward(self, x):
        noise = torch.from_numpy(np.random.default_rng().normal(size=(len(x), 8)))
        return self.head(torch.tanh(self.body(x)).detach() + noise.to(x))


def test_where_J_is_another_number_each_time_nothing_is_claimed():
    (one,), found = no_gradient(Loud(), (torch.randn(8, 5), torch.randn(8, 2)))
    assert found.ok
    assert (one.level, one.permanent) == ("warning", None)


def critic(kind=nn.LeakyReLU):
    return nn.Sequential(nn.Linear(6, 16), kind(), nn.Linear(16, 1))


def hinge(module, batch):
    real, fake = batch
    return F.relu(1 - module(real)).mean() + F.relu(1 + module(fake)).mean()


def differences(module, batch):
    return F.softplus(module(batch[1]) - module(batch[0])).mean()


def ranked(module, batch):
    """One soft-max over the examples: only differences of scores count."""
    return -F.log_softmax(module(torch.cat(batch)).squeeze(-1), 0)[0]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("step", [hinge, differences, ranked])
def test_contributions_that_cancel_are_a_note_at_most(step, seed):
    torch.manual_seed(seed)
    batch = torch.randn(32, 6), torch.randn(32, 6)
    module = critic()
    active = bool((module(torch.cat(batch)).abs() < 1).all())
    found, diagnosis = no_gradient(module, batch, step=step)
    assert diagnosis.ok
    assert [(f.level, f.where) for f in found] in ([], [("note", "2.bias")])
    assert all("cancel" in f.evidence and f.permanent is None for f in found)
    assert found or not (active and step is hinge)


class Added(nn.Module):
    """A number that is added to every score, as a parameter used directly."""

    def __init__(self):
        super().__init__()
        self.body, self.shift = critic(), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.body(x) + self.shift.expand(len(x), 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_parameter_that_is_added_directly_may_cancel_too(seed):
    torch.manual_seed(seed)
    batch = torch.randn(32, 6), torch.randn(32, 6)
    found, diagnosis = no_gradient(Added(), batch, step=hinge)
    assert diagnosis.ok
    assert {f.level for f in found} <= {"note"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "loss",
    [
        lambda out, y: F.relu(out.square().sum(1) - 1e6).mean(),
        lambda out, y: (out.abs() - 1e6).clamp(min=0).sum(),
        lambda out, y: F.hinge_embedding_loss(out.square().sum(1) + 9, -torch.ones(len(y))),
        lambda out, y: F.mse_loss(out, out.detach()),
    ],
    ids=["relu", "clamp", "hinge", "at its minimum"],
)
def test_a_loss_that_is_satisfied_by_every_example_is_a_warning(loss, seed):
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
    (one,), found = no_gradient(module, (torch.randn(16, 5), torch.randn(16, 2)), loss)
    assert found.ok
    assert (one.level, one.where, one.permanent) == ("warning", "", None)
    assert "no slope" in one.evidence


def test_an_output_layer_of_dead_relus_is_an_error_still():
    torch.manual_seed(0)
    module: Any = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2), nn.ReLU())
    nn.init.constant_(module[2].bias, -100.0)
    (one,), found = no_gradient(module, (torch.randn(16, 5), torch.randn(16, 2)))
    assert (one.level, one.permanent) == ("error", True)
    assert {f.kind for f in found.findings if f.level == "error"} == {"no_gradient", "dead_units"}
