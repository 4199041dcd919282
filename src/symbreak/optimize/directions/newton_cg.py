"""The truncated Newton direction: H p = -gradient, solved by conjugate gradients (Steihaug 1983).

Conventions (Nocedal & Wright 2006, algorithm 7.1)
-----------
p = 0, r = gradient + H p, d = -r;  alpha = r · r / d · H d;  p += alpha d;  r += alpha H d
It ends where |r| <= min(0.5, sqrt(|gradient|)) |gradient|, a superlinear rate, or after `max_inner`
products, or where d · H d is not positive: the p so far is then a direction that leads down.
|gradient| in the forcing term is taken relative to its first value where that was above 1, so that
J multiplied by a number asks for equally many products.

H is the Hessian of J by the R-operator, or the Gauss-Newton matrix, which has no negative
curvature: the safe choice far from a minimum. Only products with H are taken. Starts end their
inner iterations one by one and leave the stack of products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symbreak.arrays import Array, alike, as_numpy, dots, namespace, quiet
from symbreak.objectives.capabilities import HasGaussNewtonProduct, HasHessian, needed
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import Mask, PerStart, Starts, limits_of, put_rows, rows
from symbreak.optimize.protocols import LooksAtCurvature, Point

Product = Callable[[Array, Array], Array]
# By `curvature`: the capability that it needs, and its product.
PRODUCTS: dict[str, tuple[type[Any], str]] = {
    "hessian": (HasHessian, "hessian_product"),
    "gauss-newton": (HasGaussNewtonProduct, "gauss_newton_product"),
}


class NewtonCG(LooksAtCurvature):
    """The direction -H⁻¹ gradient, as exact as the distance from the minimum is worth."""

    per_start = ("_first_norm", "_newton")
    has_scale = True

    def __init__(self, curvature: str, max_inner: int) -> None:
        self.curvature = curvature
        self.max_inner = max_inner
        self._first_norm: Array | None = None

    def look(self, active: Mask, here: Point, objective: Objective) -> None:
        """Solve for the Newton directions of `active`; the others have steepest descent."""
        if self._first_norm is None:
            self._check(objective)
            self._first_norm = _first_norms(here.gradient)
        self._newton = self._solve(active, here, objective, self._first_norm)

    def start(self, here: Point) -> Array:
        """Return the first Newton directions."""
        return self._newton

    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Return Newton directions for `active`."""
        return self._newton

    def restart(self, active: Mask, here: Point) -> Array:
        """Return steepest descent."""
        return -here.gradient

    def _check(self, objective: Objective) -> None:
        capability, name = PRODUCTS[self.curvature]
        wanted = f"{name}(theta, v), as NetworkCost has"
        needed(objective, capability, "newton-cg", wanted=wanted, else_="method='l-bfgs'")

    def _solve(self, active: Mask, here: Point, objective: Objective, first_norm: Array) -> Array:
        """Return the directions of `active`; steepest descent in the others."""
        direction, at = -here.gradient, np.flatnonzero(active)
        if len(at) == 0:
            return direction
        inner = InnerSearch(*(rows(x, at) for x in (here.theta, here.gradient, first_norm)))
        product = self._product(objective, at, direction)
        for number in range(self.max_inner):
            running = inner.move(product(inner.theta, inner.d), is_first=number == 0)
            if not running.all():
                put_rows(direction, at[~running], rows(inner.p, ~running))
                at = at[running]
                if len(at) == 0:
                    return direction
                inner.keep(running)
                product = self._product(objective, at, direction)
        put_rows(direction, at, inner.p)
        return direction

    def _product(self, objective: Objective, at: Starts, like: Array) -> Product:
        product: Product = getattr(objective.take(alike(at, like)), PRODUCTS[self.curvature][1])
        return lambda theta, v: alike(product(theta, v), like)


class InnerSearch(PerStart):
    """Conjugate gradients for H p = -gradient in the starts that have not ended them.

    Attributes
    ----------
    theta, p, r, d : (starts, n), see above.
    """

    per_start = ("theta", "p", "r", "d", "_squared", "_limit")

    @quiet
    def __init__(self, theta: Array, gradient: Array, first_norm: Array) -> None:
        xp = namespace(gradient)
        self.theta, self.r, self.d = theta, gradient, -gradient
        self.p = xp.zeros_like(gradient)
        self._squared = dots(gradient, gradient)
        forcing = xp.minimum(xp.sqrt(xp.sqrt(self._squared) / first_norm), 0.5)
        self._limit = self._squared * forcing * forcing

    @quiet
    def move(self, Hd: Array, *, is_first: bool) -> Mask:
        """Move p along d, given H d, and turn d; return which go on, (starts,)."""
        xp, d, squared = namespace(self.d), self.d, self._squared
        curvature, size = dots(d, Hd), _norm(Hd) / _norm(d)  # what rounding is measured against
        bent = curvature > float(limits_of(d).eps) * dots(d, d) * size
        alpha = squared / curvature
        alpha[~bent] = float(is_first)
        self.p = self.p + alpha[:, None] * d
        self.r = self.r + alpha[:, None] * Hd
        self._squared = dots(self.r, self.r)
        self.d = (self._squared / squared)[:, None] * d - self.r
        return as_numpy(bent & (self._squared > self._limit) & xp.isfinite(self._squared))


def _norm(vectors: Array) -> Array:
    return namespace(vectors).linalg.vector_norm(vectors, axis=1)


@quiet
def _first_norms(gradient: Array) -> Array:
    """Return the norms that others are taken relative to: 1 where they are less or not finite."""
    norm, xp = _norm(gradient), namespace(gradient)
    return xp.where(norm < np.inf, xp.maximum(norm, 1.0), 1.0)
