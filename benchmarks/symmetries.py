"""How long the certificate of a large net takes: `symmetries` of 32 starts of 784-1000-1000-10.

    python benchmarks/symmetries.py [--write-docs]

Every case runs in a fresh process, with one thread; random starts with all threads too. Wall-clock
time, the median of the rounds; a call of more than some seconds is made once. As a measure of what
is possible, two products of a matrix and a vector per Theta are timed too: any certificate must
read all weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
from common import (
    LONG_CALL,
    all_threads,
    has_answered,
    machine,
    machine_line,
    markdown_table,
    number,
    peak_bytes,
    publish,
    run_fresh,
    say,
)

import symbreak as sb

NAME = "symmetries"
LAYERS, STARTS, ROUNDS = (784, 1000, 1000, 10), 32, 3
PACKAGES = ("numpy",)
CASES = ("random", "ten pairs", "equal sums, penalty", "all equal", "all zero")


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help="rewrite docs/benchmarks.md")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if has_answered(options, measure):
        return
    settings = [(case, 1) for case in CASES]
    if all_threads() > 1:
        settings.insert(1, (CASES[0], all_threads()))
    found = []
    for case, threads in settings:
        say(f"{case}, {threads} threads")
        result = run_fresh(__file__, {"case": case}, threads)
        found.append({"case": case, "threads": threads, **result})
    result = {"machine": machine(PACKAGES), "cases": found}
    publish(NAME, result, table(result), options)


def measure(case: str) -> dict[str, Any]:
    """Return seconds, seconds of the bare products, groups of the first start, peak memory."""
    net = sb.Network(LAYERS, "tanh", "cross_entropy")
    theta = start(net, case)
    alpha = 1.0 if "penalty" in case else 0.0
    sb.symmetries(net, theta[:1], alpha=alpha)  # imports and first touches
    begin = time.perf_counter()
    found = sb.symmetries(net, theta, alpha=alpha)
    seconds, bare = [time.perf_counter() - begin], [_timed(lambda: _read_weights(net, theta))]
    for _ in range(ROUNDS if seconds[0] < LONG_CALL else 0):
        seconds.append(_timed(lambda: sb.symmetries(net, theta, alpha=alpha)))
        bare.append(_timed(lambda: _read_weights(net, theta)))
    widths = found.effective_widths[0].tolist()
    return {
        "seconds": median(seconds), "bare": median(bare), "widths": widths, "peak": peak_bytes()
    }  # fmt: skip


def start(net: sb.Network, case: str) -> Any:
    """Return the stack of a case, (starts, n)."""
    theta = sb.initialize(net, "glorot_uniform", starts=STARTS, seed=0)
    thetas = net.thetas(theta)
    if case == "all zero":
        theta.fill(0.0)
    elif case == "all equal":
        theta.fill(0.01)
    elif case == "ten pairs":
        for incoming, outgoing in pairwise(thetas):
            incoming[:, 10:20] = incoming[:, :10]
            outgoing[:, :, 11:21] = outgoing[:, :, 1:11]
    elif case == "equal sums, penalty":
        _magic_square(thetas)
    return theta


def _magic_square(thetas: Any) -> None:
    """Make three units of both hidden layers one by sums, not by multisets."""
    first, second, third = thetas
    square = np.array([[2.0, 7, 6], [9, 5, 1], [4, 3, 8]]) / 256
    first[:, :3] = first[:, :1]
    second[:, :3] = second[:, :1]
    second[:, :, 1:4] = second[:, :, 1:2]
    second[:, :3, 1:4] = square
    third[:, :, 1:4] = third[:, :, 1:2]


def _read_weights(net: sb.Network, theta: Any) -> None:
    for Theta in net.thetas(theta):
        Theta @ np.ones((Theta.shape[2], 1))
        np.ones((1, Theta.shape[1])) @ Theta


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def table(result: dict[str, Any]) -> str:
    """Return the Markdown that goes into the docs."""
    rows = [
        [
            one["case"], str(one["threads"]), number(one["seconds"]),
            number(one["seconds"] / one["bare"]), "-".join(map(str, one["widths"])),
            f"{one['peak'] / 2**30:.2f}",
        ]
        for one in result["cases"]
    ]  # fmt: skip
    head = ["starts", "threads", "seconds", "x reading", "distinct units", "peak GiB"]
    return f"{markdown_table(head, rows)}\n\n{machine_line(result['machine'])}"


if __name__ == "__main__":
    main()
