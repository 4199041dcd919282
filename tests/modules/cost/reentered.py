"""Modules that their own backward pass calls again, each beside a plain one of the same numbers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


class Checkpointed(nn.Module):
    """A body that is computed again on the way back; `reentrant` None computes it once."""

    def __init__(self, reentrant, dropout=0.0):
        super().__init__()
        self.a, self.b, self.o = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.norm = nn.BatchNorm1d(4)
        self.reentrant, self.dropout = reentrant, dropout

    def body(self, h):
        h = self.norm(torch.tanh(self.b(torch.tanh(h))))
        return F.dropout(h, self.dropout, self.training)

    def forward(self, x):
        h = self.a(x)
        if self.reentrant is None:
            return self.o(self.body(h))
        return self.o(checkpoint(self.body, h, use_reentrant=self.reentrant))


STEPS, DT = 8, 0.125


class Adjoint(torch.autograd.Function):
    """Leapfrog h'' = f(h), which runs backward exactly; it asks f for its parameters by itself."""

    @staticmethod
    def forward(ctx, f, h, v, *parameters):
        ctx.f, ctx.parameters = f, tuple(f.parameters())
        h, v = leapfrog(f, h, v)
        ctx.save_for_backward(h, v)
        return h, v

    @staticmethod
    def backward(ctx, *slopes):
        h, v = ctx.saved_tensors
        # The same way back with the velocity turned round, then forward again with a graph.
        h, v = leapfrog(ctx.f, h, -v)
        with torch.enable_grad():
            h, v = h.detach().requires_grad_(), (-v).detach().requires_grad_()
            found = torch.autograd.grad(
                leapfrog(ctx.f, h, v), (h, v, *ctx.f.parameters()), slopes, allow_unused=True
            )
        return None, *found


def leapfrog(f, h, v):
    """Return h and v after all steps."""
    for _ in range(STEPS):
        v = v + DT / 2 * f(h)
        h = h + DT * v
        v = v + DT / 2 * f(h)
    return h, v


class Flow(nn.Module):
    """A differential equation, solved with the adjoint or with the graph of all steps."""

    def __init__(self, adjoint):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 3))
        self.o = nn.Linear(3, 2)
        self.adjoint = adjoint

    def forward(self, x):
        v = torch.zeros_like(x)
        if self.adjoint:
            return self.o(Adjoint.apply(self.f, x, v, *self.f.parameters())[0])
        return self.o(leapfrog(self.f, x, v)[0])


class Coupling(torch.autograd.Function):
    """Additive coupling that keeps its output alone, and accumulates into the layers itself."""

    @staticmethod
    def forward(ctx, x, block):
        ctx.block = block
        y = block.plain(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, slope):
        (y,) = ctx.saved_tensors
        with torch.no_grad():
            x = ctx.block.inverse(y)
        with torch.enable_grad():
            x.requires_grad_()
            torch.autograd.backward(ctx.block.plain(x), slope)
        return x.grad, None


class Block(nn.Module):
    """A reversible block on two halves."""

    def __init__(self, reversible):
        super().__init__()
        self.f, self.g = (nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in "fg")
        self.reversible = reversible

    def plain(self, x):
        one, two = x.chunk(2, -1)
        one = one + self.f(two)
        return torch.cat([one, two + self.g(one)], -1)

    def inverse(self, y):
        one, two = y.chunk(2, -1)
        two = two - self.g(one)
        return torch.cat([one - self.f(two), two], -1)

    def forward(self, x):
        return Coupling.apply(x, self) if self.reversible else self.plain(x)


class Reversible(nn.Module):
    """Reversible blocks, of which the first gets the data itself."""

    def __init__(self, reversible):
        super().__init__()
        self.blocks = nn.Sequential(Block(reversible), Block(reversible))
        self.o = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.cat([x, x[:, :1]], 1)
        return self.o(self.blocks(x.requires_grad_()))


# name: (module, the plain one)
CASES = {
    "checkpoint": (lambda: Checkpointed(False), lambda: Checkpointed(None)),
    "checkpoint, reentrant": (lambda: Checkpointed(True), lambda: Checkpointed(None)),
    "checkpoint, dropout": (lambda: Checkpointed(False, 0.3), lambda: Checkpointed(None, 0.3)),
    "checkpoint, reentrant, dropout": (
        lambda: Checkpointed(True, 0.3),
        lambda: Checkpointed(None, 0.3),
    ),
    "adjoint": (lambda: Flow(True), lambda: Flow(False)),
    "reversible": (lambda: Reversible(True), lambda: Reversible(False)),
}


def made(name):
    """Return (module, plain, X, y), both modules in float64 with the same numbers."""
    generator = torch.Generator().manual_seed(len(name))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module, plain = (make().double() for make in CASES[name])
    plain.load_state_dict(module.state_dict())
    X = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    return module, plain, X, torch.randint(0, 2, (6,), generator=generator)
