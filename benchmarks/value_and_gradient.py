"""How long J and its gradient take, per network: symbreak and its peers, in one run.

    python benchmarks/value_and_gradient.py [--quick] [--write-docs] [--shapes ...] [--only ...]

Sigmoid hidden layer, soft-max cross-entropy, no penalty, random data. Each setting of threads and
dtype runs in a fresh process. The contestants are in `contestants.py`, the timing in `common.py`.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from common import (
    LONG_CALL,
    MIN_ROUNDS,
    all_threads,
    free_bytes,
    has_answered,
    interleave,
    machine,
    machine_line,
    markdown_table,
    number,
    parser_of,
    peak_bytes,
    publish,
    ratio,
    run_fresh,
    say,
)
from eigen_products import has_eigen

NAME = "value_and_gradient"
SHAPES: dict[str, tuple[int, ...]] = {
    "150x4-10-3": (1, 8, 32, 128),
    "569x30-16-2": (1, 8, 32, 128),
    "1797x64-30-10": (1, 8, 32, 128),
    "5000x400-25-10": (1, 8, 32),
    "60000x784-128-10": (1, 8, 32),
}
LARGEST = "60000x784-128-10"
DTYPES = ("float32", "float64")
LIMIT = 40.0  # seconds; a peer whose call would take longer is left out
BUDGET, QUICK_BUDGET = 0.7, 0.7  # seconds of rounds for one shape, number of starts and setting
PACKAGES = ("numpy", "torch", "scikit-learn", "jax")
CHOICES = ("ours", "bare", "autograd", "jax_vmap", "torch_one_net", "jax_jit", "sklearn")
COLUMNS = {
    "ours": "ours",
    "bare": "bare products",
    "autograd": "autograd stacked",
    "jax_vmap": "JAX vmap",
    "torch_one_net": "torch one net",
    "jax_jit": "JAX jit one net",
    "sklearn": "scikit-learn",
}
RATIOS = {
    "ours / bare": ("ours", "bare"),
    "autograd / ours": ("autograd", "ours"),
    "vmap / ours": ("jax_vmap", "ours"),
    "one net / ours": ("torch_one_net", "ours"),
}


def main() -> None:
    """Read the command line; measure; print and save."""
    options = _parser().parse_args()
    if has_answered(options, measured):
        return
    begin = time.perf_counter()
    result = {
        "machine": machine(PACKAGES),
        "quick": options.quick,
        "cases": run_all(options.shapes, _expand(options.only), options.quick),
        "memory": [] if options.quick or LARGEST not in options.shapes else run_memory(),
    }
    publish(NAME, result, render(result), options, begin)


def measured(**task: Any) -> Any:
    """Return the memory of a contestant, or the times of a case."""
    return measure_memory(**task) if "memory_of" in task else measure(**task)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "one thread, 1 and 32 starts")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--only", help="comma-separated, of " + ", ".join(CHOICES))
    return parser


def _expand(only: str | None) -> list[str]:
    """Return the contestants that the words of --only stand for; ours is always one."""
    words = only.split(",") if only else list(CHOICES)
    unknown = sorted(set(words) - set(CHOICES))
    if unknown:
        raise SystemExit(f"--only must be of {', '.join(CHOICES)}. Got {', '.join(unknown)}.")
    if importlib.util.find_spec("jax") is None:
        words = [word for word in words if not word.startswith("jax")]
        say("JAX is not installed: measured without it.")
    return ["ours", *(_bare() if "bare" in words else []),
            *(word for word in words if word not in ("ours", "bare"))]  # fmt: skip


def _bare() -> list[str]:
    """Return the contestants that make the products alone; the fastest of them is the limit."""
    from contestants import BARE

    if has_eigen():
        return list(BARE)
    say("cmeel-eigen is not installed: measured without Eigen's products.")
    return [name for name in BARE if name != "bare_eigen"]


def run_all(shapes: Iterable[str], names: Sequence[str], quick: bool) -> list[dict[str, Any]]:
    """Return the cases of all settings, each setting measured in its own process."""
    plan = {shape: SHAPES[shape] for shape in shapes}
    if quick:
        plan = {shape: (1, 32) for shape in plan if shape != LARGEST}
    cases = []
    for threads in (1,) if quick else dict.fromkeys((1, all_threads())):
        for dtype in DTYPES:
            say(f"{dtype}, {threads} thread(s)")
            task = {"plan": plan, "names": names, "dtype": dtype, "threads": threads}
            task["budget"] = QUICK_BUDGET if quick else BUDGET
            wide = {"JAX_ENABLE_X64": str(int(dtype == "float64")), "JAX_PLATFORMS": "cpu"}
            cases += run_fresh(__file__, task, threads, **wide)
    return cases


def run_memory() -> list[dict[str, Any]]:
    """Return the largest resident size of fresh processes that evaluate the largest case."""
    tasks = ({"memory_of": LARGEST, "starts": SHAPES[LARGEST][-1], "dtype": d} for d in DTYPES)
    return [run_fresh(__file__, task, threads=1) for task in tasks]


def measure_memory(memory_of: str, starts: int, dtype: str) -> dict[str, Any]:
    """Evaluate once; return the process's peak, and what it was before the evaluation."""
    from contestants import make_problem, ours

    say(f"memory: {memory_of}, {starts} starts, {dtype}")
    contestant = ours(make_problem(*_sizes(memory_of), starts, dtype))
    before = peak_bytes()
    contestant.call()
    result = {"shape": memory_of, "starts": starts, "dtype": dtype, "threads": 1}
    return {**result, "peak_bytes": peak_bytes(), "peak_bytes_before": before}


