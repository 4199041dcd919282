"""How lucky must a start be to learn XOR? The same search from 100 starts, for four networks.

Run it with `python examples/xor_restarts.py`; it takes a few seconds and writes xor.html.
It needs `pip install "symbreak[report]"`.
"""

import numpy as np

import symbreak as sb

STARTS = 100

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([0, 1, 1, 0])

print(f"XOR from {STARTS} starts, L-BFGS, a penalty of 0.0001.\n")
print(f"{'hidden':>8}{'solved':>8}{'reached the best':>18}{'distinct J':>12}{'lowest J':>10}")
kept = {}
for hidden in (1, 2, 3, 5):
    net = sb.Network((2, hidden, 1), activation="tanh")
    cost = sb.NetworkCost(net, X, y, alpha=0.0001)
    theta = sb.initialize(net, "glorot_uniform", starts=STARTS, seed=0)
    outcome = kept[hidden] = sb.minimize(cost, theta, max_iter=2000)
    right = (net.predict(outcome.theta, X)[..., 0] > 0.5) == (y == 1)
    solved, found = right.all(axis=1).sum(), outcome.restarts
    print(f"{hidden:>8}{solved:>8}{found.n_lowest:>18}{len(found.minima):>12}{found.lowest:>10.4f}")

print("\nWhat the 100 starts of the network with two hidden units show together:\n")
print(kept[2].restarts)

# Starting all weights equal is no luck at all: the hidden units stay one unit.
net = sb.Network((2, 5, 1), activation="tanh")
twins = sb.initialize(net, sb.rules.Uniform(epsilon=0.5), starts=1, seed=0)
Theta1, Theta2 = net.thetas(twins)
Theta1[:], Theta2[:, :, 1:] = Theta1[:, :1].copy(), Theta2[:, :, 1:2].copy()
print(f"\nFive equal units: {sb.symmetries(net, twins, update='linear')}")

sb.report(kept[2], "xor.html")
print("\nThe same as a page: xor.html")
