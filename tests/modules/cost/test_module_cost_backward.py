"""Gradients where the way back calls the module again: they are those of a plain module."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import symbreak as sb
from tests.modules.cost import reentered


def step(module, batch):
    return F.cross_entropy(module(batch[0]), batch[1])


def by_training_step(module, theta, X, y):
    """Return J and gradient as a training step of a fresh copy finds them."""
    module = copy.deepcopy(module)
    nn.utils.vector_to_parameters(theta, module.parameters())
    J = step(module, (X, y))
    J.backward()
    return J.detach(), nn.utils.parameters_to_vector([p.grad for p in module.parameters()])


def close(found, expected):
    """Whether arrays are equal but for rounding, relative to the largest number."""
    apart = (found - expected).abs().max()
    return bool(apart <= 1e-12 * expected.abs().max())


@pytest.mark.parametrize("starts", [None, 1, 3])
@pytest.mark.parametrize("name", reentered.CASES)
def test_the_gradient_is_that_of_a_plain_module(name, starts):
    module, plain, X, y = reentered.made(name)
    cost = sb.ModuleCost(module, step=step, batch=(X, y))
    for seed in (5, 6):
        theta = cost.initialize("lecun_normal", seed=seed, starts=starts)
        torch.manual_seed(seed)
        J, gradient = cost(theta)
        torch.manual_seed(seed)
        value = cost.value(theta)
        torch.manual_seed(seed)
        expected = [by_training_step(plain, one, X, y) for one in torch.atleast_2d(theta)]
        for found, all_of in zip((J, gradient), zip(*expected, strict=True), strict=True):
            assert close(found, torch.stack(all_of).reshape(found.shape))
        assert close(value, J)
    assert cost.mode == "one by one"


@pytest.mark.parametrize("name", [name for name in reentered.CASES if "dropout" not in name])
def test_every_way_to_ask_gives_the_same(name):
    module, plain, X, y = reentered.made(name)
    costs = [sb.ModuleCost(one, F.cross_entropy, (X, y)) for one in (module, plain)]
    theta = costs[0].initialize("lecun_normal", seed=5, starts=2)
    asked = [
        lambda cost: cost(theta),
        lambda cost: cost.batch([0, 3, 4])(theta),
        lambda cost: cost.take([1])(theta[1:]),
        lambda cost: pickle.loads(pickle.dumps(cost))(theta),
        lambda cost: copy.deepcopy(cost)(theta),
        lambda cost: cost(theta, out=torch.empty_like(theta)),
        lambda cost: [torch.as_tensor(part) for part in cost.numpy(theta[0].numpy())],
    ]
    for ask in asked:
        for found, expected in zip(*(ask(cost) for cost in costs), strict=True):
            assert close(found, expected)
    single = costs[0].to("float32")
    assert (single(theta)[1] - costs[1](theta)[1]).abs().max() < 1e-5
    assert sb.check_gradient(costs[0], theta).verdict == "pass"


def test_a_search_goes_where_that_of_a_plain_module_goes():
    module, plain, X, y = reentered.made("checkpoint, reentrant")
    costs = [sb.ModuleCost(one, F.cross_entropy, (X, y)) for one in (module, plain)]
    theta = costs[0].initialize("lecun_normal", seed=5)
    ends = [sb.minimize(cost, theta, max_iter=20).theta for cost in costs]
    assert close(*ends)


@pytest.mark.parametrize("name", reentered.CASES)
def test_nothing_stays_in_the_module(name):
    module, _, X, y = reentered.made(name)
    before = copy.deepcopy(module.state_dict())
    cost = sb.ModuleCost(module, F.cross_entropy, (X, y))
    theta = cost.initialize("lecun_normal", starts=2)
    held = copy.deepcopy(dict(cost._data.module.named_buffers()))
    cost(theta)
    torch.testing.assert_close(dict(cost._data.module.named_buffers()), held, rtol=0, atol=0)
    torch.testing.assert_close(module.state_dict(), before, rtol=0, atol=0)
    assert all(p.grad is None for m in (module, cost._data.module) for p in m.parameters())


def test_tensors_of_others_keep_their_gradients():
    module, _, X, y = reentered.made("reversible")
    scales = [torch.ones(2).double().requires_grad_() for _ in range(2)]
    scales[0].grad = torch.full((2,), 7.0).double()

    def scaled(output, y):
        return F.cross_entropy(output * scales[0] * scales[1], y)

    cost = sb.ModuleCost(module, scaled, (X, y))
    cost(cost.initialize(starts=2))
    assert scales[0].grad.tolist() == [7.0, 7.0]
    assert scales[1].grad is None


class Held(torch.autograd.Function):
    """w x whose way back reads w from the module: stacked it would read what is not theta."""

    generate_vmap_rule = True

    @staticmethod
    def forward(w, x, module):
        return w * x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[1])
        ctx.module = inputs[2]

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * x * ctx.module.w / ctx.module.w.detach(), slope * ctx.module.w, None


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_what_reads_the_module_on_its_way_back_is_not_stacked(noise):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.v, self.w = (nn.Parameter(torch.ones(3).double()) for _ in "vw")

        def forward(self, x):
            return Held.apply(self.w, self.v * x, self) * (1 + noise * torch.rand(3))

    cost = sb.ModuleCost(Scaled(), step=lambda m, x: m(x).sum(), batch=torch.ones(3).double())
    theta = torch.arange(1.0, 13.0).double().reshape(2, 6)
    assert cost.mode == "one by one"
    gradient = cost(theta)[1]
    bound = 1 + noise
    assert (gradient[:, :3] >= theta[:, 3:]).all()
    assert (gradient[:, :3] <= bound * theta[:, 3:]).all()


def by_lambda(module):
    """Wrap a forward as a lambda that holds the layer itself, which no copy follows."""
    forward = module[0].forward
    module[0].forward = lambda x: forward(x)


@pytest.mark.parametrize("starts", [None, 2])
def test_what_holds_the_original_is_refused(starts):
    first = nn.Linear(3, 4)
    module = nn.Sequential(first, nn.Tanh(), nn.Linear(4, 2)).double()
    _, _, X, y = reentered.made("adjoint")
    closed = sb.ModuleCost(module, step=lambda _, batch: step(module, batch), batch=(X, y))
    apart = sb.ModuleCost(
        module,
        step=lambda copied, batch: step(copied, batch) + (first.weight - 1).square().sum(),
        batch=(X, y),
    )
    by_lambda(module)
    wrapped = sb.ModuleCost(module, F.cross_entropy, (X, y))
    theta = closed.initialize("lecun_normal", starts=starts)
    for cost in (closed, wrapped):
        with pytest.raises(sb.InvalidInput, match=r"depends on 0\.weight of the original"):
            cost(theta)
    assert apart(theta)[1].isfinite().all()


class Checkpointed(nn.Module):
    """A layer in a reentrant checkpoint, and one after it."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(5, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.last(checkpoint(lambda t: self.first(t).tanh(), x, use_reentrant=True))


def test_a_batch_that_carries_a_graph_can_be_used_again():
    torch.manual_seed(0)
    encoder, module = nn.Linear(5, 5).double(), Checkpointed().double()
    X = encoder(torch.randn(12, 5).double())
    cost = sb.ModuleCost(module, step=lambda m, x: m(x).square().mean(), batch=X)
    theta = cost.initialize("lecun_normal", starts=2)
    cost.load_into_module_(theta, start=0)
    module(X.detach().requires_grad_()).square().mean().backward()
    expected = nn.utils.parameters_to_vector([p.grad for p in module.parameters()])
    for _ in range(2):
        assert close(cost(theta[0])[1], expected)
        assert close(cost(theta)[1][0], expected)
    assert encoder.weight.grad is None
