"""A few real updates of a copy."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from symbreak.errors import InvalidInput, InvalidType
from symbreak.modules.cost.data import LossStep
from symbreak.modules.observation.updates import optimizers, updated


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
    got = updated(module, LossStep(F.mse_loss), (X, y), make, n_updates=3, dropout=False)
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
    got = updated(Single(), LossStep(F.mse_loss), (X, y), make, n_updates=1, dropout=False)
    own: Any = got[0]
    assert own.layer.weight.dtype == torch.float32


def test_what_is_no_optimizer():
    with pytest.raises(InvalidType, match="optimizer of diagnose"):
        optimizers(3)


def table(*, sparse):
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(5, 3, sparse=sparse), nn.Linear(3, 2))


def test_the_default_optimizers_take_sparse_gradients_and_do_the_same():
    X, y = torch.tensor([0, 2, 2, 4]), torch.randn(4, 2, generator=torch.Generator().manual_seed(1))
    for make in optimizers(None).values():
        sparse, dense = (
            updated(
                table(sparse=s),
                LossStep(F.mse_loss),
                (X, y),
                make,
                n_updates=2,
                dropout=False,
            )[0]
            for s in (True, False)
        )
        for one, other in zip(sparse.parameters(), dense.parameters(), strict=True):
            assert torch.equal(one, other)


def test_an_optimizer_that_asks_for_j_again_gets_it():
    torch.manual_seed(0)
    module, X = nn.Linear(3, 1), torch.randn(16, 3)
    y = X @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3.0
    (make,) = optimizers(torch.optim.LBFGS).values()
    own, (X64, y64) = updated(
        module, LossStep(F.mse_loss), (X, y), make, n_updates=4, dropout=False
    )
    assert F.mse_loss(own(X64), y64) < 1e-6 * F.mse_loss(module(X), y)  # 80 iterations of L-BFGS


def test_an_optimizer_that_cannot_update_the_module_is_named():
    X, y = torch.tensor([0, 2, 2, 4]), torch.zeros(4, 2)
    (make,) = optimizers(torch.optim.Adam).values()
    with pytest.raises(InvalidInput, match="able to update the module"):
        updated(
            table(sparse=True),
            LossStep(F.mse_loss),
            (X, y),
            make,
            n_updates=1,
            dropout=False,
        )
