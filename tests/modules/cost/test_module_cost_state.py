"""What a module keeps: buffers, modes, tied and frozen parameters; and modules vmap refuses."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.modules.cost.call import ModuleCall
from tests.modules.cost import modules


def state(module):
    """Return all that a cost must leave alone, in copies."""
    return copy.deepcopy(
        {
            "numbers": dict(module.state_dict()),
            "modes": [part.training for part in module.modules()],
            "grads": [(p.requires_grad, p.grad) for p in module.parameters()],
            "hooks": [len(part._forward_hooks) for part in module.modules()],
            "attributes": [list(vars(part)) for part in module.modules()],
        }
    )


def everything(cost):
    """Use a cost in all ways that leave the module alone."""
    theta = cost.initialize("lecun_normal", starts=3)
    for precise in (cost, cost.to("float64"), cost.batch([0, 1, 2])):
        for given in (theta, theta[0]):
            precise(given)
            precise.value(given)
    cost.numpy(theta[0].double().numpy())


@pytest.mark.parametrize("name", modules.CASES)
def test_the_module_is_left_as_it_was_found(name):
    made, _, module = modules.made(name)
    module.register_forward_hook(lambda *_: None)
    list(module.modules())[-1].eval()
    parameters = [*module.parameters()]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    before = state(module)
    everything(sb.ModuleCost(module, F.cross_entropy, made._data.call.batch))
    after = state(module)
    assert after.pop("attributes") == before.pop("attributes")
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    assert all(a is b for a, b in zip(parameters, module.parameters(), strict=True))


class Counting(nn.Module):
    """A buffer that every call changes, and that J depends on."""

    sum: torch.Tensor

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2).double())
        self.register_buffer("sum", torch.zeros(2).double())
        self.last = None

    def forward(self, x):
        self.last = self.w * x
        self.sum += self.last.detach()
        return self.last + self.sum


@pytest.mark.parametrize("starts", [None, 1, 4])
def test_every_evaluation_starts_from_the_buffers_as_given(starts):
    module = Counting()
    cost = sb.ModuleCost(module, step=lambda m, x: m(x).sum(), batch=torch.ones(2).double())
    theta = torch.full((2,) if starts is None else (starts, 2), 3.0).double()
    for _ in range(3):
        assert (cost.value(theta) == 12).all()
        assert (cost(theta)[0] == 12).all()
        assert (cost(theta)[1] == 1).all()
    assert cost.mode == "stacked"
    assert (module.sum == 0).all()
    assert cost.to("float64").value(theta).max() == 12  # copied after it was called


def test_a_module_that_keeps_a_tensor_of_its_last_graph_can_be_used():
    module = Counting()
    module(torch.ones(2).double())
    cost = sb.ModuleCost(module, step=lambda m, x: m(x).sum(), batch=torch.ones(2).double())
    assert cost.value([1.0, 2.0]) == 8


def test_modes_are_kept_as_found():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
    X, y = torch.randn(5, 3).double(), torch.randn(5, 1).double()
    training = sb.ModuleCost(module, F.mse_loss, (X, y))
    module.eval()
    evaluating = sb.ModuleCost(module, F.mse_loss, (X, y))
    theta = training.initial_theta()
    with torch.no_grad():
        torch.testing.assert_close(evaluating.value(theta), F.mse_loss(module(X), y))
        torch.testing.assert_close(
            training.value(theta), F.mse_loss(copy.deepcopy(module).train()(X), y)
        )
    assert abs(training.value(theta) - evaluating.value(theta)) > 1e-4


def test_dropout_differs_between_starts_and_calls_but_not_in_eval():
    module = nn.Sequential(nn.Linear(3, 50), nn.Dropout(0.5), nn.Linear(50, 1)).double()
    X, y = torch.randn(5, 3).double(), torch.randn(5, 1).double()
    cost = sb.ModuleCost(module, F.mse_loss, (X, y))
    theta = cost.initialize(seed=0).repeat(4, 1)
    assert cost.mode == "stacked"
    J, gradient = cost(theta)
    assert len(J.unique()) == len(cost.value(theta).unique()) == 4
    assert not torch.equal(cost(theta)[0], J)
    assert gradient.isfinite().all()
    torch.manual_seed(0)
    first = cost(theta)
    torch.manual_seed(0)
    torch.testing.assert_close(cost(theta), first, rtol=0, atol=0)
    still = sb.ModuleCost(module.eval(), F.mse_loss, (X, y)).value(theta)
    torch.testing.assert_close(still, still[:1].expand(4))


def test_finding_the_mode_out_leaves_the_random_numbers_alone():
    module = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.5)).double()
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    cost = sb.ModuleCost(module, step=lambda m, x: m(x).mean(), batch=torch.ones(2, 3).double())
    assert cost.mode == "stacked"
    assert torch.equal(torch.rand(3), expected)


class Tied(nn.Module):
    """One table for reading and writing words."""

    def __init__(self):
        super().__init__()
        self.read = nn.Embedding(5, 3)
        self.write = nn.Linear(3, 5, bias=False)
        self.write.weight = self.read.weight
        self.frozen = nn.Linear(3, 3)
        self.frozen.requires_grad_(False)

    def forward(self, words):
        return self.write(self.frozen(self.read(words)))


def test_tied_parameters_stand_once_and_frozen_ones_not_at_all():
    module = Tied().double()
    words = torch.tensor([0, 3, 4])
    cost = sb.ModuleCost(module, F.cross_entropy, (words, words))
    assert [(block.name, block.shape) for block in cost.blocks] == [("read.weight", (5, 3))]
    theta = torch.randn(2, 15, generator=torch.Generator().manual_seed(0)).double()
    J, gradient = cost(theta)
    for k in range(2):
        cost.load_into_module_(theta, start=k)
        assert module.write.weight is module.read.weight
        expected = F.cross_entropy(module(words), words)
        torch.testing.assert_close(J[k], expected.detach(), rtol=1e-13, atol=0)
        (expected,) = torch.autograd.grad(expected, module.read.weight)
        torch.testing.assert_close(gradient[k], expected.reshape(-1))
    assert module.frozen.weight.grad is None


class Cubed(torch.autograd.Function):
    """x³ in the old form, which vmap refuses."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, slope):
        return 3 * ctx.saved_tensors[0] ** 2 * slope


