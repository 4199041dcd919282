"""One start is luck: 32 starts of a small network, and three ways to use them all.

Run it with `python examples/many_starts.py`; it takes a few seconds.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symbreak as sb

STARTS = 32

# Three parts: one to train, one to choose a start by, one that does nothing but judge.
X, y = load_digits(return_X_y=True)
X = X / 16.0
X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
X, X_valid, y, y_valid = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)

# Eight hidden units for ten digits: a tight fit, so that it matters where the search begins.
net = sb.Network((64, 8, 10), activation="tanh", loss="cross_entropy")
theta = sb.initialize(net, "glorot_uniform", starts=STARTS, seed=0)  # one start in each row
outcome = sb.minimize(sb.NetworkCost(net, X, y, alpha=0.1), theta, max_iter=300)
print(f"{net}, {STARTS} starts in {outcome.seconds:.1f} s.")


def accuracy(probability, truth):
    """The share of right answers; probability may be that of one network or of a stack."""
    return (probability.argmax(-1) == truth).mean(-1)


def log_loss(probability, truth):
    """The mean of -log p of the right answers: it punishes being wrong and sure of it."""
    return -np.log(probability[..., np.arange(len(truth)), truth]).mean(-1)


test = net.predict(outcome.theta, X_test)  # (starts, images, digits)
valid = net.predict(outcome.theta, X_valid)

print("\nHow lucky is a single start? The 32 of them on the test part:")
right, loss = accuracy(test, y_test), log_loss(test, y_test)  # one number for each start
print(f"{'':>18}{'worst':>8}{'median':>9}{'best':>8}")
print(f"{'right':>18}{right.min():>8.1%}{np.median(right):>9.1%}{right.max():>8.1%}")
print(f"{'log-loss':>18}{loss.max():>8.3f}{np.median(loss):>9.3f}{loss.min():>8.3f}")

# To pick the luckiest start by the test part would be cheating: J or the validation part chooses.
best = log_loss(valid, y_valid).argmin()
ways = {
    "lowest cost J": test[outcome.best],
    "best on validation": test[best],
    "average of all": test.mean(axis=0),
}
print("\nWhat may be used, on the same test part:")
print(f"{'':>18}{'right':>8}{'log-loss':>11}")
for name, probability in ways.items():
    print(f"{name:>18}{accuracy(probability, y_test):>8.1%}{log_loss(probability, y_test):>11.3f}")
