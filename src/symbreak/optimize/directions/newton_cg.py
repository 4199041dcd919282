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
import torch
from torch import Tensor

from symbreak.objectives.capabilities import HasGaussNewtonProduct, HasHessian, needed
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import Mask
from symbreak.optimize.protocols import LooksAtCurvature, Point

Product = Callable[[Tensor, Tensor], Tensor]
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
        self._first_norm: Tensor | None = None

    def look(self, active: Mask, here: Point, objective: Objective) -> None:
        """Solve for the Newton directions of `active`; the others have steepest descent."""
        if self._first_norm is None:
            self._check(objective)
            norm = torch.linalg.vector_norm(here.gradient, dim=1)
            self._first_norm = torch.where(torch.isfinite(norm), norm, 1.0).clamp_min_(1.0)
        self._newton = self._solve(active, here, objective, self._first_norm)

    def start(self, here: Point) -> Tensor:
        """Return the first Newton directions."""
        return self._newton

    def update(self, active: Mask, before: Point, here: Point) -> Tensor:
        """Return Newton directions for `active`."""
        return self._newton

    def restart(self, active: Mask, here: Point) -> Tensor:
        """Return steepest descent."""
        return here.gradient.neg()

    def _check(self, objective: Objective) -> None:
        capability, name = PRODUCTS[self.curvature]
        wanted = f"{name}(theta, v), as NetworkCost has"
        needed(objective, capability, "newton-cg", wanted=wanted, else_="method='l-bfgs'")

    def _solve(self, active: Mask, here: Point, objective: Objective, first_norm: Tensor) -> Tensor:
        """Return the directions of `active`; steepest descent in the others."""
        direction = here.gradient.neg()
        at = torch.from_numpy(np.flatnonzero(active)).to(direction.device)
        if len(at) == 0:
            return direction
        product = self._product(objective, at)
        theta, r = here.theta[at], here.gradient[at]
        p, d = torch.zeros_like(r), -r
        squared = torch.linalg.vecdot(r, r)
        limit = squared * self._forcing(squared, first_norm[at]).square()
        for inner in range(self.max_inner):
            Hd = product(theta, d)
            curvature = torch.linalg.vecdot(d, Hd)
            enough = torch.finfo(r.dtype).eps * torch.linalg.vecdot(d, d)
            bent = curvature > enough * _size(Hd, d)
            alpha = torch.where(bent, squared / curvature, float(inner == 0))[:, None]
            p, r = p + alpha * d, r + alpha * Hd
            before, squared = squared, torch.linalg.vecdot(r, r)
            running = bent & (squared > limit) & torch.isfinite(squared)
            d = (squared / before)[:, None] * d - r
            if not bool(running.all()):
                ended = ~running
                direction[at[ended]] = p[ended]
                at, theta, p, r, d = (part[running] for part in (at, theta, p, r, d))
                squared, limit = squared[running], limit[running]
                if len(at) == 0:
                    return direction
                product = self._product(objective, at)
        direction[at] = p
        return direction

    def _product(self, objective: Objective, at: Tensor) -> Product:
        product: Product = getattr(objective.take(at), PRODUCTS[self.curvature][1])
        return product

    def _forcing(self, squared: Tensor, first_norm: Tensor) -> Tensor:
        forcing: Tensor = (squared.sqrt() / first_norm).sqrt_().clamp_max_(0.5)
        return forcing


def _size(Hd: Tensor, d: Tensor) -> Tensor:
    """Return |H d| / |d|, the curvature that rounding is measured against."""
    size: Tensor = torch.linalg.vector_norm(Hd, dim=1) / torch.linalg.vector_norm(d, dim=1)
    return size
