"""The same cost by the back-propagation of textbooks, one network at a time, in plain NumPy.

It computes in complex numbers too, for complex steps: the derivative of f by x_k is
Im f(x + i h e_k) / h, in which nothing cancels (Squire and Trapp, 1998). At a kink the real part
decides.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

STEP = 1e-30
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def piecewise(z, negative, slope):
    """z where it is positive, else these; and the slopes, 1 and this."""
    positive = z.real > 0
    return np.where(positive, z, negative), np.where(positive, 1.0, slope)


def selu(z):
    g, slope = piecewise(z, SELU_ALPHA * np.expm1(z), SELU_ALPHA * np.exp(z))
    return SELU_SCALE * g, SELU_SCALE * slope


def gelu(z):
    below = 0.5 * (1 + special.erf(z / math.sqrt(2)))  # Φ(z)
    return z * below, below + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


# g and g'.
ACTIVATIONS = {
    "identity": lambda z: (z, np.ones_like(z)),
    "sigmoid": lambda z: (sigmoid(z), sigmoid(z) * (1 - sigmoid(z))),
    "tanh": lambda z: (np.tanh(z), 1 - np.tanh(z) ** 2),
    "relu": lambda z: piecewise(z, 0.0, 0.0),
    "leaky_relu": lambda z: piecewise(z, 0.01 * z, 0.01),
    "elu": lambda z: piecewise(z, np.expm1(z), np.exp(z)),
    "selu": selu,
    "softplus": lambda z: (np.log1p(np.exp(z)), sigmoid(z)),
    "gelu": gelu,
    "silu": lambda z: (z * sigmoid(z), sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
}


def cross_entropy(raw, y):
    rows, e = np.arange(len(y)), np.exp(raw - raw.real.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return -np.log(p[rows, y])[:, None], p - np.eye(raw.shape[1])[y]


def absolute_error(raw, y):
    sign = np.sign((raw - y).real)
    return sign * (raw - y), sign


def huber(raw, y):
    r, sign = raw - y, np.sign((raw - y).real)
    inside = np.abs(r.real) <= 1
    return np.where(inside, 0.5 * r**2, sign * r - 0.5), np.where(inside, r, sign)


# The loss, by outputs where it is a sum over them, and its derivative by raw.
LOSSES = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": lambda raw, y: (np.log1p(np.exp(raw)) - y * raw, sigmoid(raw) - y),
    "squared_error": lambda raw, y: (0.5 * (raw - y) ** 2, raw - y),
    "absolute_error": absolute_error,
    "poisson": lambda raw, y: (np.exp(raw) - y * raw, np.exp(raw) - y),
    "huber": huber,
    "quantile": lambda raw, y: tuple(0.5 * part for part in absolute_error(raw, y)),  # q = 1/2
}


def forward(net, theta, X):
    """Return the matrices, what each layer reads with a column of ones, the slopes, and raw."""
    matrices = [theta[block.slice].reshape(block.shape) for block in net.blocks]
    inputs, slopes, z = [], [], X
    for layer, Theta in enumerate(matrices):
        if layer > 0:
            z, slope = ACTIVATIONS[net.activations[layer - 1].name](z)
            slopes.append(slope)
        inputs.append(np.column_stack([np.ones(len(z)), z]))
        z = inputs[-1] @ Theta.T
    return matrices, inputs, slopes, z


def weights_of(weights, m):
    return np.ones(m) if weights is None else weights


def strengths(net, alpha):
    """Return alpha for each entry of theta (n,), 0 for biases; alpha is one or one per layer."""
    per_layer = np.broadcast_to(alpha, len(net.blocks))
    found = [np.full(block.shape, one) for block, one in zip(net.blocks, per_layer, strict=True)]
    for matrix in found:
        matrix[:, 0] = 0.0
    return np.concatenate([matrix.ravel() for matrix in found])


def value_and_gradient(net, theta, X, y, alpha=0.0, weights=None):
    """Return J and its gradient for one theta (n,)."""
    matrices, inputs, slopes, raw = forward(net, theta, X)
    w, strength = weights_of(weights, len(X)), strengths(net, alpha)
    losses, delta = LOSSES[net.loss.name](raw, y)
    delta, gradients = w[:, None] * delta, []
    for layer in reversed(range(len(matrices))):
        gradients.append((delta.T @ inputs[layer]).ravel())
        if layer > 0:
            delta = (delta @ matrices[layer][:, 1:]) * slopes[layer - 1]
    J = (w @ losses.sum(1) + 0.5 * (strength * theta**2).sum()) / w.sum()
    return J, (np.concatenate(gradients[::-1]) + strength * theta) / w.sum()


def slopes_of(function, at):
    """Return the derivatives of an array by each entry of `at` (n,), that axis last."""
    steps = at + 1j * STEP * np.eye(len(at))
    return np.stack([function(one).imag / STEP for one in steps], axis=-1)


def hessian(net, theta, X, y, alpha=0.0, weights=None):
    """Return the Hessian (n, n) of J at one theta (n,)."""
    return slopes_of(lambda t: value_and_gradient(net, t, X, y, alpha, weights)[1], theta)


def gauss_newton(net, theta, X, y, alpha=0.0, weights=None):
    """Return the Gauss-Newton matrix (n, n): Jacobians of raw around Hessians of the loss."""
    w, raw = weights_of(weights, len(X)), forward(net, theta, X)[-1]
    jacobian = slopes_of(lambda t: forward(net, t, X)[-1], theta)
    # Examples do not see each other: a step in an output of all has the derivatives of each.
    zeros = np.zeros(raw.shape[1])
    C = slopes_of(lambda step: LOSSES[net.loss.name](raw + step, y)[1] + 0j, zeros)
    G = np.einsum("m,mkn,mkl,mlo->no", w, jacobian, C, jacobian, optimize=True)
    return (G + np.diag(strengths(net, alpha))) / w.sum()
