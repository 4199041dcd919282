"""The program that the tests of `symbreak diagnose` write into their folder."""

from __future__ import annotations

PROGRAM = """
import torch
from torch.nn import Linear, Sequential, Tanh
from torch.nn.functional import mse_loss

class OneWay(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, g):
        raise RuntimeError("no way\\n back")

def module():
    torch.manual_seed(0)
    return Sequential(Linear(4, 8), Tanh(), Linear(8, 2))

def batch():
    stream = torch.Generator().manual_seed(1)
    return torch.randn(40, 4, generator=stream), torch.randn(40, 2, generator=stream)

def copied(unit, of, sign=1.0):
    planted = module()
    with torch.no_grad():
        for rows in (planted[0].weight, planted[0].bias, planted[2].weight.T):
            rows[unit] = sign * rows[of]
    return planted

def sound():
    return module(), mse_loss, batch()

def twins():
    return copied(5, 2), mse_loss, batch()

def mirror():
    return copied(5, 2, -1.0), mse_loss, batch()

def named():
    return {"module": copied(5, 2), "loss": mse_loss, "batch": batch(),
            "optimizer": torch.optim.RMSprop}

def loss_of(module, batch):
    return mse_loss(module(batch["X"]), batch["y"])

def stepped():
    return {"module": copied(5, 2), "step": loss_of, "batch": dict(zip("Xy", batch()))}

def raises():
    raise ValueError("no\\n  such thing")

def misfit():
    return Linear(3, 2), mse_loss, batch()

def loss_raises():
    return module(), lambda output, y: 1 / 0, batch()

def vector():
    return module(), lambda output, y: (output - y) ** 2, batch()

def number():
    return module(), lambda output, y: mse_loss(output, y).item(), batch()

def constant():
    return module(), lambda output, y: mse_loss(output.detach(), y), batch()

def one_way():
    return module(), lambda output, y: mse_loss(OneWay.apply(output), y), batch()

def no_pair():
    return module(), mse_loss, batch()[0]

def frozen():
    return module().requires_grad_(False), mse_loss, batch()

def no_module():
    return 1, mse_loss, batch()

def misspelt():
    return {"module": module(), "loss": mse_loss, "batch": batch(), "optimiser": None}

def no_optimizer():
    return {"module": module(), "loss": mse_loss, "batch": batch(), "optimizer": 3}
"""
