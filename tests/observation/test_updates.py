"""A few real updates of a copy."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from symbreak.errors import InvalidType
from symbreak.objectives.module_data import LossStep
from symbreak.observation.updates import optimizers, updated


class Single(nn.Module):
    """Refuses every dtype but float32."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x.float())


def test_updates_are_those_of_the_optimizer_in_float64():
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    X, y = torch.randn(8, 3), torch.randn(8, 2)
    (make,) = optimizers(torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.5)).values()
    got = updated(module, LossStep(F.mse_loss), (X, y), make, n_updates=3, quiet=True)
    own: Any = got[0]
    assert own.weight.dtype == got[1][0].dtype == torch.float64
    weight, bias = (p.detach().double().requires_grad_() for p in module.parameters())
    v = [torch.zeros_like(weight), torch.zeros_like(bias)]
    for _ in range(3):
        J = F.mse_loss(X.double() @ weight.T + bias, y.double())
        grads = torch.autograd.grad(J, (weight, bias))
        v = [0.5 * old + g for old, g in zip(v, grads, strict=True)]
        weight = (weight - 0.1 * v[0]).detach().requires_grad_()
        bias = (bias - 0.1 * v[1]).detach().requires_grad_()
    torch.testing.assert_close(own.weight, weight)
    torch.testing.assert_close(own.bias, bias)


def test_a_module_of_one_dtype_only_is_updated_in_its_own():
    X, y = torch.randn(8, 3), torch.randn(8, 2)
    make = optimizers(torch.optim.AdamW)["AdamW"]
    got = updated(Single(), LossStep(F.mse_loss), (X, y), make, n_updates=1, quiet=True)
    own: Any = got[0]
    assert own.layer.weight.dtype == torch.float32


def test_what_is_no_optimizer():
    with pytest.raises(InvalidType, match="optimizer of diagnose"):
        optimizers(3)
