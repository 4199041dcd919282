"""The same cost by torch autograd, one network at a time, in the ordinary layout."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),
    "gelu": F.gelu,
    "silu": F.silu,
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


def targets(loss, rng, m, outputs):
    """Random targets that the loss accepts."""
    if loss == "cross_entropy":
        return rng.integers(0, outputs, m)
    if loss == "binary_cross_entropy":
        return rng.integers(0, 2, (m, outputs)).astype(float)
    return np.abs(rng.normal(size=(m, outputs)))


def value_and_gradient(net, theta, X, y, alpha=0.0, weights=None):
    """Return J and its gradient for one theta (n,); alpha is a number or one for each layer."""
    theta = torch.tensor(theta, requires_grad=True)
    a, y = torch.tensor(X), torch.tensor(y)
    thetas = net.thetas(theta)
    for layer, Theta in enumerate(thetas):
        z = a @ Theta[:, 1:].T + Theta[:, 0]
        is_last = layer == len(thetas) - 1
        a = z if is_last else ACTIVATIONS[net.activations[layer].name](z)
    w = torch.ones(len(X), dtype=torch.float64) if weights is None else torch.tensor(weights)
    per_layer = np.broadcast_to(alpha, len(thetas))
    penalty = sum(al * (T[:, 1:] ** 2).sum() for al, T in zip(per_layer, thetas, strict=True))
    J = ((w * LOSSES[net.loss.name](a, y)).sum() + 0.5 * penalty) / w.sum()
    J.backward()
    return J.item(), theta.grad.numpy()
