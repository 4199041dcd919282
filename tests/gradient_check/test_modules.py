"""The check of torch modules: right gradients in float32 and bfloat16, and wrong kernels."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import symbreak as sb
from symbreak.gradient_check import check_gradient

pytestmark = pytest.mark.needs_torch


class Recurrent(nn.Module):
    """A GRU and a linear layer on its last output."""

    def __init__(self, features, units, classes):
        super().__init__()
        self.gru, self.head = nn.GRU(features, units, batch_first=True), nn.Linear(units, classes)

    def forward(self, x):
        return self.head(self.gru(x)[0][:, -1])


class Attention(nn.Module):
    """A block of a transformer, and a linear layer on its mean."""

    def __init__(self, features, heads, classes):
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)
        self.norm = nn.LayerNorm(features)
        self.wide = nn.Sequential(
            nn.Linear(features, 2 * features), nn.GELU(), nn.Linear(2 * features, features)
        )
        self.head = nn.Linear(features, classes)

    def forward(self, x):
        x = self.norm(x + self.attention(x, x, x)[0])
        return self.head((x + self.wide(x)).mean(1))


def mlp(random, classes):
    units = [int(random.integers(2, 20)) for _ in range(int(random.integers(1, 4)))]
    activation = [nn.Tanh, nn.ReLU, nn.SiLU][int(random.integers(3))]
    layers = [layer for size in units for layer in (nn.LazyLinear(size), activation())]
    return nn.Sequential(*layers, nn.LazyLinear(classes)), (int(random.integers(2, 12)),)


def cnn(random, classes):
    size = int(random.integers(8, 13))
    layers = [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(classes)), (1, size, size)


def layer_norm(random, classes):
    units, features = (int(random.integers(3, 16)) for _ in range(2))
    activation = nn.ReLU() if random.integers(2) else nn.Tanh()
    layers = [nn.Linear(features, units), nn.LayerNorm(units), activation]
    return nn.Sequential(*layers, nn.Linear(units, classes)), (features,)


def attention(random, classes):
    heads = int(random.integers(1, 4))
    features = 4 * heads
    return Attention(features, heads, classes), (int(random.integers(2, 7)), features)


def gru(random, classes):
    features, units = (int(random.integers(2, 8)) for _ in range(2))
    return Recurrent(features, units, classes), (int(random.integers(2, 6)), features)


KINDS = {make.__name__: make for make in (mlp, cnn, layer_norm, attention, gru)}


def random_cost(kind, seed, dtype=torch.float32):
    """Return the cost of a random module of the kind on random data."""
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    classes = int(random.integers(2, 6))
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        module, shape = KINDS[kind](random, classes)
        X = torch.from_numpy(random.normal(size=(int(random.integers(4, 30)), *shape)))
        module(X.float())
    y = torch.from_numpy(random.integers(0, classes, len(X)))
    return sb.ModuleCost(module.to(dtype), F.cross_entropy, (X, y))


def verdicts(kind, seeds, dtype):
    """Return how often each verdict was given at torch's own starts."""
    costs = (random_cost(kind, seed, dtype) for seed in seeds)
    return Counter(check_gradient(cost, cost.initial_theta()).verdict for cost in costs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_right_gradients_of_modules_pass(kind, dtype):
    assert verdicts(kind, range(3), dtype) == {"pass": 3}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_float32_modules_of_each_kind(kind):
    found = verdicts(kind, range(1000, 1200), torch.float32)
    assert found["fail"] == 0
    assert found["inconclusive"] <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_right_gradients_in_bfloat16_never_fail(kind):
    found = verdicts(kind, range(10), torch.bfloat16)
    assert found["fail"] == 0
    assert found["inconclusive"] <= 1


class Cube(torch.autograd.Function):
    """x³, with a backward pass of one's own."""

    @staticmethod
    def forward(ctx, x, factor, only):
        ctx.save_for_backward(x)
        ctx.factor = factor if only in (None, x.dtype) else 1.0
        return x**3

    @staticmethod
    def backward(ctx, *gradients: Tensor):
        (x,) = ctx.saved_tensors
        return ctx.factor * 3 * x**2 * gradients[0], None, None


class Cubed(nn.Module):
    """Two linear layers with cubes between them."""

    def __init__(self, factor, only=None):
        super().__init__()
        self.below, self.above = nn.Linear(4, 6), nn.Linear(6, 2)
        self.factor, self.only = factor, only

    def forward(self, x):
        return self.above(Cube.apply(self.below(x), self.factor, self.only))


def report_of(module, dtype=torch.float32, **options):
    generator = torch.Generator().manual_seed(0)
    X, y = torch.randn(20, 4, generator=generator), torch.randn(20, 2, generator=generator)
    cost = sb.ModuleCost(module.to(dtype), F.mse_loss, (X, y))
    return check_gradient(cost, cost.initialize(seed=1), **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_wrong_backward_of_a_function_is_found_where_it_acts(dtype):
    assert report_of(Cubed(1.0), dtype).verdict == "pass"
    report = report_of(Cubed(-1.0), dtype)
    verdicts = {block.name: block.verdict for block in report.blocks}
    assert verdicts == {
        "below.weight": "fail",
        "below.bias": "fail",
        "above.weight": "pass",
        "above.bias": "pass",
    }
    assert "the gradient has the wrong sign" in str(report)


@pytest.mark.parametrize(("dtype", "factor"), [(torch.float32, 1.001), (torch.bfloat16, -1.0)])
def test_a_kernel_that_is_wrong_in_one_dtype_alone_is_found(dtype, factor):
    assert report_of(Cubed(factor, dtype), torch.float64).verdict == "pass"
    report = report_of(Cubed(factor, dtype), dtype)
    assert report.verdict == "fail"
    assert f"the mathematics is right, but the {str(dtype)[6:]} gradient" in report.line


class Detached(nn.Module):
    """A layer whose output is cut from the graph."""

    def __init__(self):
        super().__init__()
        self.below, self.above = nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        return self.above(torch.tanh(self.below(x)).detach())


def test_a_detached_layer_is_named():
    report = report_of(Detached())
    assert {block.name for block in report.blocks if block.verdict == "fail"} == {
        "below.weight",
        "below.bias",
    }
    assert "detached" in str(report)


def test_dropout_is_inconclusive_with_the_remedy_and_right_when_evaluated():
    module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Tanh(), nn.Linear(8, 2))
    report = report_of(module)
    assert report.verdict == "inconclusive"
    assert "eval" in str(report)
    assert report_of(module.eval()).verdict == "pass"


def test_batch_statistics_pass_in_training_mode():
    module = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    assert report_of(module).verdict == "pass"
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


class Padded(nn.Module):
    """Words, 0 for none, and classes."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(50, 4, padding_idx=0), nn.Linear(4, 3)

    def forward(self, words):
        return self.head(self.table(words).mean(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_padding_row_of_an_embedding_is_left_out(dtype):
    random = np.random.default_rng(0)
    words, y = random.integers(0, 50, (16, 5)), random.integers(0, 3, 16)
    words[:, 0] = 0
    cost = sb.ModuleCost(Padded().to(dtype), F.cross_entropy, (words, y))
    report = check_gradient(cost, cost.initialize(seed=0))
    assert report.verdict == "pass"
    assert (report.blocks[0].n_checked, report.blocks[0].n_parameters) == (196, 200)
