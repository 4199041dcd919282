"""The problem of symmetric weights: from equal starts a hidden layer stays one unit wide.

Run it with `python examples/problem_of_symmetric_weights.py`; it takes a few seconds.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits

import symbreak as sb

X, digit = load_digits(return_X_y=True)
X = X / 16.0
net = sb.Network((64, 10, 10), activation="sigmoid", loss="cross_entropy")
cost = sb.NetworkCost(net, X, digit)

STARTS = {
    "zeros": "zeros",
    "all 0.12": sb.rules.Constant(value=0.12),
    "random": sb.rules.Uniform(epsilon=0.12),
}


def units_of(theta):
    """The weights that lead into and out of each hidden unit: one unit in a row."""
    Theta1, Theta2 = net.thetas(theta)
    return np.hstack([Theta1, Theta2[:, 1:].T])


def distinct(units):
    """How many different units there are; what differs by less than a millionth is rounding."""
    apart = abs(units[:, None] - units).max(axis=-1) > 1e-6
    return sum(apart[unit, :unit].all() for unit in range(len(units)))


print(f"{net};\n20 updates of L-BFGS from three starts.\n")
print(f"{'start':>10}{'J before':>10}{'J after':>9}{'right':>8}{'different hidden units':>25}")
ends, said = {}, {}
for name, rule in STARTS.items():
    # symbreak warns of a start that cannot work. Here its words are kept, to be shown below.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        theta = sb.initialize(net, rule, seed=0)
        outcome = sb.minimize(cost, theta, max_iter=20)
    said[name] = [str(warning.message) for warning in caught]
    ends[name] = units_of(outcome.theta)
    before, after = outcome.history[0, 0], outcome.value[0]
    right = (net.predict(outcome.theta, X).argmax(1) == digit).mean()
    count = f"{distinct(units_of(theta))} before, {distinct(ends[name])} after"
    print(f"{name:>10}{before:>10.3f}{after:>9.3f}{right:>8.1%}{count:>25}")

print("\nJ falls in every row, so J alone does not tell. Three weights into hidden units 1 and 2:")
for name, units in ends.items():
    print(f"{name:>10}", *np.round(units[:2, 21:24], 3))

print("\nWhat symbreak said of the start with zeros:")
for text in said["zeros"]:
    print(f"- {text}")
