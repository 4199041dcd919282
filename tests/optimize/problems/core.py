"""What a test problem is, and least-squares problems as objectives for stacks of starts.

Conventions
-----------
theta : (..., n), leading axes free;  r : residuals (..., m);  jacobian : (..., m, n).
J = ½ Σ r², gradient = jacobianᵀ r. Moré, Garbow and Hillstrom state f = Σ r², so J = f / 2, and
the `minima` of a `Problem` are minima of J: half of what the paper prints. A `Minimum` states f.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from symbreak.errors import InvalidType
from symbreak.parameters import Block

Array = np.ndarray
Function = Callable[[Array], Array]


class ResidualProblem:
    """J(theta) = ½ Σ r(theta)² and its gradient; computed and answered in `dtype`."""

    def __init__(
        self, n: int, residuals: Function, jacobian: Function, dtype: type = np.float64
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.blocks: Sequence[Block] = (Block("theta", 0, (n,)),)
        self._residuals, self._jacobian = residuals, jacobian

    def residuals(self, theta: Array) -> Array:
        """Return r (starts, m)."""
        return self._residuals(theta.astype(self.dtype))

    def jacobian(self, theta: Array) -> Array:
        """Return dr/dtheta (starts, m, n)."""
        return self._jacobian(theta.astype(self.dtype))

    def gauss_newton_product(self, theta: Array, v: Array) -> Array:
        """Return Jacobianᵀ Jacobian v (starts, n)."""
        jacobian = self.jacobian(theta)
        return (jacobian.mT @ (jacobian @ v[:, :, None]))[:, :, 0]

    def __call__(self, theta: Array, *, out: Array | None = None) -> tuple[Array, Array]:
        """Return J (starts,) and the gradient (starts, n)."""
        r = self.residuals(theta)
        gradient = (r[..., None] * self.jacobian(theta)).sum(-2)
        if out is None:
            return half_square(r), gradient
        out[...] = gradient
        return half_square(r), out

    def value(self, theta: Array) -> Array:
        """Return J (starts,)."""
        return half_square(self.residuals(theta))

    def take(self, starts: Any) -> ResidualProblem:
        """Return this problem: it holds nothing that belongs to one start."""
        return self

    def batch(self, rows: Any) -> ResidualProblem:
        """Refuse: the residuals are the problem, not examples of it."""
        raise InvalidType("batch needs an objective with examples. Got a least-squares problem.")


def half_square(r: Array) -> Array:
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
    make: Callable[[type], Any]
    printed: tuple[float | None, ...] = ()

    @property
    def n(self) -> int:
        """The number of parameters."""
        return len(self.start)

    @property
    def minimiser(self) -> np.ndarray | None:
        """A theta with J = minima[0], if one is known."""
        return self.minimisers[0] if self.minimisers else None

    def objective(self, dtype: type = np.float64) -> Any:
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


def vector(x: Array, *entries: Array | float) -> Array:
    """Return numbers and arrays (...,) side by side: (..., entries)."""
    return np.stack([np.broadcast_to(e, x.shape[:-1]) for e in entries], -1, dtype=x.dtype)


def matrix(x: Array, *rows: Sequence[Array | float]) -> Array:
    """Return rows of numbers and arrays (...,) as (..., rows, columns)."""
    return np.stack([vector(x, *row) for row in rows], -2)


def columns(*parts: Array) -> Array:
    """Return the derivatives by each parameter, (..., m) or (m,), as (..., m, n)."""
    return np.stack(np.broadcast_arrays(*parts), -1)


def parts(x: Array) -> tuple[Array, ...]:
    """Return the parameters as (..., 1), so that they meet data (m,)."""
    return tuple(np.split(x, x.shape[-1], -1))


def count(x: Array, m: int, first: int = 1) -> Array:
    """Return first, first + 1, ..., m in the dtype of x."""
    return np.arange(first, m + 1, dtype=x.dtype)


def by_complex_step(function: Function, theta: Array) -> Array:
    """Return the derivatives of a function at one theta (n,), shape (m, n) or (n,).

    The derivative by theta_k is Im f(theta + i h e_k) / h: nothing cancels, so it is exact to
    rounding (Squire and Trapp, 1998). The function must compute in complex128.
    """
    h = 1e-30
    return function(theta + 1j * h * identity(theta)).imag.T / h


def identity(x: Array) -> Array:
    """Return the derivatives of x by itself, (n, n)."""
    return np.eye(x.shape[-1], dtype=x.dtype)


def diagonal(slopes: Array) -> Array:
    """Return matrices (..., n, n) that hold slopes (..., n) and zeros."""
    return identity(slopes) * slopes[..., None, :]


def constant(rows: Array, x: Array) -> Array:
    """Return rows (m, n) for every theta of x, (..., m, n)."""
    return np.broadcast_to(rows, (*x.shape[:-1], *rows.shape))