def by_size(module, x):
    """Go another way for large outputs: vmap cannot branch."""
    total = module(x).sum()
    return total**2 if total.item() > 0 else -total


def of_slope(module, x):
    """Take a derivative by x, as equations are fitted."""
    x = x.clone().requires_grad_()
    return (torch.autograd.grad(module(x).sum(), x, create_graph=True)[0] ** 2).sum()


REFUSED = {
    "function": lambda module, x: Cubed.apply(module(x)).sum(),
    "branch": by_size,
    "slope": of_slope,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_vmap_refuses_is_done_one_by_one(name):
    step, x = REFUSED[name], torch.linspace(-1, 2, 6).double().reshape(2, 3)
    module = modules.mlp([3, 4, 1], nn.Tanh)
    cost = sb.ModuleCost(module, step=step, batch=x)
    theta = cost.initialize("lecun_normal", starts=4, seed=1)
    J, gradient = cost(theta)
    assert cost.mode == "one by one"
    torch.testing.assert_close(cost.value(theta), J, rtol=1e-14, atol=0)
    for k in range(4):
        cost.load_into_module_(theta, start=k)
        module.zero_grad()
        expected = step(module, x)
        expected.backward()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in module.parameters()]
        torch.testing.assert_close(J[k], expected.detach(), rtol=1e-14, atol=0)
        torch.testing.assert_close(gradient[k], torch.cat([g.reshape(-1) for g in grads]))


