"""A chain of Rosenbrock's valleys and an ill-conditioned quadratic, as least-squares problems.

Conventions: x (..., n); f = Σ r², a `Minimum` states f, J = f / 2 (core.py).
"""

from __future__ import annotations

import numpy as np

from tests.optimize.problems.core import Minimum, constant, identity, least_squares

N_CHAIN, N_QUADRATIC, CONDITION = 10, 20, 1e6


def chained_rosenbrock(x):
    """10 (x_{i+1} - x_i²), then 1 - x_i, for i < n: f is `scipy.optimize.rosen`."""
    return np.concatenate([10 * (x[..., 1:] - x[..., :-1] ** 2), 1 - x[..., :-1]], -1)


def chained_rosenbrock_jacobian(x):
    own, following = identity(x)[:-1], identity(x)[1:]
    valleys = 10 * following - 20 * x[..., :-1, None] * own
    return np.concatenate([valleys, constant(-own, x)], -2)


def quadratic_parts(n=N_QUADRATIC, condition=CONDITION, seed=0):
    """Return A (n, n) and x* (n,) of r = A (x - x*); AᵀA, the Hessian of J, has this condition.

    AᵀA = Q diag(1, ..., condition) Qᵀ, Q orthogonal and random, its eigenvalues a geometric series.
    """
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return np.geomspace(1, condition, n)[:, None] ** 0.5 * q.T, rng.normal(size=n)


def _quadratic():
    a, best = quadratic_parts()

    def residuals(x):
        return (x - best.astype(x.dtype)) @ a.astype(x.dtype).T

    def jacobian(x):
        return constant(a.astype(x.dtype), x)

    start, minimum = np.zeros(N_QUADRATIC), Minimum(0, at=best)
    return least_squares("quadratic_20", residuals, jacobian, start, minimum)


# Found by Newton's method with `scipy.optimize.rosen_hess` from (-0.99, 1, ..., 1).
CHAIN_LOCAL = (
    *(-0.993263372856369, 0.9966060394434352, 0.9982406113911125, 0.9989884337678007),
    *(0.999226153439665, 0.9990736481633443, 0.9984541774029088, 0.9970562516630377),
    *(0.9941793752280661, 0.9883926301288679),
)

PROBLEMS = (
    least_squares(
        "chained_rosenbrock_10",
        chained_rosenbrock,
        chained_rosenbrock_jacobian,
        np.tile([-1.2, 1.0], N_CHAIN // 2),
        Minimum(0, at=np.ones(N_CHAIN)),
        Minimum(3.986579112347, at=CHAIN_LOCAL),
    ),
    _quadratic(),
)
