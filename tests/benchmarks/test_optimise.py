"""That the contestants of `optimise.py` solve one problem to one rule, and what its tables say."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
# Scripts, not a package: they find each other by the folder that they are started from.
common: Any = importlib.import_module("common")
optimise: Any = importlib.import_module("optimise")
problems: Any = importlib.import_module("optimise_problems")
fits: Any = importlib.import_module("optimise_fits")
minibatches: Any = importlib.import_module("optimise_minibatches")
least_squares: Any = importlib.import_module("optimise_least_squares")

LOSSES = ("cross_entropy", "binary_cross_entropy")


def small_problem(loss: str) -> Any:
    """A penalty so strong that, from these starts, all reach one J, whatever the path."""
    random = np.random.default_rng(0)
    X = random.standard_normal((40, 3))
    y = (X[:, 0] + 0.5 * random.standard_normal(40) > 0).astype(int)
    y += (X[:, 1] > 0) if loss == "cross_entropy" else 0
    return problems.make_problem((X, y), 4, loss, 2, alpha=4.0, activation="tanh")


@pytest.fixture(scope="module", params=LOSSES)
def small(request: pytest.FixtureRequest) -> Any:
    return small_problem(request.param)


TORCH = pytest.param("torch", marks=pytest.mark.needs_torch)


@pytest.mark.parametrize("name", ["ours_float64", "ours_float32", "sklearn", TORCH])
def test_the_contestants_reach_one_J_and_meet_the_rule(small: Any, name: str) -> None:
    contestant = fits.CONTESTANTS[name](small)
    contestant()
    J, largest = small.judge(contestant.theta)
    reference = fits.CONTESTANTS["ours_float64"](small)
    reference()
    np.testing.assert_allclose(J, small.judge(reference.theta)[0], rtol=1e-5)
    assert J.shape == (2,)
    assert (largest <= fits.GRADIENT).all()
    assert fits.worth(small, contestant.theta)["met"] == 1.0


def test_a_start_that_has_not_moved_does_not_meet_the_rule(small: Any) -> None:
    assert fits.worth(small, small.theta)["met"] == 0.0


def test_pairs_and_theta_are_inverse(small: Any) -> None:
    pairs = problems.pairs_of(small.network, small.theta)
    np.testing.assert_array_equal(problems.theta_of(small.network, pairs), small.theta)


@pytest.mark.parametrize("name", ["ours", TORCH, "sklearn"])
def test_adam_on_one_whole_batch_takes_the_same_path(name: str) -> None:
    """With every example in the batch the order does not matter: the same theta within float32."""
    small = small_problem("cross_entropy")
    problem = problems.Problem(small.network, small.X, small.y, 0.0, small.theta[:1])
    contestants = {
        key: minibatches.CONTESTANTS[key](problem, len(problem.X), 5) for key in {"ours", name}
    }
    for contestant in contestants.values():
        contestant()
    np.testing.assert_allclose(
        contestants[name].theta, contestants["ours"].theta, rtol=1e-4, atol=1e-5
    )
    # Five steps of at most about the learning rate each.
    assert 1e-3 < np.abs(contestants[name].theta - problem.theta).max() < 6e-3


def test_both_reach_the_target_of_least_squares() -> None:
    random = np.random.default_rng(1)
    X = random.standard_normal((60, 2))
    y = np.sin(X[:, 0]) + X[:, 1]
    problem = problems.make_problem(
        (X, y), 3, "squared_error", 2, alpha=least_squares.ALPHA, activation="tanh"
    )
    J = least_squares.final_values(problem)
    targets = least_squares.MARGIN * np.maximum(J["ours"], J["sklearn"])
    for start, target in enumerate(targets):
        calls = least_squares.calls_from(problem, start, target)
        for call in calls.values():
            assert call()[0] <= target
    theta = least_squares.stacked_to_targets(problem, targets)
    assert (problem.judge(theta)[0] <= targets).all()


def made_up() -> dict[str, Any]:
    fit = {"part": "fits", "data": "iris", "net": "4-10-3", "threads": 1, "examples": 150}
    one = {"seconds": 0.5, "networks": 32, "compile_seconds": None, "met": 1.0, "J": 0.125}
    slow = {**one, "seconds": 1.25, "met": 0.75}
    adam = {"part": "minibatches", "data": "digits", "net": "64-30-10", "examples": 1797}
    loop = {"seconds_per_network": 0.2, "networks": 1, "compile_seconds": None, "J": 0.05}
    lm = {"part": "least_squares", "data": "diabetes", "net": "10-16-1", "examples": 442}
    lm |= {"threads": 2, "starts": 3, "ms": {"ours": [1.0, 2.0, 9.0], "sklearn": [4.0, 4.0, 4.0]}}
    lm |= {"ratios": [4.0, 2.0, 0.444], "stacked_ms_per_start": 2.0}
    return {
        "machine": common.machine(()),
        "quick": True,
        "cases": [
            {**fit, "ours_float64": one, "sklearn": slow, "torch": {**slow, "networks": 2}},
            {**lm, "stacked_ratio": 2.0, "stacked_reached": 3},
            {
                **adam,
                "threads": 1,
                "starts": 8,
                "batch": 32,
                "epochs": 20,
                "ours": {**loop, "networks": 8, "ours_over_this": 1.0},
                "torch": {**loop, "compile_seconds": 3.0, "ours_over_this": 0.25},
            },
        ],
    }


def test_the_tables_show_what_was_measured() -> None:
    text = optimise.render(made_up())
    assert text.startswith("Quick run. ")
    lines = text.splitlines()
    assert "| iris, 150x4-10-3 | 1 | ours, float64 | 0.500 | 1.00 | 100 | 0.12500 |  |" in lines
    assert "| iris, 150x4-10-3 | 1 | scikit-learn | 1.25 | 2.50 | 75 | 0.12500 |  |" in lines
    # Fewer fits than ours were made: scaled, and marked.
    assert "| iris, 150x4-10-3 | 1 | torch LBFGS | 1.25* | 2.50 | 75 | 0.12500* |  |" in lines
    setting = "| diabetes, 442x10-16-1 | 2 | 3 |"
    assert f"{setting} 2.00 | 4.00 | 2.00 | 0.444 | 4.00 | 2.00 | 2.00 | 3 of 3 |" in lines
    digits = "| digits, 1797x64-30-10 | 1 | 32 | 20 | 8 |"
    assert f"{digits} ours | 0.200 | 1.00 | 0.0500 |  |" in lines
    assert f"{digits} torch loop | 0.200* | 4.00 | 0.0500* | 3.00 |" in lines
    assert lines[-1] == optimise.NO_FASHION


def test_without_the_files_fashion_mnist_is_left_out() -> None:
    assert all(task["data"] != optimise.FASHION for task in optimise.tasks_of(False, None))
    assert optimise.tasks_of(False, "folder")[-1]["folder"] == "folder"
    threads = {task["threads"] for task in optimise.tasks_of(False, None)}
    assert threads == {1, common.all_threads()}
    parts = [task["part"] for task in optimise.tasks_of(True, "folder")]
    assert parts == ["fits", "least_squares", "minibatches"]


def test_the_page_shows_the_results_that_are_kept() -> None:
    kept = json.loads((common.RESULTS / "optimise.json").read_text("utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    shown = page.split("<!-- optimise:begin -->")[1].split("<!-- optimise:end -->")[0]
    assert shown.strip() == optimise.render(kept)
