"""Where else a gradient is checked: after a short burn-in, and each term of J alone.

At a random start some mistakes are small (a penalty beside the data, a unit that is still linear);
a few steps of training, and the terms by themselves, bring them out. The terms are taken where no
entry is zero: a penalty has no slope there, whatever multiplies it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.gradient_check.subject import Subject
from symbreak.objectives import Objective

STEPS = 10
LENGTH = 0.03  # of a step, relative to |theta|
SIZE = 0.3


def occasions(subject: Subject, seed: int) -> Iterator[tuple[str, Subject]]:
    """Yield the further subjects by name; `seed` draws the entries that are zero."""
    yield f"after {STEPS} steps", replace(subject, stack=_burned_in(subject))
    terms, precise = _terms(subject.objective), _terms(subject.precise)
    if len(terms) < 2:
        return
    stack = _without_zeros(subject, seed)
    for name, term in terms.items():
        yield f"{name} alone", replace(subject, objective=term, precise=precise[name], stack=stack)


def _terms(objective: Objective) -> dict[str, Objective]:
    return objective.terms() if hasattr(objective, "terms") else {}


def _without_zeros(subject: Subject, seed: int) -> Tensor:
    """Return theta with its zeros drawn between +-SIZE of its largest entry, +-SIZE if all are."""
    stream = np.random.default_rng([seed, 3])
    drawn = torch.from_numpy(stream.uniform(-SIZE, SIZE, tuple(subject.stack.shape)))
    largest = subject.stack.abs().amax(dim=1, keepdim=True)
    drawn = drawn.to(subject.stack.device) * torch.where(largest > 0.0, largest, 1.0)
    theta = torch.where(subject.stack == 0.0, drawn, subject.stack)
    return theta.to(subject.native).to(torch.float64)


def _burned_in(subject: Subject) -> Tensor:
    """Return theta after some steps down the gradient, as numbers of the native dtype."""
    theta = subject.stack.clone()
    for _ in range(STEPS):
        gradient = as_tensor(subject.precise(theta)[1], "The gradient").to(torch.float64)
        size = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        length = LENGTH * torch.linalg.vector_norm(theta, dim=1, keepdim=True)
        step = torch.where(size > 0.0, length * gradient / size, torch.zeros_like(theta))
        moved = theta - step
        if not bool(torch.isfinite(as_tensor(subject.precise.value(moved), "J")).all()):
            break
        theta = moved
    return theta.to(subject.native).to(torch.float64)
