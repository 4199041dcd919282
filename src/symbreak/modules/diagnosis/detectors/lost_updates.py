"""lost_updates: steps of the optimiser that rounding in bfloat16 or float16 throws away.

An update u of a weight w is lost where w + u rounds to w: |u| below half a unit in the last
place of w, 2^-9 |w| to 2^-8 |w| in bfloat16. The update is that of the optimiser itself, one
step on a copy of parameter and gradient in float32; without an optimiser it is AdamW's with
PyTorch's defaults.

Threshold: half of the entries with a gradient: warning; one in twenty: note. Source: Zamirai,
Zhang, Aberger and De Sa 2020 (2010.06192), where nearest rounding of bfloat16 weights stalls
training. The shares are ours. Level: never error, since a later gradient may be larger.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from symbreak.findings import Finding
from symbreak.modules.observation.observed import MakeOptimizer, Observed, SeenParameter
from symbreak.modules.observation.updates import stepped

SHORT = (torch.bfloat16, torch.float16)
MOST, SOME = 0.5, 0.05
REMEDY = (
    "Keep the weights in float32 and compute in the short dtype (torch.autocast), or round updates "
    "at random."
)


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield parameters in a short dtype of which many entries do not move."""
    if not observed.optimizers:
        return
    *_, make = observed.optimizers.values()  # of the default ones AdamW, whose updates are smaller
    for parameter in observed.parameters:
        if parameter.trained and parameter.grad is not None and parameter.value.dtype in SHORT:
            yield from _of_parameter(parameter, parameter.grad, make)


def _of_parameter(parameter: SeenParameter, grad: Tensor, make: MakeOptimizer) -> Iterator[Finding]:
    pulled = (grad != 0) & grad.isfinite() & parameter.value.isfinite()
    if not bool(pulled.any()):
        return
    moved = _stepped(parameter.value, grad, make)
    lost = int(((moved.to(parameter.value.dtype) == parameter.value) & pulled).sum())
    share = lost / int(pulled.sum())
    if share < SOME:
        return
    size = (moved - parameter.value.float())[pulled].abs().median()
    evidence = (
        f"{share:.0%} of the entries with a gradient stay where they are: the median update is "
        f"{float(size):.3g}, half a unit in the last place of the median weight "
        f"{_half_unit(parameter.value[pulled]):.3g}"
    )
    level = "warning" if share >= MOST else "note"
    yield Finding("lost_updates", level, parameter.name, (), None, evidence, REMEDY)


def _stepped(value: Tensor, grad: Tensor, make: MakeOptimizer) -> Tensor:
    """Return the parameter after one step in float32."""
    copy = nn.Parameter(value.detach().float().clone())
    copy.grad = grad.detach().float().clone()
    stepped(make([copy]), lambda: copy.new_zeros(()))
    return copy.detach()


def _half_unit(values: Tensor) -> float:
    median = values.detach().float().abs().median()
    _, exponent = torch.frexp(median)
    return torch.finfo(values.dtype).eps * 2.0 ** (int(exponent) - 2)
