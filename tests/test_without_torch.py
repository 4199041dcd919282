"""What needs no PyTorch works where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# It is not found, as where it is not installed: other packages ask whether it is there.
BLOCKED = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec

def without_torch(name, *rest):
    return None if name.partition(".")[0] == "torch" else find(name, *rest)

PathFinder.find_spec = without_torch
"""

ROOMS = (
    "activations", "arrays", "backpropagation_check", "gradient_check", "initialization", "losses",
    "native", "network", "objectives", "optimize", "optimize.epochs", "optimize.loop", "pickles",
    "optimize.minimize", "parameters", "propagation.prediction", "propagation.trace",
    "symmetry", "symmetry.projection", "symmetry.repair", "units", "versions",
    "cli.app", "estimators", "model_file", "page", "reports.pictures", "reports.report",
    "tables.read", "training", "training.minima", "training.model",
)  # fmt: skip

PROGRAM = """
import numpy as np
import symbreak as sb
from symbreak.objectives import FunctionObjective

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

SEARCHES = """
import numpy as np
import symbreak as sb
from symbreak.optimize.methods import METHODS

rng = np.random.default_rng(0)
X, y = rng.normal(size=(50, 4)), rng.normal(size=50)
net = sb.Network((4, 3, 1), "tanh", "squared_error")
cost, test = (sb.NetworkCost(net, X[some], y[some], alpha=0.1) for some in (y < 1.0, y >= 1.0))
theta = sb.initialize(net, starts=3, seed=0)
for method in (*METHODS, "scipy:BFGS", "scipy:trust-exact"):
    outcome = sb.minimize(cost, theta, method=method, max_iter=5)
    assert isinstance(outcome.theta, np.ndarray)
    assert (outcome.value < outcome.history[0]).all(), method
    str(outcome), str(outcome.restarts)
outcome = sb.minimize(cost, theta, validation=test, racing=True, value_patience=5, max_iter=4)
assert isinstance(sb.minimize(cost, outcome, max_iter=8).theta, np.ndarray)
assert sb.minimize(lambda x: (x @ x, 2 * x), np.ones(3)).converged.all()
"""

REFUSED = """
import symbreak as sb
try:
    sb.initialize(sb.Network((4, 5, 3)), device="cuda")
except sb.MissingOptionalPackage as error:
    print(error)
"""

TRAININGS = """
import numpy as np
import symbreak as sb
from symbreak.training import train
from symbreak.training.minima import distinct_minima

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
net = sb.Network((3, 4, 2), "tanh", "cross_entropy")
for combine in ("average", "best"):
    found = train(net, X, y, starts=3, alpha=1.0, combine=combine, validation=(X, y))
    for one in (found.theta, found.theta0, found.outcome.theta, found.predict(X)):
        assert isinstance(one, np.ndarray), type(one)
    assert np.mean(found.predict(X).argmax(axis=1) == y) > 0.9
    sb.report(found)
    distinct_minima(net, found.outcome, X)
"""

ESTIMATORS = """
import os, sys, warnings
import numpy as np
import symbreak as sb
from sklearn.exceptions import ConvergenceWarning

warnings.simplefilter("ignore", ConvergenceWarning)
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
for solver in ("lbfgs", "adam", "sgd"):
    net = sb.MLPClassifier(
        4, solver=solver, random_state=0, n_starts=2, combine="all", early_stopping=True
    )
    net.fit(X, y)
    made = [net.predict(X), net.predict_proba(X), net.predict_starts(X), net.transform(X)]
    assert all(isinstance(one, np.ndarray) for one in [*made, net.thetas_, net.outcome_.theta])
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1.0)
    sb.report(net)
net.set_params(early_stopping=False).partial_fit(X, y)
assert net.check_gradient_(X, y).verdict == "pass"
assert net.symmetry_.effective_widths.tolist() == [[4]]
file = os.path.join(sys.argv[1], "net")
net.save(file)
np.testing.assert_array_equal(sb.MLPClassifier.load(file).predict(X), net.predict(X))
line = sb.MLPRegressor(3, solver="lbfgs", standardize=True, random_state=0).fit(X, X @ [1, 2, 3])
assert line.score(X, X @ [1, 2, 3]) > 0.9
search = sb.StackedSearchCV(sb.MLPClassifier(3, solver="lbfgs"), {"alpha": [0.1, 1.0]}, cv=2)
assert search.fit(X, y).best_score_ > 0.8
"""

COMMAND = """
import sys
from symbreak.cli import main