def measure(
    plan: Mapping[str, Sequence[int]], names: Sequence[str], dtype: str, threads: int, budget: float
) -> list[dict[str, Any]]:
    """Measure every shape and number of starts of `plan` in this process."""
    from contestants import make_problem

    cases = []
    for shape, numbers in plan.items():
        problem = make_problem(*_sizes(shape), max(numbers), dtype)
        known: dict[str, float] = {}
        for starts in numbers:
            case: dict[str, Any] = {"shape": shape, "starts": starts, "dtype": dtype}
            part = problem.first_starts(starts)
            case |= measure_case(part, names, known, budget, threads)
            say(f"  {shape}, {starts} starts: {case['ms_per_network']['ours']:.4g} ms per network")
            cases.append({**case, "threads": threads})
    return cases


def measure_case(
    problem: Any, names: Sequence[str], known: dict[str, float], budget: float, threads: int
) -> dict[str, Any]:
    """Time the contestants on one problem, in turns.

    Parameters
    ----------
    known : seconds per network with fewer starts; new measurements are added.
    """
    from contestants import CONTESTANTS, ONE_NET

    starts = len(problem.theta)
    # More starts do not change what one network at a time costs.
    names = [name for name in names if starts == 1 or name not in ONE_NET]
    left_out = {name: why for name in names if (why := _reason(name, problem, known))}
    field = {name: CONTESTANTS[name](problem) for name in names if name not in left_out}
    calls = {name: one.call for name, one in field.items()}
    samples = interleave(calls, budget, one_thread=threads == 1)
    seconds = {name: median(samples[name]) / field[name].networks for name in field}
    known.update(seconds)
    if bares := [name for name in seconds if name.startswith("bare")]:
        faster = min(bares, key=seconds.__getitem__)
        samples["bare"], seconds["bare"] = samples[faster], seconds[faster]
    return {
        "ms_per_network": {name: 1e3 * value for name, value in seconds.items()},
        "ratios": {
            name: ratio(samples[above], samples[below])
            for name, (above, below) in RATIOS.items()
            if above in samples and below in samples
        },
        "rounds": {name: len(taken) for name, taken in samples.items()},
        "left_out": left_out,
    }


def _reason(name: str, problem: Any, known: Mapping[str, float]) -> str:
    """Return why a contestant is left out, or nothing."""
    starts, examples = len(problem.theta), len(problem.X)
    if name != "ours" and known.get(name, 0.0) * starts > LIMIT:
        return "time"
    # Autograd and XLA keep z, a and the gradients of both for every unit, start and example.
    needed = 4 * sum(problem.layers[1:]) * starts * examples * problem.X.element_size()
    if name in ("autograd", "jax_vmap", "bare_whole") and needed > 0.6 * free_bytes():
        return "memory"
    return ""


def _sizes(shape: str) -> tuple[int, tuple[int, ...]]:
    examples, layers = shape.split("x")
    return int(examples), tuple(int(size) for size in layers.split("-"))


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page: where it was measured, one table per setting, memory."""
    kind = "Quick run" if result["quick"] else "Full run"
    parts = [f"{kind}. {machine_line(result['machine'])}"]
    for threads, dtype in dict.fromkeys((c["threads"], c["dtype"]) for c in result["cases"]):
        cases = [c for c in result["cases"] if (c["threads"], c["dtype"]) == (threads, dtype)]
        title = f"### {dtype}, {threads} thread{'s' if threads > 1 else ''}, ms per network"
        parts += [title, _table(cases)]
    parts.append(_notes())
    if result["memory"]:
        parts += ["### Memory", _memory_table(result["memory"])]
    return "\n\n".join(parts)


def _table(cases: Sequence[Mapping[str, Any]]) -> str:
    head = ["net", "starts", *COLUMNS.values(), *RATIOS]
    rows = []
    for case in cases:
        cells = [_cell(case, name) for name in COLUMNS]
        ratios = [number(case["ratios"].get(name)) for name in RATIOS]
        rows.append([case["shape"], str(case["starts"]), *cells, *ratios])
    return markdown_table(head, rows)


def _cell(case: Mapping[str, Any], name: str) -> str:
    reason: str = case["left_out"].get(name, "")
    mark = "*" if case["rounds"].get(name, MIN_ROUNDS) == 1 else ""
    return f"({reason})" if reason else number(case["ms_per_network"].get(name)) + mark


def _notes() -> str:
    return (
        f"Medians over at least {MIN_ROUNDS} rounds in which the contestants take turns; ratios "
        f"are medians of the ratios within a round. With one thread a time is the processor's, "
        f"unless the clock on the wall shows less, so that waiting on a busy machine does not "
        f"count. A call over {LONG_CALL:g} s is made once, marked *. (time): a call would take "
        f"over {LIMIT:g} s; (memory): it would not fit. One-net contestants are measured with 1 "
        f"start. *Bare products* is the fastest of those of PyTorch, NumPy and Eigen."
    )


def _memory_table(memory: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            f"{case['shape']}, {case['starts']} starts, {case['dtype']}",
            *(number(case[key] / 2**20) for key in ("peak_bytes", "peak_bytes_before")),
        ]
        for case in memory
    ]
    head = ["largest resident size of the process, MiB", "in all", "before the evaluation"]
    return markdown_table(head, rows) + (
        "\n\nThe whole process, nothing subtracted: Python, torch, the examples as the user holds "
        "them and as the cost keeps them, starts, gradient and buffers."
    )


if __name__ == "__main__":
    main()
