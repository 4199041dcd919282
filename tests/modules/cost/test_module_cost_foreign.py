"""Modules of unusual make: numbers as parameters, scripted, with vmap or dtypes of their own."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, vmap

import symbreak as sb
from symbreak.errors import InvalidInput
from tests.modules.cost import modules

X = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([0, 1, 1, 0, 1, 0])


class Scaled(nn.Module):
    """A layer, a temperature without axes and a parameter without entries."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.none = nn.Parameter(torch.empty(0, 2))
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x) * self.scale.exp()


class Number(nn.Module):
    """One number, and nothing else."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return torch.stack([self.a * x.sum(1), -x.sum(1)], 1)


@pytest.mark.parametrize("make", [Scaled, Number])
@pytest.mark.parametrize("starts", [None, 3])
def test_a_parameter_may_be_a_number(make, starts):
    module = make().double()
    cost = sb.ModuleCost(module, F.cross_entropy, (X.double(), Y))
    own = cost.initial_theta()
    theta = cost.initialize("he_normal", starts=starts, seed=3)
    assert (theta[..., 0] == own[0]).all()
    J, gradient = cost(theta)
    torch.testing.assert_close(cost.value(theta), J)
    for k, one in enumerate(torch.atleast_2d(theta)):
        cost.load_into_module_(one)
        expected = F.cross_entropy(module(X.double()), Y)
        parts = torch.autograd.grad(expected, [*module.parameters()], allow_unused=True)
        expected_gradient = torch.cat(
            [p.new_zeros(p.shape).reshape(-1) if g is None else g.reshape(-1)
             for p, g in zip(module.parameters(), parts, strict=True)]
        )  # fmt: skip
        torch.testing.assert_close(torch.atleast_1d(J)[k], expected.detach())
        torch.testing.assert_close(torch.atleast_2d(gradient)[k], expected_gradient)
    assert cost.mode == "stacked"
    assert len(cost.is_weight) == len(cost.is_fixed) == len(own)
    assert not cost.is_weight[0]
    outcome = sb.minimize(cost, theta, max_iter=5)
    assert (outcome.value <= torch.atleast_1d(J).max().item()).all()


@pytest.mark.parametrize("method", ["directions", "coordinates"])
def test_a_wrong_number_is_named_by_its_name(method):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return 3 * a

        @staticmethod
        def backward(ctx, slope):
            return 2 * slope

    module = Number().double()
    cost = sb.ModuleCost(module, step=lambda m, x: Wrong.apply(m.a) ** 2, batch=X)
    report = sb.check_gradient(cost, cost.initial_theta(), method=method)
    assert report.verdict == "fail"
    assert " at a " in str(report)
    assert "a[]" not in str(report)


def ensemble():
    """Members evaluated by vmap, over a skeleton without memory."""

    class Ensemble(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 2, 3))
            self.bias = nn.Parameter(torch.randn(3, 2))
            self.skeleton = nn.Linear(3, 2, device="meta").requires_grad_(False)

        def forward(self, x):
            def one(weight, bias):
                return functional_call(self.skeleton, {"weight": weight, "bias": bias}, (x,))

            return vmap(one)(self.weight, self.bias).mean(0)

    return Ensemble()


class Slopes(nn.Module):
    """The slope of a net for each example, by torch.func."""

    def __init__(self):
        super().__init__()
        self.net = modules.mlp([3, 4, 1], nn.Tanh)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(vmap(grad(lambda row: self.net(row).sum()))(x))


def plain():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).double()


def compiled(compile_):
    """Return the plain module with all of it compiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is deprecated
        return compile_(plain())


def partly_scripted():
    """Return a module that has a scripted part."""
    module = plain()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module[0] = torch.jit.script(module[0])
    return module


