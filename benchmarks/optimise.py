"""How long whole searches take: symbreak and its peers, from the same starts, to the same rule.

    python benchmarks/optimise.py [--quick] [--write-docs] [--data FOLDER]

A: many L-BFGS fits (`optimise_fits.py`). B: Levenberg-Marquardt beside scikit-learn's L-BFGS
(`optimise_least_squares.py`). C: Adam on mini-batches (`optimise_minibatches.py`). On one thread
and on all; each case runs in a fresh process. FOLDER holds the four files of Fashion-MNIST; without
it that case is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from common import (
    all_threads,
    has_answered,
    machine,
    machine_line,
    markdown_table,
    number,
    parser_of,
    publish,
    run_fresh,
    say,
)

NAME = "optimise"
PACKAGES = ("numpy", "scipy", "torch", "scikit-learn", "jax", "optax")
FITS = ("iris", "breast-cancer", "digits")
LEAST_SQUARES = ("diabetes", "friedman-1", "sin-sum")
FASHION = "Fashion-MNIST"
BUDGET, QUICK_BUDGET = 1.0, 0.5  # seconds of rounds for one case
FIT_NAMES = {
    "ours_float64": "ours, float64",
    "ours_float32": "ours, float32",
    "sklearn": "scikit-learn",
    "torch": "torch LBFGS",
    "jax": "optax, jit(vmap)",
}
BATCH_NAMES = {
    "ours": "ours",
    "torch": "torch loop",
    "sklearn": "scikit-learn",
    "jax": "optax, jit(scan)",
}
NO_FASHION = f"{FASHION} was not measured: its files were not given (--data)."


def main() -> None:
    """Read the command line; measure; print and save."""
    options = _parser().parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    tasks = tasks_of(options.quick, options.data)
    cases = []
    for task in tasks:
        # Our J, SciPy's and torch's are float64 in part A; JAX has to be told.
        variables = {"JAX_ENABLE_X64": "1"} if task["part"] == "fits" else {}
        cases += run_fresh(__file__, task, task["threads"], **variables)
        name = f"{task['part']}, {task['data']}, threads {task['threads']}"
        say(f"  {name}: {time.perf_counter() - begin:.0f} s")
    result = {"machine": machine(PACKAGES), "quick": options.quick, "cases": cases}
    publish(NAME, result, render(result), options, begin)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "one data set for each part")
    parser.add_argument("--data", metavar="FOLDER", help="the files of Fashion-MNIST")
    return parser


def tasks_of(quick: bool, folder: str | None) -> list[dict[str, Any]]:
    """Return the arguments of `measure` for every fresh process."""
    few = slice(1) if quick else slice(None)
    tasks: list[dict[str, Any]] = [{"part": "fits", "data": data} for data in FITS[few]]
    tasks += [{"part": "least_squares", "data": data} for data in LEAST_SQUARES[few]]
    tasks.append({"part": "minibatches", "data": "digits"})
    if folder is None:
        say(NO_FASHION)
    elif not quick:
        tasks.append({"part": "minibatches", "data": FASHION, "folder": folder})
    budget = QUICK_BUDGET if quick else BUDGET
    threads = [1] if quick else sorted({1, all_threads()})
    return [{**task, "threads": number, "budget": budget} for number in threads for task in tasks]


def measure(
    part: str, data: str, threads: int, budget: float, folder: str | None = None
) -> list[dict[str, Any]]:
    """Return the cases of one data set; without JAX where it is not installed."""
    has_jax = all(importlib.util.find_spec(name) for name in ("jax", "optax"))
    if part == "fits":
        import optimise_fits

        names = [name for name in FIT_NAMES if has_jax or name != "jax"]
        return [optimise_fits.measure(data, names, threads, budget)]
    if part == "least_squares":
        import optimise_least_squares

        starts = optimise_least_squares.STARTS
        return [optimise_least_squares.measure(data, starts, threads, budget)]
    import optimise_minibatches

    names = [name for name in BATCH_NAMES if has_jax or name != "jax"]
    numbers = (1,) if data == FASHION else (1, 16)
    return optimise_minibatches.measure(data, numbers, names, threads, budget, folder)


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page: where it was measured, then a table for each part."""
    parts = {
        part: [case for case in result["cases"] if case["part"] == part]
        for part in ("fits", "least_squares", "minibatches")
    }
    blocks = [("Quick run. " if result["quick"] else "") + machine_line(result["machine"])]
    if parts["fits"]:
        blocks += ["### Many L-BFGS fits", _fits(parts["fits"])]
    if parts["least_squares"]:
        blocks += ["### Levenberg-Marquardt", _least_squares(parts["least_squares"])]
    if parts["minibatches"]:
        blocks += ["### Adam on mini-batches, float32", _batches(parts["minibatches"])]
    if not any(case["data"] == FASHION for case in parts["minibatches"]):
        blocks.append(NO_FASHION)
    return "\n\n".join(blocks)


def _fits(cases: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "problem",
        "threads",
        "contestant",
        "seconds",
        "/ ours",
        "rule met, %",
        "median J",
        "compile, s",
    ]
    rows = []
    for case in cases:
        ours = case["ours_float64"]
        for name in (name for name in FIT_NAMES if name in case):
            one = case[name]
            scaled = "*" if one["networks"] < ours["networks"] else ""
            cells = [number(one["seconds"]) + scaled, number(one["seconds"] / ours["seconds"])]
            cells += [f"{100 * one['met']:.0f}", f"{one['J']:.5f}" + scaled]
            rows.append([*_setting(case), FIT_NAMES[name], *cells, number(one["compile_seconds"])])
    return markdown_table(head, rows)


def _least_squares(cases: Sequence[Mapping[str, Any]]) -> str:
    head = ["problem", "threads", "starts", "ours, ms per start", "scikit-learn", "median ratio"]
    head += ["smallest", "largest", "ours stacked", "ratio stacked", "reached"]
    rows = []
    for case in cases:
        ours, peer = (median(case["ms"][name]) for name in ("ours", "sklearn"))
        ratios = [f(case["ratios"]) for f in (median, min, max)]
        stacked = [case["stacked_ms_per_start"], case["stacked_ratio"]]
        cells = [number(value) for value in (ours, peer, *ratios, *stacked)]
        reached = f"{case['stacked_reached']} of {case['starts']}"
        rows.append([*_setting(case), str(case["starts"]), *cells, reached])
    return markdown_table(head, rows)


def _batches(cases: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "problem",
        "threads",
        "batch",
        "epochs",
        "starts",
        "contestant",
        "seconds per net",
        "/ ours",
    ]
    head += ["median J", "compile, s"]
    rows = []
    for case in cases:
        setting = [*_setting(case), *(str(case[key]) for key in ("batch", "epochs", "starts"))]
        for name in (name for name in BATCH_NAMES if name in case):
            one = case[name]
            scaled = "*" if one["networks"] < case["starts"] else ""
            cells = [number(one["seconds_per_network"]) + scaled]
            cells += [number(1 / one["ours_over_this"]), f"{one['J']:.4f}" + scaled]
            rows.append([*setting, BATCH_NAMES[name], *cells, number(one["compile_seconds"])])
    return markdown_table(head, rows)


def _setting(case: Mapping[str, Any]) -> list[str]:
    return [f"{case['data']}, {case['examples']}x{case['net']}", str(case["threads"])]


if __name__ == "__main__":
    main()
