"""Writes the pickles beside this file, by name; run with version 0.1.1 of symbreak.

`tests/test_pickles.py` holds the version of today to what it says of them.
"""

import pickle
from pathlib import Path

import numpy as np
import torch

import symbreak as sb
from symbreak.training import train

X, y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
cost = sb.NetworkCost(sb.Network((1, 1), loss="squared_error"), X, y)
module = sb.ModuleCost(
    torch.nn.Linear(1, 1), torch.nn.MSELoss(), (torch.tensor(X).float(), torch.ones(2, 1))
)
theta = np.ones((1, 2))
things = {
    "outcome": sb.minimize(cost, theta, method="gradient-descent", max_iter=1),
    "outcome of epochs": sb.minimize(cost, theta, method="adam", max_iter=1),
    "outcome of tensors": sb.minimize(cost, torch.tensor(theta), method="scipy:BFGS", max_iter=1),
    "cost of a network": cost,
    "cost of a module": module,
    "training": train(cost.network, X, y, starts=1),
}
pickles = {name: pickle.dumps(thing, protocol=4) for name, thing in things.items()}
Path(__file__).with_suffix(".pickle").write_bytes(pickle.dumps(pickles, protocol=4))
