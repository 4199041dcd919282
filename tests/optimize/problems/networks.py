"""Two costs of networks on small seeded data, as test problems.

Conventions
-----------
J = 1/m Σ_i -log p_i(y_i) + alpha / (2 m) Σ W², biases not penalised (`symbreak.NetworkCost`).
theta of the soft-max regression : the rows of Theta (classes, 1 + features), the bias first.
"""

from __future__ import annotations

import numpy as np

import symbreak as sb
from tests.optimize.problems.core import Problem

EXAMPLES, FEATURES, CLASSES, ALPHA = 60, 4, 3, 1.0
HIDDEN = 5


def data(seed=0):
    """Return X (m, features) and y (m,): classes that overlap."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, EXAMPLES)
    centres = rng.normal(size=(CLASSES, FEATURES))
    return centres[y] + rng.normal(size=(EXAMPLES, FEATURES)), y


def softmax_value(Theta, X, y):
    """Return J, its gradient (classes, 1 + features) and its Hessian as a square matrix."""
    ones = np.column_stack([np.ones(len(X)), X])
    raw = ones @ Theta.T
    raw -= raw.max(1, keepdims=True)
    p = np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
    penalised = np.ones_like(Theta)
    penalised[:, 0] = 0.0
    target = np.eye(CLASSES)[y]
    J = -np.log((p * target).sum(1)).mean() + ALPHA / (2 * len(X)) * (penalised * Theta**2).sum()
    gradient = ((p - target).T @ ones + ALPHA * penalised * Theta) / len(X)
    curvature = p[:, :, None] * (np.eye(CLASSES) - p[:, None, :])
    hessian = np.einsum("mab,mi,mj->aibj", curvature, ones, ones).reshape(Theta.size, -1)
    return J, gradient, (hessian + ALPHA * np.diag(penalised.ravel())) / len(X)


def softmax_minimum():
    """Return J and theta (n,) at the minimum: Newton's method in NumPy to a gradient of 1e-12.

    Equal shifts of all biases change nothing; the least-squares step never makes one, so the
    biases sum to 0, as they do on the way of every gradient method from 0.
    """
    X, y = data()
    Theta = np.zeros((CLASSES, 1 + FEATURES))
    for _ in range(30):
        J, gradient, hessian = softmax_value(Theta, X, y)
        if np.abs(gradient).max() <= 1e-12:
            return J, Theta.ravel()
        Theta = Theta - np.linalg.lstsq(hessian, gradient.ravel(), rcond=1e-12)[0].reshape(
            Theta.shape
        )
    raise AssertionError(f"Newton's method stopped at a gradient of {np.abs(gradient).max()}.")


def _cost(layers, seed):
    X, y = data(seed)
    network = sb.Network(layers, "tanh", "cross_entropy")
    return lambda dtype: sb.NetworkCost(network, X, y, alpha=ALPHA, dtype=dtype)


def _softmax():
    J, theta = softmax_minimum()
    make = _cost((FEATURES, CLASSES), 0)
    return Problem("softmax_regression_15", np.zeros(theta.size), (J,), (theta,), make)


def _tanh_network():
    """A problem of which nothing is known but J and its gradient."""
    layers = (FEATURES, HIDDEN, CLASSES)
    n = sb.Network(layers).n_parameters
    start = np.random.default_rng(1).uniform(-0.5, 0.5, n)
    return Problem(f"tanh_network_{n}", start, (), (), _cost(layers, 1))


PROBLEMS = (_softmax(), _tanh_network())
