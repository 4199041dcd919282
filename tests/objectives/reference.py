"""The same cost by torch autograd, one network at a time, in the ordinary layout."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

# Tests that do without it import this too, in files with tests that need it.
with suppress(ImportError):
    import torch
    import torch.nn.functional as F

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: torch.sigmoid(z),
    "tanh": lambda z: torch.tanh(z),
    "relu": lambda z: torch.relu(z),
    "leaky_relu": lambda z: F.leaky_relu(z),
    "elu": lambda z: F.elu(z),
    "selu": lambda z: F.selu(z),
    "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
    "gelu": lambda z: F.gelu(z),
    "silu": lambda z: F.silu(z),
}

LOSSES = {
    "cross_entropy": lambda raw, y: F.cross_entropy(raw, y, reduction="none"),
    "binary_cross_entropy": lambda raw, y: F.binary_cross_entropy_with_logits(
        raw, y, reduction="none"
    ).sum(1),
    "squared_error": lambda raw, y: 0.5 * ((raw - y) ** 2).sum(1),
    "absolute_error": lambda raw, y: (raw - y).abs().sum(1),
    "poisson": lambda raw, y: (raw.exp() - y * raw).sum(1),
    "huber": lambda raw, y: F.huber_loss(raw, y, reduction="none").sum(1),
    "quantile": lambda raw, y: 0.5 * (raw - y).abs().sum(1),  # q = 1/2
}


def raw_of(net, theta, X):
    """Return raw (m, outputs) of one theta (n,), a tensor that autograd follows."""
    a, thetas = torch.tensor(X), net.thetas(theta)
    for layer, Theta in enumerate(thetas):
        z = a @ Theta[:, 1:].T + Theta[:, 0]
        a = z if layer == len(thetas) - 1 else ACTIVATIONS[net.activations[layer].name](z)
    return a


def weights_of(weights, m):
    """Return the weights (m,) as a tensor, ones for None."""
    return torch.ones(m, dtype=torch.float64) if weights is None else torch.tensor(weights)


def penalty_of(net, theta, alpha):
    """Return ½ Σ alpha θ² over the weights; alpha is a number or one for each layer."""
    thetas = net.thetas(theta)
    per_layer = np.broadcast_to(alpha, len(thetas))
    return 0.5 * sum(al * (T[:, 1:] ** 2).sum() for al, T in zip(per_layer, thetas, strict=True))


def J_of(net, theta, X, y, alpha=0.0, weights=None):
    """Return J of one theta (n,), a tensor that autograd follows."""
    w = weights_of(weights, len(X))
    losses = LOSSES[net.loss.name](raw_of(net, theta, X), torch.tensor(y))
    return ((w * losses).sum() + penalty_of(net, theta, alpha)) / w.sum()


def value_and_gradient(net, theta, X, y, alpha=0.0, weights=None):
    """Return J and its gradient for one theta (n,)."""
    theta = torch.tensor(theta, requires_grad=True)
    J = J_of(net, theta, X, y, alpha, weights)
    J.backward()
    return J.item(), theta.grad.numpy()


def hessian(net, theta, X, y, alpha=0.0, weights=None):
    """Return the Hessian (n, n) of J at one theta (n,), by differentiating twice."""
    theta = torch.tensor(theta)
    H = torch.autograd.functional.hessian(lambda t: J_of(net, t, X, y, alpha, weights), theta)
    return H.numpy()


def gauss_newton(net, theta, X, y, alpha=0.0, weights=None):
    """Return the Gauss-Newton matrix (n, n): Jacobians of raw around Hessians of the loss."""
    theta, w = torch.tensor(theta), weights_of(weights, len(X))
    jacobian = torch.autograd.functional.jacobian(lambda t: raw_of(net, t, X), theta)
    raw, y = raw_of(net, theta, X).detach(), torch.tensor(y)

    def loss(one, i):
        return LOSSES[net.loss.name](one[None], y[i : i + 1])[0]

    C = [
        torch.autograd.functional.hessian(lambda r, i=i: loss(r, i), raw[i]) for i in range(len(X))
    ]
    G = torch.einsum("m,mkn,mkl,mlo->no", w, jacobian, torch.stack(C), jacobian)
    G = G + torch.autograd.functional.hessian(lambda t: penalty_of(net, t, alpha), theta)
    return (G / w.sum()).numpy()
