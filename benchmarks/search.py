"""What a search over penalties, folds and starts takes, here and in scikit-learn.

    python benchmarks/search.py [--quick] [--write-docs]

8 penalties from 1e-4 to 1e3, 5 folds and 4 starts are 160 networks: tanh, L-BFGS, at most 200
iterations, both sides with the same test of the gradient (1e-4) and of the fall of J (2.2e-9).
scikit-learn's `GridSearchCV` searches over penalties and `random_state`, with a job for each
processor; ours has the four starts inside the estimator and averages them. Each runs in a fresh
process, imports left out of the time, and once more there; refit is off.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import numpy as np
from common import (
    all_threads,
    has_answered,
    machine,
    machine_line,
    markdown_table,
    number,
    parser_of,
    peak_bytes,
    publish,
    run_fresh,
    say,
)

NAME = "search"
UNITS = {"iris": 10, "breast_cancer": 16, "digits": 30, "diabetes": 16}
ALPHAS = tuple(float(alpha) for alpha in np.logspace(-4, 3, 8))
FOLDS, STARTS, MAX_ITER = 5, 4, 200
ROUNDS, QUICK_ROUNDS = 3, 1
CONTESTANTS = {
    "scikit-learn": "GridSearchCV, scikit-learn's network, a process for each processor",
    "plain": "GridSearchCV, our network",
    "one job": "StackedSearchCV",
    "all jobs": "StackedSearchCV, a thread for each processor",
    "float32": "the same in float32",
}
PACKAGES = ("numpy", "scikit-learn")


def main() -> None:
    """Read the command line; measure; print and save."""
    options = parser_of(__doc__, f"{QUICK_ROUNDS} round").parse_args()
    if has_answered(options, measure):
        return
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    cases = [case(dataset, rounds) for dataset in UNITS]
    result = {"machine": machine(PACKAGES), "rounds": rounds, "cases": cases}
    publish(NAME, result, render(result), options)


def case(dataset: str, rounds: int) -> dict[str, Any]:
    """Return what each contestant needed on a data set, the contestants taking turns."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for _ in range(rounds):
        for name, samples in found.items():
            # The jobs of scikit-learn are processes, which have one thread each.
            threads = 1 if name == "scikit-learn" else all_threads()
            samples.append(run_fresh(__file__, {"dataset": dataset, "who": name}, threads))
            say(f"{dataset}, {name}: {samples[-1]['seconds']:.2f} s")
    return {"dataset": dataset, "found": found}


def measure(dataset: str, who: str) -> dict[str, float]:
    """Return seconds, those of a second time, the best mean test score and the peak of memory."""
    X, y = data(dataset)
    warnings.simplefilter("ignore")
    search = search_of(dataset, who)
    seconds = [_seconds(lambda: search.fit(X, y)) for _ in range(2)]
    score = float(search.cv_results_["mean_test_score"].max())
    peak = float(peak_bytes())
    return {"seconds": seconds[0], "again": seconds[1], "score": score, "peak": peak}


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def data(dataset: str) -> tuple[Any, Any]:
    """Return X and, in regression, y with mean 0 and deviation 1."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{dataset}")(return_X_y=True)
    spread = X.std(axis=0)
    X = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return X, (y - y.mean()) / y.std() if dataset == "diabetes" else y


def search_of(dataset: str, who: str) -> Any:
    """Return the search, not yet fitted."""
    from sklearn import neural_network
    from sklearn.model_selection import GridSearchCV

    import symbreak as sb

    kind = "MLPRegressor" if dataset == "diabetes" else "MLPClassifier"
    fixed = {
        "hidden_layer_sizes": (UNITS[dataset],), "activation": "tanh", "solver": "lbfgs",
        "max_iter": MAX_ITER,
    }  # fmt: skip
    grid = {"alpha": list(ALPHAS)}
    common: dict[str, Any] = {"cv": FOLDS, "refit": False}
    if who == "scikit-learn":
        estimator = getattr(neural_network, kind)(**fixed)
        starts = {**grid, "random_state": list(range(STARTS))}
        return GridSearchCV(estimator, starts, n_jobs=all_threads(), **common)
    estimator = getattr(sb, kind)(
        **fixed, n_starts=STARTS, random_state=0,
        dtype="float32" if who == "float32" else None,
    )  # fmt: skip
    if who == "plain":
        return GridSearchCV(estimator, grid, **common)
    jobs = None if who == "one job" else all_threads()
    return sb.StackedSearchCV(estimator, grid, n_jobs=jobs, **common)


def render(result: Mapping[str, Any]) -> str:
    """Return the tables: seconds, ratios, scores and memory."""
    head = (
        "data set", "search", "seconds", "times as fast", "again, seconds", "times as fast",
        "best mean score", "peak MiB",
    )  # fmt: skip
    rows = []
    for one in result["cases"]:
        theirs = one["found"]["scikit-learn"]
        for name, label in CONTESTANTS.items():
            samples = one["found"][name]
            times = []
            for which in ("seconds", "again"):
                seconds = [sample[which] for sample in samples]
                ratios = [a[which] / b for a, b in zip(theirs, seconds, strict=True)]
                times += [number(median(seconds)), number(median(ratios))]
            rows.append((
                one["dataset"], label, *times, f"{samples[0]['score']:.4f}",
                f"{samples[0]['peak'] / 2**20:.0f}",
            ))  # fmt: skip
    rounds = result["rounds"]
    return (
        f"{machine_line(result['machine'])} Medians of {rounds} "
        f"round{'s' if rounds > 1 else ''}; the memory of further processes is not counted.\n\n"
        + markdown_table(head, rows)
    )


if __name__ == "__main__":
    main()
