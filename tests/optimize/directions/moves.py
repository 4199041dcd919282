"""Points and quadratics for the tests of directions."""

from __future__ import annotations

import numpy as np

from symbreak.optimize.protocols import Point


def point(theta, gradient, value=None):
    """The point of theta (rows, n) and its gradient, NumPy; J is 0 unless given."""
    import torch

    theta, gradient = torch.as_tensor(theta), torch.as_tensor(gradient)
    value = np.zeros(len(theta)) if value is None else np.asarray(value, dtype=float)
    return Point(theta, value, gradient, gradient.abs().amax(1).numpy())


def moved(part, rows, move, change, gradient):
    """The direction after theta moved by `move` and its gradient changed by `change` in `rows`."""
    before = point(np.zeros_like(move), gradient - change)
    return part.update(np.asarray(rows), before, point(move, gradient)).numpy()


def positive_definite(rng, rows, n, condition=100.0):
    """Matrices (rows, n, n) with eigenvalues spread from 1 to `condition`."""
    q = np.linalg.qr(rng.normal(size=(rows, n, n)))[0]
    return q @ (np.geomspace(1.0, condition, n)[:, None] * q.swapaxes(1, 2))


def exact_line_searches(part, A, theta, n_steps):
    """Minimise ½ theta · A theta by exact steps along the directions of `part`.

    Returns the directions and gradients, lists of (rows, n), one gradient more.
    """
    gradient = np.einsum("rij,rj->ri", A, theta)
    here = point(theta, gradient)
    d = part.start(here).numpy()
    directions, gradients = [], [gradient]
    for _ in range(n_steps):
        curvature = np.einsum("ri,rij,rj->r", d, A, d)
        theta = theta - (np.einsum("ri,ri->r", gradient, d) / curvature)[:, None] * d
        gradient = np.einsum("rij,rj->ri", A, theta)
        directions.append(d)
        gradients.append(gradient)
        before, here = here, point(theta, gradient)
        d = part.update(np.full(len(theta), True), before, here).numpy()
    return directions, gradients


def linear_conjugate_gradients(A, theta, n_steps):
    """The directions of Hestenes & Stiefel (1952) on ½ theta · A theta, one start."""
    r = A @ theta
    d, directions = -r, []
    for _ in range(n_steps):
        directions.append(d)
        alpha = (r @ r) / (d @ A @ d)
        r_new = r + alpha * (A @ d)
        d = -r_new + (r_new @ r_new) / (r @ r) * d
        r = r_new
    return directions


def cosines(one, other):
    """The cosines of the angles between the rows."""
    norms = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.sum(one * other, axis=-1) / norms
