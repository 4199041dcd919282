"""`ModuleCost` against autograd on the module itself, against `NetworkCost`, and as it is held."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives import Objective
from tests.modules.cost import modules

SEEDED = torch.Generator().manual_seed(0)


def by_autograd(cost, module, theta, evaluate):
    """J and gradient at theta (n,) with the parameters written into the module."""
    with torch.no_grad():
        for block, parameter in zip(cost.blocks, module.parameters(), strict=True):
            parameter.copy_(theta[block.slice].reshape(block.shape))
    J = evaluate(module)
    J.backward()
    return J.detach(), torch.cat([p.grad.reshape(-1) for p in module.parameters()])


@pytest.mark.parametrize("name", modules.CASES)
def test_it_equals_autograd_on_the_module_itself(name):
    cost, evaluate, _ = modules.made(name)
    theta = cost.initialize("lecun_normal", starts=3, seed=1)
    J, gradient = cost(theta)
    assert cost.mode == "stacked"
    for k in range(3):
        J_k, gradient_k = by_autograd(cost, modules.made(name)[2], theta[k], evaluate)
        torch.testing.assert_close(J[k], J_k, rtol=1e-12, atol=0)
        torch.testing.assert_close(gradient[k], gradient_k, rtol=0, atol=1e-12 * gradient_k.norm())


@pytest.mark.parametrize("name", modules.CASES)
def test_stacked_and_one_by_one_are_the_same(name):
    cost, _, _ = modules.made(name)
    theta = cost.initialize("lecun_normal", starts=5, seed=2)
    J, gradient = cost(theta)
    singles = [cost(start) for start in theta]
    torch.testing.assert_close(J, torch.stack([one[0] for one in singles]), rtol=1e-12, atol=0)
    scale = gradient.abs().max()
    torch.testing.assert_close(
        gradient, torch.stack([one[1] for one in singles]), rtol=0, atol=1e-12 * scale
    )
    torch.testing.assert_close(cost.value(theta), J, rtol=1e-12, atol=0)
    torch.testing.assert_close(cost.value(theta[0]), J[0], rtol=1e-12, atol=0)


@given(
    layers=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    # Not Softplus: that of torch is cut to the identity above 20.
    activation=st.sampled_from(["Sigmoid", "Tanh", "ReLU", "SiLU", "GELU"]),
    loss=st.sampled_from(["squared_error", "binary_cross_entropy", "cross_entropy"]),
    starts=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=30, deadline=None)
def test_it_equals_the_network_cost_of_an_equal_net(layers, activation, loss, starts, seed):
    rng = np.random.default_rng(seed)
    layers = [*layers[:-1], layers[-1] + (loss == "cross_entropy")]
    net = sb.Network(tuple(layers), activation.lower(), loss)
    X = rng.normal(size=(7, layers[0]))
    y, module_loss = modules.targets_and_loss(loss, rng, 7, layers[-1])
    module = modules.mlp(layers, getattr(nn, activation))
    theta = rng.normal(size=(starts, net.n_parameters))
    J, gradient = sb.NetworkCost(net, X, y)(theta)
    J_module, gradient_module = sb.ModuleCost(module, module_loss, (X, y))(
        modules.as_module_theta(net, theta)
    )
    np.testing.assert_allclose(J_module, J, rtol=1e-11)
    expected = modules.as_module_theta(net, gradient)
    np.testing.assert_allclose(
        gradient_module, expected, rtol=0, atol=1e-11 * np.abs(expected).max() + 1e-300
    )


def line():
    """A linear unit with hand-made derivatives: J = mean (w x + b - y)²."""
    x, y = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [0.0], [3.0]])
    return sb.ModuleCost(nn.Linear(1, 1).double(), F.mse_loss, (x, y)), x[:, 0], y[:, 0]


def test_a_gradient_by_hand():
    cost, x, y = line()
    theta = np.array([[0.5, -1.0], [2.0, 3.0]])
    J, gradient = cost(theta)
    for k, (w, b) in enumerate(theta):
        error = w * x + b - y
        assert J[k] == pytest.approx((error**2).mean(), rel=1e-14)
        by_hand = [2 * (error * x).mean(), 2 * error.mean()]
        np.testing.assert_allclose(gradient[k], by_hand, rtol=1e-14)


def test_it_is_an_objective_with_named_blocks():
    cost, _, _ = modules.made("mlp")
    assert [(b.name, b.start, b.shape) for b in cost.blocks] == [
        ("0.weight", 0, (5, 4)), ("0.bias", 20, (5,)),
        ("2.weight", 25, (3, 5)), ("2.bias", 40, (3,)),
    ]  # fmt: skip
    assert cost.n_examples == 6
    assert cost.dtype == torch.float64
    assert cost.device == torch.device("cpu")
    assert cost.take([2, 0]) is cost
    assert isinstance(sb.ModuleCost(MLP, F.mse_loss, PAIR), Objective)
    assert cost.is_weight.tolist() == [True] * 20 + [False] * 5 + [True] * 15 + [False] * 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_answers_are_of_the_kind_shape_and_dtype_of_theta(dtype):
    cost, _, _ = modules.made("mlp")
    theta = cost.initialize(starts=3).numpy().astype(dtype)
    for held, kind in ((theta, np.ndarray), (torch.from_numpy(theta), torch.Tensor)):
        J, gradient = cost(held)
        assert isinstance(gradient, kind)
        assert isinstance(J, kind)
        assert J.dtype == gradient.dtype == held.dtype
        assert (tuple(J.shape), gradient.shape) == ((3,), held.shape)
        J, gradient = cost(held[0])
        assert (tuple(J.shape), gradient.shape) == ((), held[0].shape)
    J, gradient = cost(torch.from_numpy(theta).requires_grad_())
    assert not J.requires_grad
    assert not gradient.requires_grad
    np.testing.assert_array_equal(cost(theta.tolist())[1].astype(dtype), cost(theta)[1])


def test_the_gradient_goes_into_out():
    cost, _, _ = modules.made("mlp")
    theta = cost.initialize(starts=3)
    out = torch.full_like(theta, torch.nan)
    _, gradient = cost(theta, out=out)
    assert gradient is out
    torch.testing.assert_close(out, cost(theta)[1], rtol=0, atol=0)
    for wrong in (torch.empty(2, 43), torch.empty(3, 43, dtype=torch.float32)):
        with pytest.raises(InvalidInput, match="out must be of shape"):
            cost(theta, out=wrong)


def test_numpy_speaks_scipys_language_in_float64():
    cost, _, _ = modules.made("mlp")
    theta = cost.initial_theta().numpy()
    for one, rel in ((cost, 1e-15), (cost.to("float32"), 1e-5)):
        value, gradient = one.numpy(theta)
        assert isinstance(value, float)
        assert gradient.dtype == np.float64
        assert value == pytest.approx(float(cost(theta)[0]), rel=rel)


def test_answers_are_the_same_whatever_grad_mode_is_on():
    cost, _, _ = modules.made("gru")
    theta = cost.initialize(starts=2)
    expected = cost(theta)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            found = cost(theta.clone()), cost(theta[0].clone()), cost.value(theta.clone())
        torch.testing.assert_close(found[0], expected, rtol=0, atol=0)
        torch.testing.assert_close(found[1][1], expected[1][0], rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(found[2], expected[0], rtol=1e-12, atol=0)


def test_a_cost_may_be_made_of_what_was_made_in_inference_mode():
    def made_and_called():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
        module[2].requires_grad_(False)
        X, y = torch.randn(6, 3), torch.tensor([0, 1, 1, 0, 1, 0])
        pair = sb.ModuleCost(module, F.cross_entropy, (X, y))
        stepped = sb.ModuleCost(
            module, step=lambda m, b: F.cross_entropy(m(b["x"]), b["y"]), batch={"x": X, "y": y}
        )
        costs = [pair, pair.to("float64"), pair.to("float64").to("float32"), stepped]
        theta = pair.initialize(starts=2)
        answers = [cost(given) for cost in costs for given in (theta, theta[0])]
        return answers, pair.mode == "stacked"

    with torch.random.fork_rng([]):
        expected = made_and_called()
        with torch.inference_mode():
            found = made_and_called()
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_a_float64_copy_of_module_loss_and_data():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    weight = torch.tensor([1.0, 3.0])
    loss = nn.CrossEntropyLoss(weight=weight)
    X, y = torch.randn(6, 3, generator=SEEDED), torch.tensor([0, 1, 1, 0, 1, 0])
    cost = sb.ModuleCost(module, loss, (X, y))
    precise = cost.to("float64")
    assert (cost.dtype, precise.dtype) == (torch.float32, torch.float64)
    assert next(module.parameters()).dtype == torch.float32
    assert loss.weight is weight
    theta = cost.initialize(starts=2, seed=3)
    J, gradient = precise(theta.double())
    assert J.dtype == torch.float64
    assert not (J.float().double() == J).all()
    torch.testing.assert_close(cost(theta)[0].double(), J, rtol=1e-5, atol=0)
    torch.testing.assert_close(cost(theta)[1].double(), gradient, rtol=1e-3, atol=1e-5)
    taking_dict = sb.ModuleCost(module, step=modules.dict_step, batch={"x": [X], "labels": y})
    torch.testing.assert_close(
        taking_dict.to("float64")(theta.double())[0],
        sb.ModuleCost(module, F.cross_entropy, (X, y)).to("float64")(theta.double())[0],
    )


def test_batches_are_rows_and_their_mean_is_j():
    X, extra = torch.randn(6, 2, generator=SEEDED), torch.randn(6, 3, generator=SEEDED)
    y = torch.randn(6, 1, generator=SEEDED)

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(2, 1), nn.Linear(3, 1)

        def forward(self, x, extra):
            return self.one(x) + self.two(extra)

    module = Two().double()
    costs = [
        sb.ModuleCost(module, F.mse_loss, (held, y))
        for held in ((X, extra), {"extra": extra, "x": X})
    ]
    theta = costs[0].initialize(starts=2)
    torch.testing.assert_close(costs[0](theta), costs[1](theta), rtol=0, atol=0)
    for cost in costs:
        assert cost.n_examples == 6
        parts = [cost.batch(rows) for rows in ([0, 3], torch.tensor([5, 1]), [2, 4])]
        assert [part.n_examples for part in parts] == [2, 2, 2]
        for of_all, of_parts in zip(
            cost(theta), zip(*(p(theta) for p in parts), strict=True), strict=True
        ):
            torch.testing.assert_close(torch.stack(of_parts).mean(0), of_all, rtol=1e-12, atol=0)
        again = cost.batch([5, 2, 0]).batch([True, False, True])
        torch.testing.assert_close(again(theta), cost.batch([5, 0])(theta), rtol=0, atol=0)
        with pytest.raises(InvalidInput, match=r"rows of batch must be indices .* 5\. Got 6"):
            cost.batch([6])


def test_what_the_user_changes_later_does_not_change_the_cost():
    module = modules.mlp([4, 3, 1], nn.Tanh)
    X, y = np.ones((5, 4)), np.zeros((5, 1))
    cost = sb.ModuleCost(module, F.mse_loss, (X, y))
    theta = cost.initialize(starts=2)
    before = cost(theta), cost(theta[0])
    X[:], y[:] = 7.0, 5.0
    module[1] = nn.ReLU()
    torch.testing.assert_close((cost(theta), cost(theta[0])), before, rtol=0, atol=0)


def test_many_starts_find_the_minimum():
    cost, x, y = line()
    outcome = sb.minimize(cost, cost.initialize("normal", starts=4, seed=0), max_iter=50)
    assert outcome.converged.all()
    expected = np.polyfit(x, y, 1)
    np.testing.assert_allclose(outcome.theta, np.tile(expected, (4, 1)), rtol=1e-6)
    cost.load_into_module_(outcome.theta, start=outcome.best)
    np.testing.assert_array_equal(cost.initial_theta(), outcome.theta[outcome.best])


def test_a_module_is_minimised_on_mini_batches_and_checked():
    cost, _, _ = modules.made("mlp")
    theta = cost.initialize("glorot_uniform", starts=2, seed=0)
    outcome = sb.minimize(cost, theta, method="adamw", batch_size=2, max_iter=20)
    assert (outcome.value < cost.value(theta).numpy()).all()
    assert sb.check_gradient(cost, theta).verdict == "pass"


def test_theta_is_loaded_by_start():
    cost, _, module = modules.made("mlp")
    theta = cost.initialize(starts=3, seed=5)
    with pytest.raises(InvalidInput, match=r"must be given for a stack of 3 starts"):
        cost.load_into_module_(theta)
    with pytest.raises(InvalidInput, match=r"start of load_into_module_ must be indices"):
        cost.load_into_module_(theta, start=3)
    cost.load_into_module_(theta, start=1)
    torch.testing.assert_close(cost.initial_theta(), theta[1], rtol=0, atol=0)
    assert module[0].weight.requires_grad
    cost.load_into_module_(theta[2].numpy())
    torch.testing.assert_close(module[2].bias.detach(), theta[2, 40:], rtol=0, atol=0)


def broken(change):
    """A small module with something changed."""
    module = modules.mlp([4, 3, 1], nn.Tanh)
    change(module)
    return module


PAIR = (np.ones((5, 4)), np.zeros((5, 1)))
MLP = modules.mlp([4, 3, 1], nn.Tanh)


@pytest.mark.parametrize(
    ("module", "arguments", "kind", "message"),
    [
        ("net", (F.mse_loss, PAIR), InvalidType, "module must be a torch.nn.Module. Got str"),
        (nn.ReLU(), (F.mse_loss, PAIR), InvalidInput, "at least one parameter .* Got none"),
        (nn.LazyLinear(1), (F.mse_loss, PAIR), InvalidInput, "must have a shape. Got weight"),
        (broken(lambda m: m[2].float()), (F.mse_loss, PAIR), InvalidInput, r"one dtype.*2\."),
        (broken(lambda m: m[2].to("meta")), (F.mse_loss, PAIR), InvalidInput, "one device.*meta"),
        (MLP, (), InvalidInput, "Got neither"),
        (MLP, (F.mse_loss,), InvalidType, r"must be a pair \(X, y\). Got NoneType"),
        (MLP, (F.mse_loss, (1, 2, 3)), InvalidType, "Got 3 parts"),
        (MLP, ("mse", PAIR), InvalidType, "loss of ModuleCost must be a function.*Got str"),
        (MLP, (nn.MSELoss, PAIR), InvalidType, r"class MSELoss; call it first: MSELoss\(\)"),
        (MLP, (F.mse_loss, (["a"], [1.0])), InvalidType, "X must be an array of real numbers"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_door(module, arguments, kind, message):
    with pytest.raises(kind, match=message) as caught:
        sb.ModuleCost(module, *arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"loss": F.mse_loss, "data": PAIR, "step": print}, InvalidInput, "Got both"),
        ({"step": 3}, InvalidType, "step of ModuleCost must be a function.*Got int"),
        ({"step": print, "data": PAIR}, InvalidInput, "data .* must not be given with step="),
        ({"loss": F.mse_loss, "data": PAIR, "batch": 3}, InvalidInput, "Pass .* third argument"),
    ],
)
def test_a_way_is_chosen_by_words(arguments, kind, message):
    with pytest.raises(kind, match=message):
        sb.ModuleCost(MLP, **arguments)


@pytest.mark.parametrize(
    ("loss", "kind", "message"),
    [
        (lambda a, y: (a - y) ** 2, InvalidInput, r"one real number\. Got .* of shape \(5, 1\)"),
        (lambda a, y: (a - y).mean().item(), InvalidType, "scalar tensor. Got float"),
        (lambda a, y: (a > y).sum(), InvalidInput, "one real number. Got torch.int64"),
    ],
)
@pytest.mark.parametrize("starts", [None, 1, 3])
def test_a_loss_that_is_no_number_is_refused(loss, kind, message, starts):
    cost = sb.ModuleCost(MLP, loss, PAIR)
    theta = cost.initialize(starts=starts)
    for evaluate in (cost, cost.value):
        with pytest.raises(kind, match=message):
            evaluate(theta)


def test_a_loss_that_is_not_finite_is_handed_on():
    cost = sb.ModuleCost(MLP, lambda a, y: (a - y).sum().log(), PAIR)
    theta = torch.stack([torch.zeros(19), -torch.eye(19)[18]])
    J = cost.value(theta)
    assert J[0] == -np.inf
    assert J[1].isnan()
    torch.testing.assert_close(cost(theta)[0], J, equal_nan=True)


def test_theta_that_does_not_fit_is_refused():
    cost, _, _ = modules.made("mlp")
    for wrong in (torch.ones(42), torch.ones(0, 43), torch.ones(1, 1, 43)):
        with pytest.raises(InvalidInput, match="theta"):
            cost(wrong)


def test_rows_are_refused_where_there_are_none():
    cost = sb.ModuleCost(MLP, step=lambda m, x: m(x).mean(), batch=torch.ones(2, 4).double())
    assert cost.n_examples is None
    with pytest.raises(InvalidType, match="Got step and batch"):
        cost.batch([0])
    loss = sb.ModuleCost(MLP, lambda a, y: a.mean() * y.mean(), (PAIR[0], np.ones(3)))
    assert loss.n_examples is None
    with pytest.raises(InvalidType, match="Got first axes of several lengths"):
        loss.batch([0])
