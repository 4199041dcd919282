"""Damped Gauss-Newton steps that lower J (Levenberg 1944, Marquardt 1963).

Conventions
-----------
H : Gauss-Newton matrix of J, (starts, n, n); J = ½ Σ r², H = Jacobianᵀ Jacobian for residuals r.
D : scales of the parameters, D_j² = the largest H_jj so far (Moré 1978, section 6), so that the
    method does not depend on the units of theta.
step p : (H + damping D²) p = -gradient, by a Cholesky factorisation of D⁻¹ H D⁻¹ + damping I
gain   : (J - J_trial) / predicted,  predicted = -(gradient · p + ½ p · H p)
An accepted step (gain > 1e-4) multiplies the damping by max(1/3, 1 - (2 gain - 1)³), a rejected one
by 2, 4, 8, ... (Nielsen 1999). Where the predicted change of J drowns in its rounding, a step is
accepted if it makes the gradient smaller; where it does not, J is as low as the dtype resolves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.arrays import (
    Array,
    alike,
    copied,
    dots,
    empty_like,
    namespace,
    quiet,
    solve_positive,
)
from symbreak.objectives.capabilities import HasGaussNewton, HasJacobian, needed, offered
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import (
    Floats,
    Mask,
    PerStart,
    device_like,
    host,
    limits_of,
    put_rows,
    rows,
)
from symbreak.optimize.protocols import Point
from symbreak.optimize.status import Status

LEAST_GAIN = 1e-4
ROUNDING = 10.0  # units of eps |J|
LEAST_DAMPING, MOST_DAMPING = 1e-20, 1e20


class LevenbergMarquardt(PerStart):
    """Damped Gauss-Newton steps.

    damping : the first damping, relative to H.
    """

    per_start = ("_H", "_scale", "_step", "_damping", "_growth", "_predicted", "_is_solved")
    failure = Status.PRECISION_LIMIT
    iteration_is = "update"

    def __init__(self, damping: float) -> None:
        self.damping = damping

    def needs_gradient(self, objective: Objective) -> bool:
        """It goes by the gradient at every trial."""
        return True

    def start(self, here: Point, objective: Objective) -> None:
        """Compute the first Gauss-Newton matrices."""
        (n_running, n), xp = here.theta.shape, namespace(here.theta)
        self._H = empty_like(here.theta, (n_running, n, n))
        self._H[...] = 0.0
        self._scale = xp.zeros_like(here.theta)
        self._step = xp.zeros_like(here.theta)
        self._damping: Floats = np.full(n_running, self.damping)
        self._growth: Floats = np.full(n_running, 2.0)
        self._predicted: Floats = np.zeros(n_running)
        self._look(here.is_finite, here, objective)

    @quiet
    def trial(self, here: Point, objective: Objective) -> Array:
        """Return theta + p."""
        if not self._is_solved.all():
            self._solve(~self._is_solved, here)
        return here.theta + self._step

    def judge(self, here: Point, trial: Point) -> tuple[Mask, Mask]:
        """Accept steps that lower J as the model says they should; adapt the damping."""
        eps = float(limits_of(here.theta).eps)
        noise = ROUNDING * eps * np.abs(here.value)
        with np.errstate(all="ignore"):
            gain = (here.value - trial.value) / self._predicted
            decides = self._predicted > noise
            lower = trial.is_finite & (gain > LEAST_GAIN) & decides
            flatter = trial.is_finite & (trial.value <= here.value + noise)
            flatter &= (trial.norm < here.norm) & ~decides
        accepted = lower | flatter
        failed = ~accepted & (~decides | (self._damping > MOST_DAMPING))
        self._adapt(accepted, np.where(lower, gain, 1.0))
        self._is_solved = np.zeros(len(accepted), dtype=bool)
        return accepted, failed

    def advance(self, active: Mask, before: Point, here: Point, objective: Objective) -> None:
        """Compute the Gauss-Newton matrices of `active` at their new points."""
        self._look(active, here, objective)

    def _look(self, active: Mask, here: Point, objective: Objective) -> None:
        if active.any():
            theta = rows(here.theta, active)
            at = alike(np.flatnonzero(active), theta)
            H = alike(gauss_newton_matrix(objective.take(at), theta), theta)
            put_rows(self._H, active, H)
            put_rows(self._scale, active, _larger(rows(self._scale, active), H))
        self._is_solved = np.zeros(len(active), dtype=bool)

    def _adapt(self, accepted: Mask, gain: Floats) -> None:
        shrink = np.maximum(1.0 / 3.0, 1.0 - (2.0 * np.minimum(gain, 1.0) - 1.0) ** 3)
        factor = np.where(accepted, shrink, self._growth)
        self._damping = np.maximum(self._damping * factor, LEAST_DAMPING)
        self._growth = np.where(accepted, 2.0, 2.0 * self._growth)

    @quiet
    def _solve(self, active: Mask, here: Point) -> None:
        """Put the damped steps of `active`, and the change of J that they predict, in place."""
        H, gradient, scale = (rows(x, active) for x in (self._H, here.gradient, self._scale))
        # A parameter that J does not feel has no scale; 1 keeps its step at zero.
        scale[~(scale > 0.0)] = 1.0
        scaled = H / (scale[:, :, None] * scale[:, None, :])
        damping = device_like(self._damping[active], gradient)
        step, solved = _damped_step(scaled, gradient / scale, damping)
        step /= scale
        slope = dots(gradient, step)
        bend = dots(step, (H @ step[:, :, None])[:, :, 0])
        step[~solved, :] = 0.0
        put_rows(self._step, active, step)
        # A matrix that has no factor is a step too long: an infinite promise is never kept.
        promised = np.where(host(solved) > 0, host(-(slope + 0.5 * bend)), np.inf)
        self._predicted[active] = promised
        self._is_solved = self._is_solved | active


def _damped_step(H: Array, gradient: Array, damping: Array) -> tuple[Array, Array]:
    """Return the p of (H + damping I) p = -gradient, and where H + damping I had a factor."""
    damped, xp = copied(H), namespace(H)
    diagonal = _diagonal(damped)
    diagonal += damping[:, None]
    step, has_factor = solve_positive(damped, -gradient)
    return step, has_factor & xp.all(xp.isfinite(step), axis=1)


def _diagonal(H: Array) -> Array:
    """Return the diagonals, (starts, n), a view."""
    starts, n, _ = H.shape
    return namespace(H).reshape(H, (starts, n * n))[:, :: n + 1]


@quiet
def _larger(scale: Array, H: Array) -> Array:
    """Return the larger of the scales so far and those of H, (starts, n)."""
    xp = namespace(H)
    return xp.maximum(scale, xp.sqrt(xp.maximum(_diagonal(H), 0.0)))


def gauss_newton_matrix(objective: Any, theta: Array) -> Array:
    """Return the Gauss-Newton matrix (starts, n, n) of an objective that has one.

    Raises
    ------
    InvalidType
        It has neither `gauss_newton(theta)` nor `jacobian(theta)`.
    """
    squares = offered(objective, HasJacobian)
    if squares is not None and offered(objective, HasGaussNewton) is None:
        jacobian = squares.jacobian(theta)
        return jacobian.mT @ jacobian
    curved = needed(
        objective, HasGaussNewton, "levenberg-marquardt",
        wanted="gauss_newton(theta), as NetworkCost has, or jacobian(theta)",
        else_="method='l-bfgs'",
    )  # fmt: skip
    return curved.gauss_newton(theta)[2]
