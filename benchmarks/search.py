"""What training a search as one stack is worth: penalties, folds and starts against single fits.

    python benchmarks/search.py [--quick] [--write-docs]

8 penalties from 1e-4 to 1e3, 5 folds and 4 starts are 160 fits of one network: tanh, L-BFGS, at
most 200 iterations, both sides with the same test of the gradient (1e-4) and of the fall of J
(2.2e-9). scikit-learn's `GridSearchCV` searches over penalties and `random_state`, with a job for
each processor; ours has the four starts inside the estimator and averages them. Each runs in a
fresh process, imports and a first small search left out of the time; refit is off.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
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
    "scikit-learn": "GridSearchCV, all processors",
    "one job": "StackedSearchCV, one job",
    "all jobs": "StackedSearchCV, all processors",
    "float32": "the same in float32, one job",
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
            samples.append(run_fresh(__file__, {"dataset": dataset, "who": name}, threads=1))
            say(f"{dataset}, {name}: {samples[-1]['seconds']:.2f} s")
    return {"dataset": dataset, "found": found}


def measure(
    dataset: str, who: str, *, alphas: Sequence[float] = ALPHAS, max_iter: int = MAX_ITER
) -> dict[str, float]:
    """Return seconds, the best mean test score and the peak of the memory of one search."""
    X, y = data(dataset)
    warnings.simplefilter("ignore")
    search_of(dataset, who, alphas[:1], 2).fit(X[::3], y[::3])
    search = search_of(dataset, who, alphas, max_iter)
    begin = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - begin
    score = float(search.cv_results_["mean_test_score"].max())
    return {"seconds": seconds, "score": score, "peak": float(peak_bytes())}


def data(dataset: str) -> tuple[Any, Any]:
    """Return X and, in regression, y with mean 0 and deviation 1."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{dataset}")(return_X_y=True)
    spread = X.std(axis=0)
    X = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return X, (y - y.mean()) / y.std() if dataset == "diabetes" else y


def search_of(dataset: str, who: str, alphas: Sequence[float], max_iter: int) -> Any:
    """Return the search, not yet fitted."""
    from sklearn import neural_network
    from sklearn.model_selection import GridSearchCV

    import symbreak as sb

    kind = "MLPRegressor" if dataset == "diabetes" else "MLPClassifier"
    fixed = {
        "hidden_layer_sizes": (UNITS[dataset],), "activation": "tanh", "solver": "lbfgs",
        "max_iter": max_iter,
    }  # fmt: skip
    grid = {"alpha": list(alphas)}
    common: dict[str, Any] = {"cv": FOLDS, "refit": False}
    if who == "scikit-learn":
        estimator = getattr(neural_network, kind)(**fixed)
        starts = {**grid, "random_state": list(range(STARTS))}
        return GridSearchCV(estimator, starts, n_jobs=all_threads(), **common)
    estimator = getattr(sb, kind)(
        **fixed, n_starts=STARTS, random_state=0,
        dtype="float32" if who == "float32" else None,
    )  # fmt: skip
    jobs = all_threads() if who == "all jobs" else 1
    return sb.StackedSearchCV(estimator, grid, n_jobs=jobs, **common)


def render(result: Mapping[str, Any]) -> str:
    """Return the tables: seconds, ratios, scores and memory."""
    head = ("data set", "search", "seconds", "times as fast", "best mean score", "peak MiB")
    rows = []
    for one in result["cases"]:
        theirs = [sample["seconds"] for sample in one["found"]["scikit-learn"]]
        for name, label in CONTESTANTS.items():
            samples = one["found"][name]
            seconds = [sample["seconds"] for sample in samples]
            ratios = [a / b for a, b in zip(theirs, seconds, strict=True)]
            rows.append((
                one["dataset"], label, number(median(seconds)), number(median(ratios)),
                f"{samples[0]['score']:.4f}", f"{samples[0]['peak'] / 2**20:.0f}",
            ))  # fmt: skip
    rounds = result["rounds"]
    return (
        f"{machine_line(result['machine'])} Medians of {rounds} "
        f"round{'s' if rounds > 1 else ''}; the memory of further processes is not counted.\n\n"
        + markdown_table(head, rows)
    )


if __name__ == "__main__":
    main()
