"""A learner's back-propagation in plain NumPy, whose every step can be done wrongly.

Layers are counted from 1, arrays are (units, examples). `changes` maps a step to a function
(learner, layer) that takes its place: "z", "a", "delta", "gradients" or "J", in the layer `at`, or
in every layer where `at` is None.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import symbreak as sb


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


ACTIVATIONS: dict[str, tuple[Any, Any]] = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "elu": (
        lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    ),
    "softplus": (lambda z: np.log1p(np.exp(z)), sigmoid),
    "silu": (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
}


def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


LINKS: dict[str, Any] = {
    "cross_entropy": softmax,
    "binary_cross_entropy": sigmoid,
    "squared_error": lambda z: z,
    "absolute_error": lambda z: z,
    "poisson": np.exp,
}


def loss_of(name, a, y):
    """Return the loss of every example, (m,)."""
    return {
        "cross_entropy": lambda: -np.log((a * y).sum(axis=0)),
        "binary_cross_entropy": lambda: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=0),
        "squared_error": lambda: 0.5 * ((a - y) ** 2).sum(axis=0),
        "absolute_error": lambda: np.abs(a - y).sum(axis=0),
        "poisson": lambda: (a - y * np.log(a)).sum(axis=0),
    }[name]()


class Learner:
    """Called as my_function(thetas, X, y, alpha)."""

    def __init__(self, net, changes=None, at=None):
        self.net, self.changes, self.at = net, changes or {}, at
        self.L = len(net.layers)

    def g(self, layer):
        return ACTIVATIONS[self.net.activations[layer - 2].name][0]

    def slope(self, layer):
        return ACTIVATIONS[self.net.activations[layer - 2].name][1]

    def with_one(self, layer):
        return np.vstack([np.ones((1, self.m)), self.a[layer]])

    def weights(self, layer):
        """Theta with zeros for the bias."""
        return np.hstack([np.zeros((len(self.Theta[layer]), 1)), self.Theta[layer][:, 1:]])

    def losses(self):
        return loss_of(self.net.loss.name, self.a[self.L], self.y)

    def penalty(self):
        total = sum((self.weights(layer) ** 2).sum() for layer in range(1, self.L))
        return self.alpha / (2 * self.m) * total

    def right(self, step, layer):
        """Do one step as it should be done."""
        if step == "z":
            return self.Theta[layer - 1] @ self.with_one(layer - 1)
        if step == "a":
            g = LINKS[self.net.loss.name] if layer == self.L else self.g(layer)
            return g(self.z[layer])
        if step == "J":
            return self.losses().mean() + self.penalty()
        if step == "delta" and layer == self.L:
            apart = self.a[layer] - self.y
            return np.sign(apart) if self.net.loss.name == "absolute_error" else apart
        if step == "delta":
            below = self.Theta[layer][:, 1:].T @ self.delta[layer + 1]
            return below * self.slope(layer)(self.z[layer])
        mean = self.delta[layer + 1] @ self.with_one(layer).T / self.m
        return mean + self.alpha / self.m * self.weights(layer)

    def do(self, step, layer):
        if step in self.changes and (self.at in (None, layer) or step == "J"):
            return self.changes[step](self, layer)
        return self.right(step, layer)

    def __call__(self, thetas, X, y, alpha):
        with np.errstate(all="ignore"):  # saturated units, logarithms of a wrong a
            return self.passed(thetas, X, y, alpha)

    def passed(self, thetas, X, y, alpha):
        self.Theta = dict(enumerate(thetas, start=1))
        self.m, self.alpha = len(X), alpha
        self.y = np.eye(self.net.layers[-1])[y].T if self.net.loss.name == "cross_entropy" else y.T
        self.a, self.z, self.delta, self.gradients = {1: X.T}, {}, {}, {}
        for layer in range(2, self.L + 1):
            self.z[layer] = self.do("z", layer)
            self.a[layer] = self.do("a", layer)
        J = self.do("J", self.L)
        for layer in range(self.L, 1, -1):
            self.delta[layer] = self.do("delta", layer)
        for layer in range(1, self.L):
            self.gradients[layer] = self.do("gradients", layer)
        return {
            "z": [self.z[layer] for layer in range(2, self.L + 1)],
            "a": [self.a[layer] for layer in range(2, self.L + 1)],
            "delta": [self.delta[layer] for layer in range(2, self.L + 1)],
            "gradients": [self.gradients[layer] for layer in range(1, self.L)],
            "J": J,
        }


def problem(layers, activation="tanh", loss="cross_entropy", m=7, seed=0, scale=1.0) -> Any:
    """Return a net, theta, X and y, all random."""
    random = np.random.default_rng(seed)
    net = sb.Network(layers, activation, loss)
    theta = random.normal(size=net.n_parameters) * scale
    X = random.normal(size=(m, layers[0]))
    if loss == "cross_entropy":
        y = random.integers(0, layers[-1], m)
    elif loss == "binary_cross_entropy":
        y = random.integers(0, 2, (m, layers[-1])).astype(float)
    else:
        y = np.abs(random.normal(size=(m, layers[-1])))
    return net, theta, X, y


def check(case, changes=None, at=None, alpha=0.7, only=None):
    """Check a learner who makes `changes`; `only` names what is returned."""
    net, theta, X, y = case
    learner = Learner(net, changes, at)

    def my_function(thetas, X, y, alpha):
        found = learner(thetas, X, y, alpha)
        return found if only is None else {kind: found[kind] for kind in only}

    return sb.check_backpropagation(my_function, net, theta, X, y, alpha)
