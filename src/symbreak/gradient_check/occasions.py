"""Where else a gradient is checked: after a short burn-in, and each term of J alone.

At a random start some mistakes are small (a penalty beside the data, a unit that is still linear);
a few steps of training, and the terms by themselves, bring them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from symbreak.gradient_check.subject import Subject

STEPS = 10
LENGTH = 0.03  # of a step, relative to |theta|


def occasions(subject: Subject) -> Iterator[tuple[str, Subject]]:
    """Yield the further subjects by name."""
    yield f"after {STEPS} steps", replace(subject, stack=_burned_in(subject))
    terms = getattr(subject.objective, "terms", None)
    if terms is None:
        return
    data = terms()
    if data is None:
        return
    precise = subject.precise.terms()  # type: ignore[attr-defined]
    yield "data alone", replace(subject, objective=data, precise=precise)
    # In float64 only: a difference of two float32 gradients has the rounding of the larger one.
    exact = Rest(subject.precise, precise)
    yield "penalty alone", replace(subject, objective=exact, precise=exact, native=torch.float64)


def _burned_in(subject: Subject) -> Tensor:
    """Return theta after some steps down the gradient, as numbers of the native dtype."""
    theta = subject.stack.clone()
    for _ in range(STEPS):
        gradient = torch.as_tensor(subject.precise(theta)[1], dtype=torch.float64)
        size = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        length = LENGTH * torch.linalg.vector_norm(theta, dim=1, keepdim=True)
        step = torch.where(size > 0.0, length * gradient / size, torch.zeros_like(theta))
        moved = theta - step
        if not bool(torch.isfinite(torch.as_tensor(subject.precise.value(moved))).all()):
            break
        theta = moved
    return theta.to(subject.native).to(torch.float64)


@dataclass(frozen=True)
class Rest:
    """J and gradient of an objective less those of a part of it."""

    whole: Any
    part: Any

    @property
    def blocks(self) -> Any:
        """Those of the whole."""
        return self.whole.blocks

    @property
    def dtype(self) -> torch.dtype:
        """That of the whole."""
        return self.whole.dtype  # type: ignore[no-any-return]

    def __call__(self, theta: Any, *, out: Tensor | None = None) -> tuple[Any, Any]:
        """Return the difference of J and of the gradient."""
        (J, gradient), (less, of_part) = self.whole(theta), self.part(theta)
        rest = gradient - of_part
        return J - less, rest if out is None else out.copy_(rest)

    def value(self, theta: Any) -> Any:
        """Return the difference of J."""
        return self.whole.value(theta) - self.part.value(theta)

    def take(self, starts: Any) -> Rest:
        """Return the same of some starts."""
        return Rest(self.whole.take(starts), self.part.take(starts))

    def batch(self, rows: Any) -> Rest:
        """Return the same on some examples."""
        return Rest(self.whole.batch(rows), self.part.batch(rows))
