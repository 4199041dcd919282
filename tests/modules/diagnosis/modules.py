"""Modules built with PyTorch's defaults, each with a loss and a batch: sound starts."""

from __future__ import annotations

import torch
from torch import nn


class Residual(nn.Module):
    """A block of a ResNet: two convolutions with norms, and the way around them."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.last_norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return x + self.last_norm(self.second(self.relu(self.norm(self.first(x)))))


class LastStep(nn.Module):
    """The recurrent layer's last step, or the mean over positions, and a head."""

    def __init__(self, body, width, outputs):
        super().__init__()
        self.body = body
        self.head = nn.Linear(width, outputs)

    def forward(self, x):
        out = self.body(x)
        return self.head(out[0][:, -1] if isinstance(out, tuple) else out.mean(1))


def mlp():
    return nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 5)
    ), torch.randn(64, 20)


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, groups=4),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, groups=32, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 8, 4, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    ), torch.randn(16, 3, 16, 16)


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3),
        Residual(16),
        Residual(16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 5),
    ), torch.randn(16, 3, 12, 12)


def encoder():
    layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
    body = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    return LastStep(body, 32, 5), torch.randn(16, 10, 32)


def gru():
    return LastStep(nn.GRU(6, 32, num_layers=2, batch_first=True), 32, 5), torch.randn(32, 12, 6)


BUILDERS = {build.__name__: build for build in (mlp, cnn, resnet, encoder, gru)}


def built(name, seed=0):
    """Return module, X and classes y."""
    torch.manual_seed(seed)
    module, X = BUILDERS[name]()
    return module, X, torch.randint(0, 5, (len(X),))
