"""A small observer for tests: forward hooks on leaf modules, nothing else.

Independent of `symbreak.modules.observation` beyond the shapes it fills, so that detectors are
tested on what a reader can check by hand.
"""

from __future__ import annotations

import torch
from torch import nn

from symbreak.modules.observation.observed import (
    CONV,
    LINEAR,
    RECURRENT,
    NonlinearCall,
    Observed,
    SeenParameter,
    Site,
)

_CONV = nn.modules.conv._ConvNd
_FUNCTIONS = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid", nn.GELU: "gelu"}


def by_units(values, kind):
    """(examples, ..., units) or (examples, units, ...) -> (units, samples)."""
    last = kind != CONV
    moved = values.movedim(-1 if last else 1, 0)
    return moved.reshape(moved.shape[0], -1).detach()


def role_of(owner, name, parameter):
    own = name.rpartition(".")[2]
    if isinstance(owner, _CONV):
        return "conv weight" if own == "weight" else "conv bias"
    if isinstance(owner, nn.RNNBase):
        return "recurrent"
    if isinstance(owner, nn.Embedding):
        return "embedding"
    if isinstance(owner, nn.Linear | nn.MultiheadAttention):
        return "linear weight" if "weight" in own else "linear bias"
    if isinstance(owner, nn.LayerNorm | nn.BatchNorm2d):
        return "norm"
    return "product" if parameter.dim() > 1 else "register"


def observe(module, loss, X, y, unused=(), **more):
    """Run forward and backward once and return what was seen."""
    places, calls = [], []

    def look(name, part):
        def hook(_, inputs, output):
            output = output[0] if isinstance(output, tuple) else output
            if type(part) in _FUNCTIONS:
                calls.append((name, part, inputs[0], output))
            elif output.requires_grad:
                output.retain_grad()
                places.append((name, part, output))

        return part.register_forward_hook(hook)

    kinds = (nn.Linear, _CONV, nn.RNNBase, *_FUNCTIONS)
    hooks = [look(name, part) for name, part in module.named_modules() if isinstance(part, kinds)]
    module.zero_grad()
    output = module(X)
    value = loss(output, y)
    value.backward()
    for hook in hooks:
        hook.remove()
    parameters = tuple(
        SeenParameter(
            name,
            parameter.detach(),
            parameter.grad,
            "unused"
            if name in unused
            else role_of(module.get_submodule(name.rpartition(".")[0]), name, parameter),
            parameter.requires_grad,
        )
        for name, parameter in module.named_parameters()
    )
    return Observed(
        module,
        float(value.detach()),
        tuple(_site(*place) for place in places),
        parameters,
        tuple(_call(*call) for call in calls),
        output=output.detach(),
        targets=y,
        loss=loss,
        step=lambda module, batch: loss(module(batch[0]), batch[1]),
        batch=(X, y),
        **more,
    )


def _site(name, part, output):
    kind = CONV if isinstance(part, _CONV) else LINEAR
    kind = RECURRENT if isinstance(part, nn.RNNBase) else kind
    grad = torch.zeros_like(output) if output.grad is None else output.grad
    return Site(name, kind, by_units(output, kind), by_units(grad, kind))


def _call(name, part, before, after):
    kind = CONV if before.dim() == 4 else LINEAR
    return NonlinearCall(
        name, _FUNCTIONS[type(part)], by_units(before, kind), by_units(after, kind), name
    )


def of_parameters(*parameters, module=None, **more):
    """Return what was seen of a module that has parameters and no sites."""
    return Observed(module or nn.Module(), 1.0, (), tuple(parameters), **more)
