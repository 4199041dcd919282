"""How often a diagnosis calls the module: what one question has shown serves the others."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis.starts import data


class Counted(nn.Module):
    """Counts the calls of itself and of its copies."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.calls = inner, _Calls()

    def forward(self, x):
        self.calls.count += 1
        return self.inner(x)


class _Calls:
    count = 0

    def __deepcopy__(self, memo):
        return self


def mlp(between=nn.Tanh):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), between(), nn.Linear(8, 3))


def zero_head():
    module = mlp()
    nn.init.zeros_(module[2].weight)
    return module


def dead():
    module = mlp(nn.ReLU)
    nn.init.constant_(module[0].bias, -100.0)
    return module


def zeros():
    module = mlp()
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class Between(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def cut_off():
    return mlp(lambda: Between(torch.Tensor.detach))


def rounded():
    return mlp(lambda: Between(lambda x: torch.round(3 * x)))


class Ensemble(nn.Module):
    """Its output biases are known by their sum alone."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.w, self.b = nn.Parameter(torch.randn(4, 6, 3)), nn.Parameter(torch.zeros(4, 1, 3))

    def forward(self, x):
        return (x @ self.w + self.b).mean(0)


class Ensembles(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = Ensemble(), Ensemble()

    def forward(self, x):
        return self.one(x) + self.other(x)


def satisfied(output, _y):
    return F.relu(1 - (output + 100)).mean()


# Two of each observe the module, on the batch and on perturbed inputs.
@pytest.mark.parametrize(
    ("make", "loss", "passes"),
    [
        pytest.param(mlp, F.mse_loss, 2, id="a sound start"),
        # its contributions reweighted; as it is; after an update
        pytest.param(zero_head, F.mse_loss, 2 + 3, id="a zero head"),
        # as it is, twice; two sets and one part of one set that are drawn anew
        pytest.param(cut_off, F.mse_loss, 2 + 5, id="a part that is cut off"),
        # reweighted; as it is, twice; three updates; drawn anew at three sizes, three times
        pytest.param(rounded, F.mse_loss, 2 + 15, id="a rounded part"),
        # reweighted; as it is, twice; three updates; drawn anew at three sizes
        pytest.param(mlp, satisfied, 2 + 9, id="a satisfied margin"),
        # the same; once all drawn at random; sixteen other batches
        pytest.param(dead, F.mse_loss, 2 + 26, id="a dead layer"),
        pytest.param(zeros, F.mse_loss, 38, id="zeros alone"),
        # as it is; two moves for each table
        pytest.param(Ensemble, F.mse_loss, 2 + 3, id="an ensemble"),
        pytest.param(Ensembles, F.mse_loss, 2 + 5, id="two ensembles"),
    ],
)
def test_a_diagnosis_calls_the_module_only_so_often(make, loss, passes):
    module = Counted(make())
    sb.diagnose(module, loss, (data(16, 6), data(16, 3, seed=2)))
    assert module.calls.count == passes