sys.exit(main(sys.argv[1:]))
"""


def run(program, *words, code=0, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *map(str, words)], capture_output=True,
        text=True, timeout=120, env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize("core", ["0", "1"])
def test_networks_compute_and_numpy_comes_out(core):
    run(BLOCKED + PROGRAM, SYMBREAK_NATIVE=core, SYMBREAK_REQUIRE_NATIVE="0")


@pytest.mark.parametrize("core", ["0", "1"])
def test_gradients_and_symmetries_are_checked(core):
    run(BLOCKED + CHECKS, SYMBREAK_NATIVE=core, SYMBREAK_REQUIRE_NATIVE="0")


def test_searches_go_their_way():
    run(BLOCKED + SEARCHES)


def test_what_needs_it_says_what_to_install():
    assert "float64 on the device cuda needs the package torch" in run(BLOCKED + REFUSED)


@pytest.mark.parametrize("program", [TRAININGS, ESTIMATORS], ids=["trainings", "estimators"])
def test_networks_are_trained(program, tmp_path):
    run(BLOCKED + program, tmp_path)


def command(*words, code=0):
    return run(BLOCKED + COMMAND, *words, code=code)


def test_the_commands_work(tmp_path):
    model, table = tmp_path / "model", tmp_path / "table.csv"
    rows = ["size,kind", *(f"{k / 40},{'big' if k > 20 else 'small'}" for k in range(40))]
    table.write_text("\n".join(rows), encoding="utf-8")
    data = (table, "--target", "kind")
    few = ("--starts", 2, "--hidden", 3)
    assert "Hold-out" in command("train", "--quick", *data, *few, "--model", model)
    command("predict", model, table, "-o", tmp_path / "predictions.csv")
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 41
    assert "Gradient check: pass" in command("check-gradient", model, table)
    assert "Gradient check: pass" in command("check-gradient", *data, "--device", "cpu")
    assert "Diagnosis: sound" in command("diagnose", model, table)
    assert "report.html" in command("report", model, table, "-o", tmp_path / "report.html")


@pytest.mark.parametrize(("words", "what"), [
    (("train", "--quick", "--dataset", "iris", "--device", "cuda"), "The device cuda"),
    (("diagnose", "weights.pt"), "What works on modules and weights of PyTorch"),
], ids=["device", "weights"])  # fmt: skip
def test_a_command_that_needs_it_says_what_to_install(words, what):
    said = command(*words, code=2)
    assert said.startswith(f"Error: {what} needs")
    assert said.endswith(
        'needs the package torch, which is not installed. Run: pip install "symbreak[torch]"\n'
    )


def test_elementwise_updates_on_a_table_need_it(tmp_path):
    model, iris = tmp_path / "model", ("--dataset", "iris")
    command("train", "--quick", *iris, "--starts", 2, "--max-iter", 2, "--model", model)
    assert "Diagnosis" in command("diagnose", model, "--update", "elementwise")
    said = command("diagnose", model, *iris, "--update", "elementwise", code=2)
    assert said.startswith("Error: --update elementwise on a table needs the package torch")


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


def test_a_search_imports_what_it_uses():
    program = (
        "import sys, symbreak as sb\n"
        "for method in ('l-bfgs', 'bfgs', 'adam', 'levenberg-marquardt', 'scipy:BFGS'):\n"
        "    cost = sb.NetworkCost(sb.Network((1, 1), loss='squared_error'), [[0], [1]], [0, 1])\n"
        "    sb.minimize(cost, [1.0, 2.0], method=method)\n"
        "    print('scipy.optimize' in sys.modules)"
    )
    assert run(program).split() == ["False"] * 4 + ["True"]
