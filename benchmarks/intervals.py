"""How often intervals of 90 % cover rows that were not seen, and how wide they are.

    python benchmarks/intervals.py [--quick] [--write-docs]

Contestants: `MLPRegressorCV().predict_interval` with no option; MAPIE's CV+ around scikit-learn's
MLP with its defaults, X and y standardised; and MAPIE's conformalised quantile regression over
folds, around scikit-learn's gradient boosting of quantiles. Every split holds a quarter of the rows
out; generated tables are drawn anew for each. Without MAPIE (`pip install mapie`) ours are alone.

Conventions
-----------
width : the mean over rows, in standard deviations of the training y.
score : width plus 20 times how far y lies outside (the interval score of Gneiting and Raftery 2007
    for 90 %), which is lowest for the true quantiles; means over tables are geometric.
band : where coverage lies with a chance of 99 %, if each row is covered with one of 90 %.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, geometric_mean
from typing import Any

import numpy as np
from common import (
    has_answered,
    machine,
    machine_line,
    markdown_table,
    parser_of,
    publish,
    run_fresh,
    say,
)

NAME = "intervals"
BUNDLED = ("diabetes", "linnerud waist", "iris petal width", "wine alcohol", "cell smoothness")
GENERATED = (
    "friedman 1", "friedman 2", "friedman 3", "linear", "sparse", "swiss roll", "steps",
    "uneven noise", "growing noise", "heavy tails", "skewed noise",
)  # fmt: skip
TABLES = (*BUNDLED, *GENERATED)
ROWS, COVERAGE = 400, 0.9
SPLITS, QUICK_SPLITS = 5, 1
PACKAGES = ("numpy", "scikit-learn", "mapie")
OURS, MLP, QUANTILES = "ours", "CV+ of MLP", "CQR of trees"
Interval = Callable[[Any, Any, Any, int], Any]  # X, y, X_test, split -> (m, 2)


def main() -> None:
    """Read the command line; measure; print and save."""
    options = parser_of(__doc__, f"{QUICK_SPLITS} split").parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    splits = QUICK_SPLITS if options.quick else SPLITS
    tasks = [{"data": name, "splits": splits} for name in TABLES]
    cases = [case for task in tasks for case in run_fresh(__file__, task, threads=1)]
    result = {"machine": machine(PACKAGES), "splits": splits, "cases": cases}
    publish(NAME, result, render(result), options, begin)


def measure(data: str, splits: int) -> list[dict[str, Any]]:
    """Return one case for each split: coverage, width, score and seconds of every contestant."""
    from sklearn.model_selection import train_test_split

    cases = []
    for split in range(splits):
        X, X_test, y, y_test = train_test_split(
            *load(data, split), test_size=0.25, random_state=split
        )
        found = {}
        for name, interval in contestants().items():
            begin = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of iterations that did not suffice
                ends = interval(X, y, X_test, split)
            seconds = time.process_time() - begin
            found[name] = {**judged(ends, y_test, float(np.std(y))), "seconds": seconds}
        cases.append({"data": data, "split": split, "rows": len(y), "scores": found})
        say(f"  {data}, split {split}: covered {found[OURS]['covered']} of {len(y_test)}")
    return cases


def judged(ends: Any, y: Any, unit: float) -> dict[str, Any]:
    """Return how many rows are covered, and mean width and score, of ends (m, 2)."""
    lower, upper = np.asarray(ends, dtype=float).T
    outside = np.maximum(lower - y, 0.0) + np.maximum(y - upper, 0.0)
    score = upper - lower + 2.0 / (1.0 - COVERAGE) * outside
    return {
        "covered": int((outside == 0.0).sum()), "of": len(y),
        "width": float((upper - lower).mean() / unit), "score": float(score.mean() / unit),
    }  # fmt: skip


def load(data: str, split: int) -> tuple[Any, Any]:
    """Return X and y of a bundled table, or of one that is generated for a split."""
    return _bundled(data) if data in BUNDLED else _generated(data, split)


def _bundled(data: str) -> tuple[Any, Any]:
    from sklearn import datasets

    if data == "diabetes":
        return datasets.load_diabetes(return_X_y=True)
    if data == "linnerud waist":
        people = datasets.load_linnerud()
        return people.data, people.target[:, 1]
    if data == "cell smoothness":  # the worst smoothness, of the means
        X = datasets.load_breast_cancer().data
        return X[:, :10], X[:, 24]
    column = {"iris petal width": 3, "wine alcohol": 0}[data]
    X = getattr(datasets, f"load_{data.split()[0]}")().data
    return np.delete(X, column, axis=1), X[:, column]


def _generated(data: str, seed: int) -> tuple[Any, Any]:
    from sklearn import datasets

    if data.startswith("friedman"):
        number = data[-1]
        noise = {"1": 1.0, "2": 100.0, "3": 0.1}[number]
        make = getattr(datasets, f"make_friedman{number}")
        return make(ROWS, noise=noise, random_state=seed)
    if data == "linear":
        return datasets.make_regression(ROWS, 10, n_informative=10, noise=50.0, random_state=seed)
    if data == "sparse":
        return datasets.make_sparse_uncorrelated(ROWS, 20, random_state=seed)
    if data == "swiss roll":
        return datasets.make_swiss_roll(ROWS, noise=0.5, random_state=seed)
    random = np.random.RandomState(seed)
    X = random.uniform(-2.0, 2.0, (ROWS, 3))
    normal, wave = random.normal(size=ROWS), np.sin(2 * X[:, 0]) * X[:, 1]
    y = {
        "steps": np.floor(X[:, 0]) + (X[:, 1] > 0.0) + 0.2 * normal,
        "uneven noise": wave + (0.1 + 0.4 * np.abs(X[:, 2])) * normal,
        "growing noise": np.exp(0.7 * X[:, 0] + 0.3 * X[:, 1]) * (1.0 + 0.3 * normal),
        "heavy tails": wave + 0.3 * random.standard_t(3, size=ROWS),
        "skewed noise": wave + 0.4 * random.exponential(size=ROWS),
    }
    return X, y[data]


def contestants() -> dict[str, Interval]:
    """Return what gives intervals: ours, and MAPIE's where it is installed."""
    found: dict[str, Interval] = {OURS: _ours}
    if importlib.util.find_spec("mapie"):
        found |= {MLP: _cv_plus, QUANTILES: _quantiles}
    return found


