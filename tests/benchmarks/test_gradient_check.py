"""That the checkers of `gradient_check.py` get the same cases, and what its tables say."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbreak as sb

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
# Scripts, not a package: they find each other by the folder that they are started from.
common: Any = importlib.import_module("common")
benchmark: Any = importlib.import_module("gradient_check")
cases: Any = importlib.import_module("gradient_check_cases")

LAYERS = (3, 5, 4, 2)


def named(*checkers: str) -> list[Any]:
    """These checkers as cases."""
    return [
        pytest.param(name, marks=[pytest.mark.needs_torch] if "torch" in name else [])
        for name in checkers
    ]


def ask(checker: str, case: Any) -> Any:
    """Return what a checker says; skip where it is JAX, and not installed."""
    with contextlib.ExitStack() as stack:
        if checker == "jax":
            stack.enter_context(pytest.importorskip("jax").enable_x64(True))
        return cases.CHECKERS[checker](case)


def right(activation: str = "tanh", **options: Any) -> Any:
    return cases.make_case(LAYERS, activation, [0, 0], **options)


def in_layout(case: Any, tensors: Any) -> Any:
    """Return theta or a gradient (n,) of weights and biases."""
    pairs = zip(tensors[::2], tensors[1::2], strict=True)
    return case.network.unroll([np.column_stack([b, w]) for w, b in pairs])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_and_numpy_compute_our_J_and_gradient(torch, activation: str, dtype: str) -> None:
    case = right(activation, dtype=dtype, scale=8.0)
    J, gradient = (8.0 * np.asarray(part) for part in case.cost()(case.theta))
    close: dict[str, Any] = {"rtol": 1e-12 if dtype == "float64" else 1e-5}
    tensors = [torch.from_numpy(t).requires_grad_() for t in case.tensors(case.theta)]
    loss = cases.torch_loss(case)(*tensors)
    assert loss.dtype == getattr(torch, dtype)
    np.testing.assert_allclose(loss.item(), J, **close)
    found = in_layout(case, [g.numpy() for g in torch.autograd.grad(loss, tensors)])
    np.testing.assert_allclose(found, gradient, **close, atol=close["rtol"])
    np.testing.assert_allclose(cases.numpy_loss(case)(case.theta), J, **close)
    np.testing.assert_allclose(cases.given_gradient(case), gradient, **close)


def test_jax_computes_our_J() -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        case = right("relu", scale=8.0)
        loss = cases.jax_loss(case)(*case.tensors(case.theta))
        np.testing.assert_allclose(loss, 8.0 * np.asarray(case.cost()(case.theta)[0]), rtol=1e-12)


def test_every_peer_gets_the_gradient_that_is_given(torch) -> None:
    """One entry wrong, by its own means: all tensors but one as they were, and that entry."""
    case = cases.one_wrong_entry(0, "Theta2 weights", "1 % off", 8.0, LAYERS)
    wanted = 8.0 * case.factor * np.asarray(case.cost()(case.theta)[1])
    np.testing.assert_allclose(cases.given_gradient(case), wanted, rtol=1e-12)
    factors = case.tensors(case.factor)
    tensors = [torch.from_numpy(t).requires_grad_() for t in case.tensors(case.theta)]
    loss = cases._altered(cases.torch_loss(case), factors)(*tensors)
    found = in_layout(case, [g.numpy() for g in torch.autograd.grad(loss, tensors)])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        altered = cases._altered_in_jax(cases.jax_loss(case), factors)
        arrays = case.tensors(case.theta)
        gradients = jax.grad(altered, argnums=tuple(range(len(arrays))))(*arrays)
        found = in_layout(case, [np.asarray(g) for g in gradients])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("checker", named(*cases.CHECKERS))
def test_a_right_gradient_passes_and_a_flipped_one_fails(checker: str) -> None:
    assert ask(checker, right()).verdict == "pass"
    assert ask(checker, cases.all_wrong(0, "sign flipped", 1.0, LAYERS)).verdict == "fail"


def test_ours_names_the_entry_and_passes_relu_and_float32() -> None:
    assert ask("ours", right("relu")).verdict == "pass"
    assert ask("ours", right(dtype="float32")).verdict == "pass"
    for mistake in cases.ONE_ENTRY:
        for part in cases.WRONG_PARTS:
            outcome = ask("ours", cases.one_wrong_entry(0, part, mistake, 1e-8, LAYERS))
            assert (outcome.verdict, outcome.named) == ("fail", True)


@pytest.mark.parametrize("checker", named("torch_slow", "torch_fast", "jax"))
def test_the_fixed_tolerance_of_a_peer_misses_a_zero_gradient_of_a_small_loss(checker: str) -> None:
    assert ask(checker, cases.all_wrong(0, "zero", 1e-8, LAYERS)).verdict == "pass"
    assert ask("ours", cases.all_wrong(0, "zero", 1e-8, LAYERS)).verdict == "fail"


def test_evaluations_are_counted_where_J_is_computed() -> None:
    n = sb.Network(LAYERS, loss="cross_entropy").n_parameters
    assert ask("scipy", right()).evaluations == n + 1  # forward differences and J itself
    count = ask("ours", right()).evaluations
    report = sb.check_gradient(right().cost(), right().theta)
    assert count == report.n_evaluations + 2  # and two for the gradient and the same again


@pytest.mark.needs_torch
def test_torch_evaluates_central_differences_or_few() -> None:
    n = sb.Network(LAYERS, loss="cross_entropy").n_parameters
    # Of every entry, and the gradient.
    assert 2 * n + 1 <= ask("torch_slow", right()).evaluations <= 2 * n + 3
    assert ask("torch_fast", right()).evaluations < n


def test_jax_makes_few_evaluations() -> None:
    assert ask("jax", right()).evaluations == 8


@pytest.mark.parametrize("part", cases.WRONG_PARTS)
def test_one_entry_that_matters_is_wrong(part: str) -> None:
    case = cases.one_wrong_entry(3, part, "zero", 1.0)
    assert case.network.n_parameters == 2735
    (index,) = np.flatnonzero(case.factor != 1.0)
    assert case.factor[index] == 0.0
    gradient = np.asarray(case.cost()(case.theta)[1])
    places = cases.places_of(case.network, part)
    assert index in places
    assert abs(gradient[index]) >= 1e-3 * np.sqrt(np.mean(gradient[places] ** 2))
    block = next(b for b in case.network.blocks if b.start <= index < b.stop)
    assert case.entry == block.entry(index - block.start)
    assert case.entry.endswith(", 0]") == part.endswith("biases")
    again = cases.one_wrong_entry(3, part, "1 % off", 1e8)
    assert (again.entry, again.scale) == (case.entry, 1e8)
    assert again.factor[index] == 1.01


def test_verdicts_are_counted() -> None:
    cases_of_two = [right(), cases.one_wrong_entry(0, "Theta1 biases", "zero", 1.0, LAYERS)]
    record = benchmark.judged("ours", cases_of_two)
    evaluations = record.pop("evaluations")
    assert evaluations == sum(ask("ours", case).evaluations for case in cases_of_two)
    counts = {"checks": 2, "alarms": 1, "inconclusive": 0, "named": 1}
    assert record == {"checker": "ours", **counts}


def test_inconclusive_is_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    unsure = cases.Outcome("inconclusive", 7)
    monkeypatch.setitem(cases.CHECKERS, "ours", lambda case: unsure)
    counts = {"checks": 1, "alarms": 0, "inconclusive": 1, "named": 0, "evaluations": 7}
    assert benchmark.judged("ours", [right()]) == {"checker": "ours", **counts}


def made_up() -> dict[str, Any]:
    def record(checker: str, alarms: int, **setting: Any) -> dict[str, Any]:
        counts = {"checks": 4, "alarms": alarms, "inconclusive": 1, "named": 2, "evaluations": 40}
        return {**setting, "checker": checker, **counts}

    one = {"part": "wrong", "where": "Theta1 weights", "mistake": "zero", "scale": 1.0}
    other = {**one, "where": "Theta2 biases"}
    whole = {**one, "where": "everywhere"}
    found = []
    for checker, alarms in {"ours": 3, "torch_fast": 1}.items():
        found += [record(checker, 0, part="right", kind="tanh, float64")]
        found += [record(checker, alarms, **one), record(checker, 4, **other)]
        found += [record(checker, 4, **{**one, "scale": 1e-8}), record(checker, 0, **whole)]
    return {"machine": common.machine(()), "quick": True, "cases": found}


def test_the_tables_show_what_was_counted() -> None:
    text = benchmark.render(made_up())
    assert text.startswith("Quick run. ")
    lines = text.splitlines()
    assert benchmark.NO_JAX in lines
    assert "| net | ours | torch, fast |" in lines
    assert "| tanh, float64 | 0 / 4 | 0 / 4 |" in lines
    # A miss is a wrong gradient without "fail": "inconclusive" is one too.
    assert "| one entry, zero | 1 | 1 / 8 | 3 / 8 |" in lines
    assert "| one entry, zero | 1e-08 | 0 / 4 | 0 / 4 |" in lines
    assert "| every entry, zero | 1 | 4 / 4 | 4 / 4 |" in lines
    assert "| Theta1 weights | zero | 1 / 4 | 3 / 4 |" in lines
    assert "| one wrong entry | 10 | 10 |" in lines
    assert "1 of 4 right gradients and of 4 of 16 wrong ones" in text
    assert "first in 6 of 12 reports" in text


def test_all_are_asked_about_all_cases() -> None:
    for quick in (True, False):
        for task in benchmark.tasks_of(quick):
            assert {*task["numbers"], "jax"} == set(benchmark.NAMES) == set(cases.CHECKERS)
    records = benchmark.measure("wrong", {"ours": 1}, True)
    parts = {(r["where"], r["mistake"], r["scale"]) for r in records}
    assert len(parts) == len(records) == 10
    assert all(record["alarms"] == record["checks"] == 1 for record in records)


def test_without_jax_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark.importlib.util, "find_spec", lambda name: None)
    for task in benchmark.tasks_of(False):
        assert {*task["numbers"]} == set(benchmark.NAMES) - {"jax"}


def test_the_page_shows_the_results_that_are_kept() -> None:
    kept = json.loads((common.RESULTS / "gradient_check.json").read_text("utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    shown = page.split("<!-- gradient_check:begin -->")[1].split("<!-- gradient_check:end -->")[0]
    assert shown.strip() == benchmark.render(kept)
    assert not kept["quick"]