class Secretive(nn.Module):
    """Answers wrongly, without complaint, where it is stacked."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3).double())

    def forward(self, x):
        return (self.w * x).sum() * (2 if torch._C._functorch.is_batchedtensor(self.w) else 1)


def test_a_wrong_answer_of_vmap_is_found_out():
    cost = sb.ModuleCost(Secretive(), lambda a, y: a * y, (torch.ones(3), torch.tensor(1.0)))
    theta = torch.arange(6.0).double().reshape(2, 3)
    assert cost.value(theta).tolist() == [3.0, 12.0]
    assert cost(theta)[0].tolist() == [3.0, 12.0]


def test_sparse_and_unused_parameters_have_a_dense_gradient():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(4, 2, sparse=True)
            self.idle = nn.Linear(2, 2)

        def forward(self, rows):
            return self.table(rows)

    module = Part().double()
    rows = torch.tensor([1, 1, 3])
    cost = sb.ModuleCost(module, step=lambda m, r: m(r).sum(), batch=rows)
    expected = torch.tensor([0, 0, 2, 2, 0, 0, 1, 1, *[0] * 6]).double()
    for theta in (cost.initialize(), cost.initialize(starts=3)):
        torch.testing.assert_close(cost(theta)[1], expected.expand(theta.shape))


def test_the_caller_keeps_theta_where_a_module_changes_its_weights():
    module = nn.Sequential(nn.Embedding(3, 2, max_norm=1.0)).double()
    cost = sb.ModuleCost(module, step=lambda m, r: m(r).sum(), batch=torch.tensor([0, 1, 2]))
    for theta in (torch.full((6,), 5.0).double(), torch.full((2, 6), 5.0).double()):
        cost(theta)
        cost.value(theta)
        assert (theta == 5).all()


def noted_sizes(monkeypatch):
    """Return a list that will hold the size of every stack that is evaluated."""
    sizes = []
    stacked = ModuleCall.stacked

    def noted(self, theta, gradient=None, **way):
        sizes.append(len(theta))
        return stacked(self, theta, gradient, **way)

    monkeypatch.setattr(ModuleCall, "stacked", noted)
    return sizes


@pytest.mark.parametrize("memory_budget", [1, 12_000, 2**28])
def test_chunks_of_starts_change_nothing(memory_budget, monkeypatch):
    whole, _, module = modules.made("batch norm")
    X, y = whole._data.call.batch
    cost = sb.ModuleCost(module, F.cross_entropy, (X, y), memory_budget=memory_budget)
    theta = whole.initialize("lecun_normal", starts=7)
    assert cost.mode == whole.mode == "stacked"
    sizes = noted_sizes(monkeypatch)
    J, gradient = cost(theta)
    assert sum(sizes) == 7
    assert {1: 1, 12_000: max(sizes), 2**28: 7}[memory_budget] == max(sizes)
    if memory_budget == 12_000:
        assert 1 < max(sizes) < 7
    torch.testing.assert_close(J, whole(theta)[0], rtol=1e-13, atol=0)
    torch.testing.assert_close(gradient, whole(theta)[1], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    ("rows", "layers"),
    [
        (1000, [nn.Linear(20, 1, bias=False)]),
        (1, [nn.Linear(20, 20, bias=False), nn.Linear(20, 1000).requires_grad_(False)]),
    ],
    ids=["data", "frozen"],
)
def test_what_all_starts_share_counts_once(rows, layers, monkeypatch):
    X = torch.ones(rows, 20).double()
    module = nn.Sequential(*layers).double()
    cost = sb.ModuleCost(module, step=lambda m, x: m(x).mean(), batch=X, memory_budget=100_000)
    assert cost.mode == "stacked"
    sizes = noted_sizes(monkeypatch)
    cost(torch.ones(4, cost.blocks[-1].stop))
    assert sizes == [4]


@pytest.mark.parametrize("name", modules.CASES)
def test_a_value_alone_is_stacked_too(name, monkeypatch):
    cost, _, _ = modules.made(name)
    theta = cost.initialize("lecun_normal", starts=3)
    cost(theta)
    sizes = noted_sizes(monkeypatch)
    monkeypatch.setattr(ModuleCall, "single", None)
    cost.value(theta)
    assert sizes == [3]


def test_an_error_of_the_module_is_its_own():
    cost = sb.ModuleCost(nn.Linear(3, 1), F.mse_loss, (torch.ones(2, 4), torch.ones(2, 1)))
    for theta in (torch.ones(4), torch.ones(2, 4)):
        for evaluate in (cost, cost.value):
            with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
                evaluate(theta)
    module = nn.Linear(1, 1)
    vars(module)["rows"] = (row for row in [1])
    with pytest.raises(sb.InvalidInput, match=r"copy.deepcopy can copy. Got TypeError"):
        sb.ModuleCost(module, F.mse_loss, (torch.ones(2, 1), torch.ones(2, 1)))


def test_half_precision_and_a_loss_in_another_dtype():
    module = nn.Linear(3, 1).to(torch.bfloat16)
    cost = sb.ModuleCost(
        module, lambda a, y: ((a.float() - y) ** 2).mean(), (torch.ones(2, 3), [1.0, 0.0])
    )
    assert cost.dtype == torch.bfloat16
    theta = cost.initialize(starts=2)
    assert theta.dtype == torch.bfloat16
    J, gradient = cost(theta.float().numpy())
    assert J.dtype == gradient.dtype == "float32"
    precise = cost.to("float64")(theta.double())
    torch.testing.assert_close(torch.from_numpy(J).double(), precise[0], rtol=0.05, atol=0.05)
