"""The recipe of the lecture on handwritten digits: draw theta, check the gradient, minimise J.

Run it with `python examples/lecture_recipe.py`; it takes a few seconds.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import symbreak as sb

# 1797 images of 8 x 8 pixels. A fifth of them is held out until the very end.
X, digit = load_digits(return_X_y=True)
X = X / 16.0
X, X_test, digit, digit_test = train_test_split(X, digit, test_size=0.2, random_state=0)
y = np.eye(10)[digit]  # digit 3 becomes 0 0 0 1 0 0 0 0 0 0

# One hidden layer of 25 sigmoid units, ten sigmoid outputs, the logistic cost summed over them.
net = sb.Network((64, 25, 10), activation="sigmoid", loss="binary_cross_entropy")
cost = sb.NetworkCost(net, X, y, alpha=1.0)  # alpha is the lambda of the penalty
print(f"The network: {net}.")

# 1. Every weight is drawn from [-INIT_EPSILON, INIT_EPSILON]: no two hidden units are alike.
INIT_EPSILON = 0.12
theta = sb.initialize(net, sb.rules.Uniform(epsilon=INIT_EPSILON), seed=0)
Theta1, Theta2 = net.thetas(theta)  # two views of theta; column 0 holds the biases
print(f"\n1. Theta1 is {Theta1.shape}, Theta2 is {Theta2.shape}. Their corners:")
print(np.round(Theta1[:2, :4], 3))
print(np.round(Theta2[:2, :4], 3))

# 2. Back-propagation, layer by layer, for the first three images.
trace = sb.backpropagate(net, theta, X[:3], y[:3])
print("\n2. One pass over three images, a column for each:")
print("   activations of hidden units 1 and 2:", *np.round(trace.a[1][:2].tolist(), 3))
print("   error terms of hidden units 1 and 2:", *np.round(trace.delta[0][:2].tolist(), 4))

# 3. Is the gradient the slope of J? Compare all its entries with differences of J on some images.
report = sb.check_gradient(sb.NetworkCost(net, X[:50], y[:50], alpha=1.0), theta)
print(f"\n3. {report.line}")
report.raise_on_failure()

# 4. Minimise J from that start.
outcome = sb.minimize(cost, theta, method="l-bfgs", max_iter=200)
(first,), (last,), (steps,) = outcome.history[0], outcome.value, outcome.n_iterations
print(f"\n4. J fell from {first:.3f} to {last:.3f} in {steps} iterations.")

# The most probable digit is the answer.
guess = net.predict(outcome.theta, X_test).argmax(1)
print(f"\nRight on held-out images: {(guess == digit_test).mean():.1%} of {len(guess)}.")
