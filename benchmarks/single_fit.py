"""What one fit costs beside scikit-learn's: one start, all parameters at their defaults.

    python benchmarks/single_fit.py [--quick] [--write-docs]

`MLPClassifier` and `MLPRegressor` of both, the default solver (adam) and L-BFGS, 100 hidden units,
at most 100 iterations. Both sides draw other starts from the same `random_state`, so time is given
for each iteration that was made. The sides take turns in one process; each number of threads has a
fresh one, imports and a first fit left out.
"""

from __future__ import annotations

import time
import warnings
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
    ratio,
    run_fresh,
    say,
)
from search import data

NAME = "single_fit"
DATASETS = ("iris", "diabetes", "breast_cancer", "digits")
SOLVERS = ("adam", "lbfgs")
SIDES = ("ours", "scikit-learn")
MAX_ITER = 100
ROUNDS, QUICK_ROUNDS = 15, 3
PACKAGES = ("numpy", "scikit-learn")


def main() -> None:
    """Read the command line; measure; print and save."""
    options = parser_of(__doc__, f"{QUICK_ROUNDS} rounds").parse_args()
    if has_answered(options, measure):
        return
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    cases: list[dict[str, Any]] = [
        {"dataset": dataset, "solver": solver, "threads": threads}
        for dataset in DATASETS
        for solver in SOLVERS
        for threads in sorted({1, all_threads()})
    ]
    for case in cases:
        asked = {"dataset": case["dataset"], "solver": case["solver"], "rounds": rounds}
        case["found"] = run_fresh(__file__, asked, threads=case["threads"])
        say(f"{case['dataset']}, {case['solver']}, threads {case['threads']}: done")
    result = {"machine": machine(PACKAGES), "rounds": rounds, "cases": cases}
    publish(NAME, result, render(result), options)


def measure(
    dataset: str, solver: str, rounds: int, max_iter: int = MAX_ITER
) -> dict[str, list[float]]:
    """Return the seconds of an iteration of both sides, one entry for each round."""
    warnings.simplefilter("ignore")
    X, y = data(dataset)
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for number_of_round in range(-1, rounds):
        for side in SIDES:
            net = estimator(side, dataset, solver, max_iter, max(number_of_round, 0))
            begin = time.perf_counter()
            net.fit(X, y)
            taken = (time.perf_counter() - begin) / net.n_iter_
            if number_of_round >= 0:
                seconds[side].append(taken)
    return seconds


def estimator(side: str, dataset: str, solver: str, max_iter: int, seed: int) -> Any:
    """Return the estimator of a side, not yet fitted."""
    from sklearn import neural_network

    import symbreak as sb

    kind = "MLPRegressor" if dataset == "diabetes" else "MLPClassifier"
    home: Any = sb if side == "ours" else neural_network
    return getattr(home, kind)(solver=solver, max_iter=max_iter, random_state=seed)


def render(result: Mapping[str, Any]) -> str:
    """Return the table: milliseconds of an iteration and their ratio."""
    head = ("data set", "solver", "threads", "ours, ms", "scikit-learn, ms", "ours / theirs")
    rows: list[Sequence[str]] = []
    for case in result["cases"]:
        ours, theirs = (case["found"][side] for side in SIDES)
        rows.append((
            case["dataset"], case["solver"], str(case["threads"]), number(1e3 * median(ours)),
            number(1e3 * median(theirs)), number(ratio(ours, theirs)),
        ))  # fmt: skip
    return (
        f"{machine_line(result['machine'])} Medians of {result['rounds']} rounds.\n\n"
        + markdown_table(head, rows)
    )


if __name__ == "__main__":
    main()
