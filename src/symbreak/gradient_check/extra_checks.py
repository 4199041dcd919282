"""Where else a gradient is checked: after a short burn-in, and each term of J alone.

At a random start some mistakes are small (a penalty beside the data, a unit that is still linear);
a few steps of training, and the terms by themselves, bring them out. The terms are taken where no
entry is zero: a penalty has no slope there, whatever multiplies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.gradient_check.check_target import CheckTarget
from symbreak.objectives import Objective
from symbreak.objectives.capabilities import HasTerms, offered

STEPS = 10
LENGTH = 0.03  # of a step, relative to |theta|
SIZE = 0.3


def extra_targets(target: CheckTarget, seed: int) -> Iterator[tuple[str, CheckTarget]]:
    """Yield the further targets by name; `seed` draws the entries that are zero."""
    yield f"after {STEPS} steps", replace(target, stack=_burned_in(target))
    terms, precise = _terms(target.objective), _terms(target.precise)
    if len(terms) < 2:
        return
    stack = _without_zeros(target, seed)
    for name, term in terms.items():
        yield f"{name} alone", replace(target, objective=term, precise=precise[name], stack=stack)


def _terms(objective: Objective) -> Mapping[str, Objective]:
    sum_of = offered(objective, HasTerms)
    return {} if sum_of is None else sum_of.terms()


def _without_zeros(target: CheckTarget, seed: int) -> Tensor:
    """Return theta with its zeros drawn between +-SIZE of its largest entry, +-SIZE if all are."""
    stream = np.random.default_rng([seed, 3])
    drawn = torch.from_numpy(stream.uniform(-SIZE, SIZE, tuple(target.stack.shape)))
    largest = target.stack.abs().amax(dim=1, keepdim=True)
    drawn = drawn.to(target.stack.device) * torch.where(largest > 0.0, largest, 1.0)
    theta = torch.where(target.stack == 0.0, drawn, target.stack)
    return theta.to(target.native).to(torch.float64)


def _burned_in(target: CheckTarget) -> Tensor:
    """Return theta after some steps down the gradient, as numbers of the native dtype."""
    theta = target.stack.clone()
    for _ in range(STEPS):
        gradient = as_tensor(target.precise(theta)[1], "The gradient").to(torch.float64)
        size = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        length = LENGTH * torch.linalg.vector_norm(theta, dim=1, keepdim=True)
        step = torch.where(size > 0.0, length * gradient / size, torch.zeros_like(theta))
        moved = theta - step
        if not bool(torch.isfinite(as_tensor(target.precise.value(moved), "J")).all()):
            break
        theta = moved
    return theta.to(target.native).to(torch.float64)
