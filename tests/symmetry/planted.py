"""Networks with a designed symmetry: known classes, signs and zero units, in a random order.

Every hidden layer is made of classes: a class of p units with signs s_i. The block between a class
of p and one of q units below is s_i s_j V_ij, where V is

    copies    the same number everywhere
    permuted  where p = q, each row the row before, shifted by one; else as copies
    sums      the same number plus noise whose rows and columns sum to 0
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from symbreak.activations import ACTIVATIONS
from symbreak.network import Network

STYLES = ("copies", "permuted", "sums")
RESTS = {name for name in ACTIVATIONS if name not in ("sigmoid", "softplus")}
ODD = {"tanh", "identity"}


@dataclass
class Layer:
    """The units of a layer: labels (units,), -1 for zero units, and signs (units,)."""

    labels: np.ndarray
    signs: np.ndarray
    activation: str = ""


@dataclass
class Planted:
    network: Network
    theta: np.ndarray
    layers: list[Layer]
    style: str


def planted(seed: int) -> Planted:
    random = np.random.default_rng(seed)
    n_hidden = int(random.integers(1, 4))
    names = [str(random.choice(["tanh", "sigmoid", "relu", "identity", "gelu", "elu"]))
             for _ in range(n_hidden)]  # fmt: skip
    style = str(random.choice(STYLES))
    loss = str(random.choice(["squared_error", "cross_entropy", "binary_cross_entropy"]))
    features, outputs = int(random.integers(2, 5)), int(random.integers(2, 4))
    hidden = [_hidden_layer(random, name) for name in names]
    layers = [_alone(features), *hidden, _alone(outputs)]
    thetas = []
    for below, above in pairwise(layers):
        thetas.append(_theta(random, above, below, style))
    if loss == "cross_entropy" and style == "sums":
        thetas[-1][:, 1:] += _numbers(random, thetas[-1].shape[1] - 1)  # soft-max is blind to it
    network = Network([len(layer.labels) for layer in layers], names, loss)
    return Planted(network, 0.5 * np.concatenate([t.ravel() for t in thetas]), layers, style)


def _alone(units):
    return Layer(np.arange(units), np.ones(units, dtype=int))


def _hidden_layer(random, name):
    sizes = random.choice([1, 1, 2, 2, 3], size=random.integers(1, 4))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    signs = np.ones(len(labels), dtype=int)
    if name in ODD:
        signs = random.choice([-1, 1], size=len(labels))
    if name in RESTS:
        n_zero = int(random.integers(0, 3))
        labels = np.append(labels, np.full(n_zero, -1))
        signs = np.append(signs, np.zeros(n_zero, dtype=int))
    order = random.permutation(len(labels))
    return Layer(labels[order], signs[order], name)


def _theta(random, above, below, style):
    Theta = random.normal(size=(len(above.labels), 1 + len(below.labels)))
    for label in np.unique(above.labels):
        rows = np.flatnonzero(above.labels == label)
        Theta[rows, 0] = above.signs[rows] * random.normal()
        for other in np.unique(below.labels):
            columns = np.flatnonzero(below.labels == other)
            block = _block(random, (label, other), (len(rows), len(columns)), style, above, below)
            signs = (above.signs[rows, None] if label >= 0 else 1) * (
                below.signs[columns] if other >= 0 else 1
            )
            Theta[np.ix_(rows, 1 + columns)] = signs * block
    return Theta


def _block(random, classes, shape, style, above, below):
    rows, columns = shape
    noise = _numbers(random, shape)
    if classes[0] == -1 and above.activation == "relu":
        return np.zeros(shape)  # what only cancels leaves rounding, and at the kink that wakes it
    if classes == (-1, -1) or (classes[1] == -1 and below.activation == "relu"):
        return noise  # nobody sees these weights
    if classes[0] == -1:
        if style == "copies":
            return np.zeros(shape)
        return _closed(noise.T).T if style == "sums" else _pairs(noise)
    if classes[1] == -1:
        if style == "copies":
            return np.zeros(shape)
        return _closed(noise) if style == "sums" else _pairs(noise.T).T
    constant = np.full(shape, _numbers(random, ()))
    if style == "permuted" and rows == columns:
        return np.stack([np.roll(noise[0], shift) for shift in range(rows)])
    if style == "sums" and min(shape) > 1:
        return constant + _closed(_closed(noise).T).T
    return constant


def _numbers(random, shape):
    """Random numbers of which sums and differences are exact."""
    return np.round(random.normal(size=shape) * 2**30) / 2**30


def _closed(noise):
    """Columns whose last entry makes their sum 0."""
    return np.concatenate([noise[:-1], -noise[:-1].sum(axis=0, keepdims=True)])


def _pairs(noise):
    """Rows in which entries cancel in pairs: v, -v, and 0 where one is left."""
    result = np.zeros_like(noise)
    for place in range(0, noise.shape[1] - 1, 2):
        result[:, place], result[:, place + 1] = noise[:, place], -noise[:, place]
    return result


def relation(labels, signs):
    """(units, units): 1 one unit, -1 mirrors, 0 neither; the diagonal is 0 for zero units."""
    same = labels[:, None] == labels
    return same * np.sign(signs)[:, None] * np.sign(signs)