FOREIGN = {
    "ensemble": (ensemble, "stacked"),
    "slopes": (Slopes, "stacked"),
    "scripted": (lambda: compiled(torch.jit.script), "one by one"),
    "traced": (lambda: compiled(lambda m: torch.jit.trace(m, X.double())), "one by one"),
    "scripted part": (partly_scripted, "one by one"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_modules_of_every_make_are_evaluated(name):
    make, mode = FOREIGN[name]
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module = make().double()
    cost = sb.ModuleCost(module, F.cross_entropy, (X.double(), Y))
    theta = cost.initialize("he_normal", starts=3, seed=1)
    before = copy.deepcopy(dict(module.named_buffers()))
    for _ in range(3):
        J, gradient = cost(theta)
        value = cost.value(theta)
    assert cost.mode == mode
    assert len(cost.is_weight) == len(cost.is_fixed) == theta.shape[1]
    torch.testing.assert_close(dict(module.named_buffers()), before, rtol=0, atol=0)
    for k in range(3):
        torch.testing.assert_close(cost(theta[k]), (J[k], gradient[k]), rtol=1e-11, atol=1e-14)
        fresh = copy.deepcopy(module)
        trained = [p for p in fresh.parameters() if p.requires_grad]
        nn.utils.vector_to_parameters(theta[k], trained)
        expected = F.cross_entropy(fresh(X.double()), Y)
        parts = torch.autograd.grad(expected, trained, allow_unused=True)
        slopes = [
            torch.zeros_like(p) if g is None else g for p, g in zip(trained, parts, strict=True)
        ]
        torch.testing.assert_close(J[k], expected.detach())
        torch.testing.assert_close(value[k], expected.detach())
        torch.testing.assert_close(gradient[k], torch.cat([g.reshape(-1) for g in slopes]))
    assert sb.check_gradient(cost, theta).verdict != "fail"


def test_a_scripted_module_is_checked_in_float64_after_it_ran_in_float32():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
    cost = sb.ModuleCost(module, F.cross_entropy, (X, Y))
    theta = cost.initialize("he_normal", seed=2)
    for _ in range(4):
        cost(theta)
    assert sb.check_gradient(cost, theta).verdict == "pass"


def test_a_scripted_embedding_keeps_its_padding_row():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.script(nn.Sequential(nn.Embedding(5, 2, padding_idx=1)))
    cost = sb.ModuleCost(module, step=lambda m, x: (m(x) ** 2).sum(), batch=torch.tensor([0, 1]))
    assert cost.is_fixed.nonzero().flatten().tolist() == [2, 3]


class Mixed(nn.Linear):
    """Multiplies by a table in a dtype of its own."""

    def __init__(self, table):
        super().__init__(3, 2)
        self.table = table

    def forward(self, x):
        return super().forward(x) @ self.table


def stepped(module, batch):
    return F.cross_entropy(module(batch[0]), batch[1])


@pytest.mark.parametrize("starts", [None, 2])
@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (
            sb.ModuleCost(nn.Linear(3, 2), step=stepped, batch=(X.double(), Y)),
            r"dtypes that go together. Got parameters of torch.float32, the batch of torch.float64",
        ),
        (
            sb.ModuleCost(nn.Linear(3, 2).double(), step=stepped, batch=(X, Y)),
            r"parameters of torch.float64, the batch of torch.float32",
        ),
        (
            sb.ModuleCost(Mixed(nn.Buffer(torch.eye(2).double())), F.cross_entropy, (X, Y)),
            r"parameters of torch.float32, table of torch.float64",
        ),
        (
            sb.ModuleCost(Mixed(torch.eye(2)), F.cross_entropy, (X, Y)).to("float64"),
            r"must compute in float64 after to\('float64'\). Got RuntimeError",
        ),
    ],
)
def test_dtypes_that_do_not_go_together_are_told_in_a_sentence(cost, message, starts):
    theta = cost.initialize(starts=starts)
    for evaluate in (cost, cost.value):
        with pytest.raises(InvalidInput, match=message) as caught:
            evaluate(theta)
        assert "\n" not in str(caught.value)


def test_a_module_without_memory_is_refused_at_the_door():
    with pytest.raises(InvalidInput, match=r"must have memory. Got weight .* module.to_empty"):
        sb.ModuleCost(nn.Linear(3, 2, device="meta"), F.cross_entropy, (X, Y))


def test_the_default_device_changes_nothing():
    def answers():
        cost = sb.ModuleCost(Scaled().to_empty(device="cpu"), F.cross_entropy, (X, Y))
        theta = 0.1 * X.flatten()[: cost.blocks[-1].stop].repeat(2, 1)
        J, gradient = cost(theta)
        end = sb.minimize(cost, theta, max_iter=3).theta
        verdict = sb.check_gradient(cost, theta).verdict
        one = cost.numpy(theta[0].numpy())
        masks = cost.is_weight, cost.is_fixed
        return J, gradient, end, verdict, one[1], *masks, cost.initialize(starts=2).shape

    expected = answers()
    torch.set_default_device("meta")
    try:
        found = answers()
    finally:
        torch.set_default_device(None)
    for one, other in zip(found, expected, strict=True):
        equal = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
        assert equal if isinstance(equal, bool) else equal.all()