def _ours(X: Any, y: Any, X_test: Any, split: int) -> Any:
    import symbreak as sb

    net = sb.MLPRegressorCV(random_state=split).fit(X, y)
    return net.predict_interval(X_test, coverage=COVERAGE)


def _cv_plus(X: Any, y: Any, X_test: Any, split: int) -> Any:
    from mapie.regression import CrossConformalRegressor
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    net = make_pipeline(StandardScaler(), MLPRegressor(random_state=split))
    peer = CrossConformalRegressor(
        TransformedTargetRegressor(net, transformer=StandardScaler()),
        confidence_level=COVERAGE, random_state=split,
    )  # fmt: skip
    return peer.fit_conformalize(X, y).predict_interval(X_test)[1][:, :, 0]


def _quantiles(X: Any, y: Any, X_test: Any, split: int) -> Any:
    from mapie.regression import CrossConformalizedQuantileRegressor
    from sklearn.ensemble import GradientBoostingRegressor

    peer = CrossConformalizedQuantileRegressor(
        GradientBoostingRegressor(loss="quantile", random_state=split),
        confidence_level=COVERAGE, random_state=split, fit_central_estimator=False,
    )  # fmt: skip
    return peer.fit_conformalize(X, y).predict_interval(X_test)[1][:, :, 0]


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page."""
    cases = result["cases"]
    ways = list(cases[0]["scores"])
    parts = [machine_line(result["machine"]), f"{result['splits']} splits of each table."]
    if ways == [OURS]:
        parts.append("MAPIE was not installed: nothing to compare with.")
    tables = {data: _of(cases, data) for data in TABLES}
    parts += [_summary(tables, ways), "Coverage, %:", _coverage_table(tables, ways)]
    parts += ["Width and interval score, lower is better:", _width_table(tables, ways)]
    return "\n\n".join(parts)


def _of(cases: Sequence[Mapping[str, Any]], data: str) -> list[Mapping[str, Any]]:
    return [case for case in cases if case["data"] == data]


def coverage_of(cases: Sequence[Mapping[str, Any]], way: str) -> tuple[float, int]:
    """Return the share of rows covered over all splits, and how many rows there were."""
    rows = sum(case["scores"][way]["of"] for case in cases)
    return sum(case["scores"][way]["covered"] for case in cases) / rows, rows


def band(rows: int) -> tuple[float, ...]:
    """Return the least and the largest coverage of the 99 % band."""
    from scipy.stats import binom

    return tuple(float(binom.ppf(p, rows, COVERAGE) / rows) for p in (0.005, 0.995))


def _summary(tables: Mapping[str, Sequence[Mapping[str, Any]]], ways: Sequence[str]) -> str:
    rows = []
    for way in ways:
        covered = [coverage_of(cases, way) for cases in tables.values()]
        inside = sum(band(rows)[0] <= share <= band(rows)[1] for share, rows in covered)
        means = [
            geometric_mean([_mean(cases, way, key) for cases in tables.values()])
            for key in ("width", "score")
        ]
        seconds = fmean(_mean(cases, way, "seconds") for cases in tables.values())
        rows.append([
            way, f"{100 * fmean(share for share, _ in covered):.1f}", f"{inside} of {len(tables)}",
            *(f"{mean:.3f}" for mean in means), f"{seconds:.1f}",
        ])  # fmt: skip
    head = ["over all tables", "coverage, %", "in the band", "width", "score", "processor seconds"]
    return markdown_table(head, rows)


def _coverage_table(tables: Mapping[str, Sequence[Mapping[str, Any]]], ways: Sequence[str]) -> str:
    rows = []
    for data, cases in tables.items():
        tested = coverage_of(cases, ways[0])[1]
        low, high = band(tested)
        shares = [f"{100 * coverage_of(cases, way)[0]:.1f}" for way in ways]
        about = [str(cases[0]["rows"]), str(tested), f"{100 * low:.1f} to {100 * high:.1f}"]
        rows.append([data, *about, *shares])
    return markdown_table(["data", "trained on", "tested on", "band", *ways], rows)


def _width_table(tables: Mapping[str, Sequence[Mapping[str, Any]]], ways: Sequence[str]) -> str:
    keys = [(key, way) for key in ("width", "score") for way in ways]
    rows = [
        [data, *(f"{_mean(cases, way, key):.3f}" for key, way in keys)]
        for data, cases in tables.items()
    ]
    return markdown_table(["data", *(f"{key}, {way}" for key, way in keys)], rows)


def _mean(cases: Sequence[Mapping[str, Any]], way: str, key: str) -> float:
    return fmean(case["scores"][way][key] for case in cases)


if __name__ == "__main__":
    main()
