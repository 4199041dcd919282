"""What a test problem is, and least-squares problems as objectives for stacks of starts.

Conventions
-----------
theta : (..., n) torch, leading axes free;  r : residuals (..., m);  jacobian : (..., m, n).
J = ½ Σ r², gradient = jacobianᵀ r. Moré, Garbow and Hillstrom state f = Σ r², so J = f / 2, and
the `minima` of a `Problem` are minima of J: half of what the paper prints. A `Minimum` states f.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from symbreak.errors import InvalidType
from symbreak.parameters import Block

Function = Callable[[Tensor], Tensor]


class ResidualProblem:
    """J(theta) = ½ Σ r(theta)² and its gradient; computed and answered in `dtype`."""

    def __init__(
        self, n: int, residuals: Function, jacobian: Function, dtype: torch.dtype = torch.float64
    ) -> None:
        self.dtype = dtype
        self.blocks: Sequence[Block] = (Block("theta", 0, (n,)),)
        self._residuals, self._jacobian = residuals, jacobian

    def residuals(self, theta: Tensor) -> Tensor:
        """Return r (starts, m)."""
        return self._residuals(theta.to(self.dtype))

    def jacobian(self, theta: Tensor) -> Tensor:
        """Return dr/dtheta (starts, m, n)."""
        return self._jacobian(theta.to(self.dtype))

    def gauss_newton_product(self, theta: Tensor, v: Tensor) -> Tensor:
        """Return Jacobianᵀ Jacobian v (starts, n)."""
        jacobian = self.jacobian(theta)
        return (jacobian.transpose(1, 2) @ (jacobian @ v[:, :, None]))[:, :, 0]

    def __call__(self, theta: Tensor, *, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return J (starts,) and the gradient (starts, n)."""
        r = self.residuals(theta)
        gradient = (r[..., None] * self.jacobian(theta)).sum(-2)
        return half_square(r), gradient if out is None else out.copy_(gradient)

    def value(self, theta: Tensor) -> Tensor:
        """Return J (starts,)."""
        return half_square(self.residuals(theta))

    def take(self, starts: Any) -> ResidualProblem:
        """Return this problem: it holds nothing that belongs to one start."""
        return self

    def batch(self, rows: Any) -> ResidualProblem:
        """Refuse: the residuals are the problem, not examples of it."""
        raise InvalidType("batch needs an objective with examples. Got a least-squares problem.")


def half_square(r: Tensor) -> Tensor:
    """Return ½ Σ r² over the last axis."""
    return 0.5 * (r * r).sum(-1)


class Minimum(NamedTuple):
    """A known (local) minimum of f = Σ r².

    Parameters
    ----------
    f : its value, to about twelve digits.
    at : a theta that has it; None where it is only approached at infinity.
    printed : the value as Moré, Garbow and Hillstrom print it, six digits, not rounded; None where
        they print none, or f has a closed form.
    """

    f: float
    at: Sequence[float] | np.ndarray | None = None
    printed: float | None = None


@dataclass(frozen=True)
class Problem:
    """A function to minimise, and what is known of its minima.

    Parameters
    ----------
    name : unique.
    start : (n,) float64, the standard start.
    minima : J at the known (local) minima, the global one first, in no order after that; there may
        be more. Values approached at infinity are among them. Empty where nothing is known.
    minimisers : for each of `minima` a theta (n,) that has it, or None.
    make : dtype -> the objective.
    printed : for each of `minima` half of f as printed in the literature, or None.
    """

    name: str
    start: np.ndarray
    minima: tuple[float, ...]
    minimisers: tuple[np.ndarray | None, ...]
    make: Callable[[torch.dtype], Any]
    printed: tuple[float | None, ...] = ()

    @property
    def n(self) -> int:
        """The number of parameters."""
        return len(self.start)

    @property
    def minimiser(self) -> np.ndarray | None:
        """A theta with J = minima[0], if one is known."""
        return self.minimisers[0] if self.minimisers else None

    def objective(self, dtype: torch.dtype = torch.float64) -> Any:
        """Return what `sb.minimize` accepts: an `Objective` that computes in `dtype`."""
        return self.make(dtype)


def least_squares(
    name: str,
    residuals: Function,
    jacobian: Function,
    start: Sequence[float] | np.ndarray,
    *minima: Minimum,
) -> Problem:
    """Return the problem of these residuals; the minima are those of f = Σ r², J is half of it."""
    at = np.array(start, dtype=np.float64)
    return Problem(
        name,
        at,
        minima=tuple(0.5 * minimum.f for minimum in minima),
        minimisers=tuple(None if m.at is None else np.array(m.at, dtype=float) for m in minima),
        make=lambda dtype: ResidualProblem(len(at), residuals, jacobian, dtype),
        printed=tuple(None if m.printed is None else 0.5 * m.printed for m in minima),
    )


def vector(x: Tensor, *entries: Tensor | float) -> Tensor:
    """Return numbers and tensors (...,) side by side: (..., entries)."""
    like = x[..., 0]
    parts = [e if isinstance(e, Tensor) else torch.full_like(like, e) for e in entries]
    return torch.stack(parts, -1)


def matrix(x: Tensor, *rows: Sequence[Tensor | float]) -> Tensor:
    """Return rows of numbers and tensors (...,) as (..., rows, columns)."""
    return torch.stack([vector(x, *row) for row in rows], -2)


def columns(*parts: Tensor) -> Tensor:
    """Return the derivatives by each parameter, (..., m) or (m,), as (..., m, n)."""
    return torch.stack(torch.broadcast_tensors(*parts), -1)


def parts(x: Tensor) -> tuple[Tensor, ...]:
    """Return the parameters as (..., 1), so that they meet data (m,)."""
    return x.split(1, -1)


def count(x: Tensor, m: int, first: int = 1) -> Tensor:
    """Return first, first + 1, ..., m in the dtype of x."""
    return torch.arange(first, m + 1, dtype=x.dtype, device=x.device)
