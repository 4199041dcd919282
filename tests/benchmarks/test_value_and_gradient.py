"""A benchmark of different work would be dishonest: all contestants compute the same."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.needs_torch

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
# Scripts, not a package: they find each other by the folder that they are started from.
common: Any = importlib.import_module("common")
contestants: Any = importlib.import_module("contestants")
eigen_products: Any = importlib.import_module("eigen_products")
value_and_gradient: Any = importlib.import_module("value_and_gradient")

SAME = [name for name in contestants.CONTESTANTS if not name.startswith("bare")]
LAYERS = [(4, 5, 3), (4, 5, 2), (4, 6, 5, 3)]


def _tolerance(dtype: str) -> float:
    return {"float32": 2e-6, "float64": 1e-13}[dtype]


def _check(name: str, layers: tuple[int, ...], dtype: str) -> None:
    problem = contestants.make_problem(17, layers, 3, dtype)
    one = contestants.CONTESTANTS[name](problem)
    J, gradient = (np.asarray(part) for part in one.read(one.call()))
    exact = contestants.make_problem(17, layers, 3, dtype)
    leaf = exact.theta.double().requires_grad_()
    expected = _plain_cost(exact, leaf)
    expected_gradient = torch.autograd.grad(expected.sum(), leaf)[0].numpy()[: one.networks]
    assert J.shape == (one.networks,)
    assert gradient.dtype == np.dtype(dtype)
    np.testing.assert_allclose(J, expected.detach()[: one.networks], rtol=_tolerance(dtype))
    for block in problem.network.blocks:
        error = np.linalg.norm(gradient[:, block.slice] - expected_gradient[:, block.slice])
        assert error <= _tolerance(dtype) * np.linalg.norm(expected_gradient[:, block.slice])


def _plain_cost(problem: Any, theta: torch.Tensor) -> torch.Tensor:
    """J of every start, one network after the other, from the definition."""
    values = []
    for start in theta:
        a = problem.X.double()
        matrices = problem.network.thetas(start)
        for matrix in matrices[:-1]:
            a = 1 / (1 + torch.exp(-(a @ matrix[:, 1:].T + matrix[:, 0])))
        p = torch.softmax(a @ matrices[-1][:, 1:].T + matrices[-1][:, 0], dim=1)
        values.append(-torch.log(p[torch.arange(len(p)), problem.y]).mean())
    return torch.stack(values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("name", [name for name in SAME if not name.startswith("jax")])
def test_contestants_compute_the_same_cost_and_gradient(
    name: str, layers: tuple[int, ...], dtype: str
) -> None:
    _check(name, layers, dtype)


@pytest.mark.parametrize("name", ["jax_vmap", "jax_jit"])
def test_jax_computes_the_same_cost_and_gradient(name: str) -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        _check(name, (4, 6, 5, 3), "float64")
    with jax.enable_x64(False):
        _check(name, (4, 5, 2), "float32")


@pytest.mark.parametrize("blocks", [(3, 17), (2, 5), (1, 17), (3, 1)])
def test_bare_products_are_the_products_of_a_net(blocks: tuple[int, int]) -> None:
    problem = contestants.make_problem(17, (4, 6, 5, 3), 3, "float64")
    _check_products(problem, contestants._bare(problem, *blocks))


@pytest.mark.parametrize("name", ["bare_numpy", "bare_eigen"])
def test_so_are_those_of_numpy_and_eigen(name: str) -> None:
    if name == "bare_eigen" and not eigen_products.has_eigen():
        pytest.skip("cmeel-eigen is not installed")
    problem = contestants.make_problem(517, (4, 6, 5, 3), 3, "float64")
    _check_products(problem, contestants.CONTESTANTS[name](problem))


def _check_products(problem: Any, one: Any) -> None:
    """Without activations and later biases they are the gradient of ½ Σ raw²."""
    _, sums = one.read(one.call())
    matrices = [t.clone().requires_grad_() for t in problem.network.thetas(problem.theta)]
    z = matrices[0] @ problem.rows.T
    for matrix in matrices[1:]:
        z = matrix[:, :, 1:] @ z
    expected = torch.autograd.grad(0.5 * (z**2).sum(), matrices)
    np.testing.assert_allclose(sums[0], expected[0], rtol=1e-12)
    for total, gradient in zip(sums[1:], expected[1:], strict=True):
        np.testing.assert_allclose(total, gradient[:, :, 1:], rtol=1e-12)


def test_a_case_is_measured_and_rendered() -> None:
    problem = contestants.make_problem(17, (4, 5, 3), 1, "float64")
    names = [name for name in contestants.CONTESTANTS if not name.startswith(("jax", "bare_e"))]
    case = value_and_gradient.measure_case(problem, names, {}, budget=0.0, threads=1)
    assert set(case["ratios"]) == {"ours / bare", "autograd / ours", "one net / ours"}
    assert min(case["rounds"].values()) >= common.MIN_ROUNDS
    case |= {"shape": "17x4-5-3", "starts": 1, "dtype": "float64", "threads": 1}
    memory = [{"shape": "a", "starts": 1, "dtype": "b", "peak_bytes": 1, "peak_bytes_before": 1}]
    machine = common.machine(value_and_gradient.PACKAGES)
    result = {"machine": machine, "quick": True, "cases": [case], "memory": memory}
    text = value_and_gradient.render(json.loads(json.dumps(result)))
    widths = {line.count("|") for line in text.split("### Memory")[0].splitlines() if "|" in line}
    assert len(widths) == 1
    assert f"torch {torch.__version__.split('+')[0]}" in text


def test_what_would_take_too_long_or_too_much_memory_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = contestants.make_problem(17, (4, 5, 3), 2, "float64")
    slow = value_and_gradient.measure_case(
        problem, ["ours", "autograd"], {"ours": 1e3, "autograd": value_and_gradient.LIMIT}, 0.0, 1
    )
    assert slow["left_out"] == {"autograd": "time"}
    assert value_and_gradient._cell(slow, "autograd") == "(time)"
    assert "ours" in slow["ms_per_network"]  # ours is shown however slow it is
    monkeypatch.setattr(value_and_gradient, "free_bytes", lambda: 1000)
    large = value_and_gradient.measure_case(problem, ["ours", "autograd"], {}, 0.0, 1)
    assert large["left_out"] == {"autograd": "memory"}
