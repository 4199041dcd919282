"""What needs no PyTorch works where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BLOCKED = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("torch is blocked")

sys.meta_path.insert(0, NoTorch())
"""

ROOMS = (
    "activations", "arrays", "backpropagation_check", "gradient_check", "initialization", "losses",
    "native", "network", "objectives", "parameters", "propagation.prediction", "propagation.trace",
    "symmetry", "symmetry.projection", "symmetry.repair", "units", "versions",
)  # fmt: skip

PROGRAM = """
import numpy as np
import symbreak as sb
from symbreak.objectives import FunctionObjective, JoinedCost

rng = np.random.default_rng(0)
X, y = rng.normal(size=(50, 4)), rng.integers(0, 3, 50)
for activation in ("sigmoid", "gelu"):
    net = sb.Network((4, 5, 3), activation, "cross_entropy")
    theta = sb.initialize(net, starts=3, seed=0)
    cost = sb.NetworkCost(net, X, y, alpha=[0.1, 0.2, 0.3], sample_weight=np.ones((3, 50)))
    J, gradient = cost(theta)
    made = [theta, J, gradient, cost.value(theta), cost.alpha, cost.is_weight]
    made += [net.predict(theta, X), net.hidden(theta[0], X, 1), *net.thetas(theta)]
    made += [cost.hessian_product(theta, theta), *cost.gauss_newton(theta)]
    made += [cost.take([2])(theta[2])[1], cost.batch(y > 0)(theta)[1], cost.to("float32")(theta)[1]]
    made += list(cost.minibatch_gradients(theta, np.arange(50), 16))
    made += [*sb.backpropagate(net, theta, X, y).gradients, *cost.terms()["penalty"](theta)]
    made += [JoinedCost([cost, cost], [3, 3]).value(np.concatenate([theta, theta]))]
    made += FunctionObjective(lambda t: ((t * t).sum(1), 2 * t), theta)(theta)
    assert all(isinstance(one, np.ndarray) for one in made), [type(one) for one in made]
    assert cost.dtype == np.float64
    step = 1e-6 * rng.normal(size=theta.shape)
    rise = (cost.value(theta + step) - cost.value(theta - step)) / 2
    np.testing.assert_allclose((gradient * step).sum(1), rise, rtol=1e-6)
    cost.warn_of_symmetry(theta)
"""

CHECKS = """
import numpy as np
import symbreak as sb
from symbreak.symmetry.projection import SymmetricCost, one_unit_per_layer, spread
from symbreak.symmetry.repair import repair_theta

rng = np.random.default_rng(0)
X, y = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
net = sb.Network((4, 5, 3), "tanh", "cross_entropy")
cost, theta = sb.NetworkCost(net, X, y, alpha=0.1), sb.initialize(net, starts=2, seed=0)

for objective, start in (
    (cost, theta), (cost.to("float32"), theta), (lambda t: ((t**2).sum(), 2 * t), theta[0]),
):
    for method in ("directions", "coordinates"):
        report = sb.check_gradient(objective, start, method=method, thorough=True)
        assert report.verdict == "pass", report

def mine(thetas, X, y):
    trace = sb.backpropagate(net, net.unroll(thetas), X, y)
    stages = {"z": trace.z, "a": trace.a, "delta": trace.delta, "gradients": trace.gradients}
    return {"J": float(trace.value)} | {name: list(parts) for name, parts in stages.items()}

assert sb.check_backpropagation(mine, net, theta[0], X, y).verdict == "pass"

twins = theta.copy()
first, second = net.thetas(twins)
first[:, 1], second[:, :, 2] = first[:, 0], second[:, :, 1]
found = sb.symmetries(net, twins)
assert found.effective_widths.tolist() == [[4], [4]]
assert found.distance(found.project(twins)).tolist() == [0.0, 0.0]
assert found.escape(cost, max_updates=20).updates.tolist() == [-1, -1]
mended = repair_theta(net, twins, found)
assert isinstance(mended.theta, np.ndarray) and not mended.after.groups
labels = one_unit_per_layer(net)
gradient = SymmetricCost(cost, labels)(theta)[1]
assert isinstance(gradient, np.ndarray) and spread(net, gradient, labels).tolist() == [0.0, 0.0]
"""

REFUSED = """
import symbreak as sb
try:
    sb.initialize(sb.Network((4, 5, 3)), device="cuda")
except sb.MissingOptionalPackage as error:
    print(error)
"""


def run(program, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("core", ["0", "1"])
def test_networks_compute_and_numpy_comes_out(core):
    run(BLOCKED + PROGRAM, SYMBREAK_NATIVE=core, SYMBREAK_REQUIRE_NATIVE="0")


@pytest.mark.parametrize("core", ["0", "1"])
def test_gradients_and_symmetries_are_checked(core):
    run(BLOCKED + CHECKS, SYMBREAK_NATIVE=core, SYMBREAK_REQUIRE_NATIVE="0")


def test_what_needs_it_says_what_to_install():
    assert "float64 on the device cuda needs the package torch" in run(BLOCKED + REFUSED)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_does_not_import_it(room):
    said = run(f"import sys, symbreak.{room}; print('torch' in sys.modules)")
    assert said.strip() == "False"


def test_nor_does_a_cost_on_numpy_arrays():
    program = (
        "import numpy as np, symbreak as sb\n"
        "cost = sb.NetworkCost(sb.Network((2, 3, 1)), np.eye(2), [0, 1], sample_weight=[1, 2])\n"
        "cost(np.zeros(13)), cost.batch([0]).hessian_product(np.zeros(13), np.ones(13))\n"
        "sb.show_versions(as_dict=True)\n"
        "import sys; print('torch' in sys.modules)"
    )
    assert run(program).strip() == "False"
