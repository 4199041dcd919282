"""Modules of all kinds with data, small and in float64."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb


class Last(nn.Module):
    """A recurrent layer and a linear one on its last output."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


class Words(nn.Module):
    """Embeddings through attention to classes."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 8, padding_idx=0)
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, words):
        return self.head(self.layer(self.table(words)).mean(1))


def mlp(layers, activation):
    """Fully connected layers in float64."""
    parts = []
    for units_in, units_out in pairwise(layers):
        parts += [nn.Linear(units_in, units_out), activation()]
    return nn.Sequential(*parts[:-1]).double()


def dict_step(module, batch):
    """Take the labels out of the dictionary, as much code does."""
    labels = batch.pop("labels")
    return F.cross_entropy(module(batch["x"].pop()), labels)


CASES = {
    "mlp": (lambda: mlp([4, 5, 3], nn.Tanh), (6, 4), 3),
    "conv": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 2)
        ),
        (6, 1, 8, 8),
        2,
    ),
    "gru": (lambda: Last(nn.GRU(3, 4, batch_first=True)), (6, 5, 3), 2),
    "lstm": (lambda: Last(nn.LSTM(3, 4, batch_first=True, bidirectional=False)), (6, 5, 3), 2),
    "layer norm": (lambda: nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5)), (6, 4), 5),
    "batch norm": (
        lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2)),
        (6, 4),
        2,
    ),
    "attention": (Words, None, 2),
    "attention, eval": (lambda: Words().eval(), None, 2),
}


def made(name):
    """Return (cost, module -> J, module) of a case; the same numbers each time."""
    make, shape, classes = CASES[name]
    generator = torch.Generator().manual_seed(len(name))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module = make().double()
    if shape is None:
        X = torch.randint(0, 7, (6, 5), generator=generator)
    else:
        X = torch.randn(shape, generator=generator, dtype=torch.float64)
    y = torch.randint(0, classes, (6,), generator=generator)
    cost = sb.ModuleCost(module, F.cross_entropy, (X, y))
    return cost, lambda given: F.cross_entropy(given(X), y), module


def targets_and_loss(loss, rng, m, outputs):
    """Return y and the loss of torch that is the loss of that name here."""
    if loss == "cross_entropy":
        return rng.integers(0, outputs, m), F.cross_entropy
    if loss == "binary_cross_entropy":
        y = rng.integers(0, 2, (m, outputs)).astype(float)
        return y, lambda raw, y: F.binary_cross_entropy_with_logits(raw, y) * outputs
    return rng.normal(size=(m, outputs)), lambda raw, y: F.mse_loss(raw, y) * outputs / 2


def as_module_theta(net, theta):
    """Return theta of a Network (starts, n) in the order of `mlp`: weights, then biases."""
    parts = []
    for Theta in net.thetas(theta):
        parts += [Theta[..., 1:].reshape(len(theta), -1), Theta[..., 0]]
    return np.concatenate(parts, axis=1)
