"""How good the estimators are on rows they have not seen, beside scikit-learn's.

    python benchmarks/quality.py [--quick] [--write-docs]

Contestants: scikit-learn's MLP, ours with one start, with 16 averaged and with the best of 16 by
validation (a fifth of the training rows, which then train nothing), and histogram gradient boosting
with its defaults as the reference from outside. All MLPs have 25 tanh units, L-BFGS, at most 400
iterations and the same alpha: once that of scikit-learn's defaults, once a strong one. Inputs, and
targets in regression, are standardised on the training rows. Every split holds a quarter of the
rows out, and draws rows and starts anew.

Conventions
-----------
loss : log-loss for classes, RMSE in units of the target's standard deviation for numbers.
difference : of the losses on the same split; its noise is twice its standard error over the splits.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from statistics import fmean, stdev
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

NAME = "quality"
CLASSES = ("iris", "wine", "breast cancer", "digits", "two moons")
NUMBERS = ("diabetes", "friedman 1", "friedman 3", "sine of two")
SPLITS, QUICK_SPLITS = 10, 2
ALPHAS = (1e-4, 1.0)
STARTS, MAX_ITER, UNITS = 16, 400, 25
PACKAGES = ("numpy", "scikit-learn")
PEER, SINGLE, AVERAGE, BEST, TREES = "scikit-learn", "1 start", "16 averaged", "best of 16", "trees"
WAYS = (PEER, SINGLE, AVERAGE, BEST, TREES)


def main() -> None:
    """Read the command line; measure; print and save."""
    options = parser_of(__doc__, f"{QUICK_SPLITS} splits").parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    splits = QUICK_SPLITS if options.quick else SPLITS
    tasks = [{"data": name, "splits": splits} for name in (*CLASSES, *NUMBERS)]
    cases = [case for task in tasks for case in run_fresh(__file__, task, threads=1)]
    result = {"machine": machine(PACKAGES), "splits": splits, "cases": cases}
    publish(NAME, result, render(result), options, begin)


def measure(data: str, splits: int) -> list[dict[str, Any]]:
    """Return one case for each split: loss, and accuracy of classes, of every way."""
    from sklearn.model_selection import train_test_split

    X, y = load(data)
    kind = CLASSES if data in CLASSES else NUMBERS
    cases = []
    for alpha, split in product(ALPHAS, range(splits)):
        stratify = y if kind is CLASSES else None
        parts = train_test_split(X, y, test_size=0.25, random_state=split, stratify=stratify)
        make = classifiers if kind is CLASSES else regressors
        found = {name: fit(*parts) for name, fit in make(split, alpha).items()}
        case = {"data": data, "alpha": alpha, "split": split, "rows": len(y)}
        cases.append({**case, "scores": found})
    say(f"  {data}: {splits} splits")
    return cases


def load(data: str) -> tuple[Any, Any]:
    """Return X and y of a bundled or a generated set."""
    from sklearn import datasets

    bundled = {"breast cancer": "breast_cancer"}.get(data, data)
    random = np.random.RandomState(0)
    if data == "two moons":
        return datasets.make_moons(400, noise=0.3, random_state=0)
    if data == "friedman 1":
        return datasets.make_friedman1(400, noise=1.0, random_state=0)
    if data == "friedman 3":
        return datasets.make_friedman3(400, noise=0.1, random_state=0)
    if data == "sine of two":
        X = random.uniform(-2, 2, (300, 2))
        return X, np.sin(2 * X[:, 0]) * X[:, 1] + 0.2 * random.normal(size=300)
    return getattr(datasets, f"load_{bundled}")(return_X_y=True)


Fit = Callable[[Any, Any, Any, Any], dict[str, float]]
COMMON: dict[str, Any] = {
    "hidden_layer_sizes": (UNITS,), "activation": "tanh", "solver": "lbfgs", "max_iter": MAX_ITER,
}  # fmt: skip


def classifiers(seed: int, alpha: float) -> dict[str, Fit]:
    """Return what trains each way and scores it."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import symbreak as sb

    common = {**COMMON, "alpha": alpha, "random_state": seed}
    ours = {**common, "standardize": True}
    many = {**ours, "n_starts": STARTS}
    return {
        PEER: _plain(make_pipeline(StandardScaler(), MLPClassifier(**common)), of_classes),
        SINGLE: _plain(sb.MLPClassifier(**ours), of_classes),
        AVERAGE: _plain(sb.MLPClassifier(**many, combine="average"), of_classes),
        BEST: _validated(
            sb.MLPClassifier(**many, combine="best", scoring="neg_log_loss"), of_classes
        ),
        TREES: _plain(HistGradientBoostingClassifier(random_state=seed), of_classes),
    }


def regressors(seed: int, alpha: float) -> dict[str, Fit]:
    """Return what trains each way and scores it."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import symbreak as sb

    common = {**COMMON, "alpha": alpha, "random_state": seed}
    peer = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), MLPRegressor(**common)), transformer=StandardScaler()
    )
    ours = {**common, "standardize": True}
    many = {**ours, "n_starts": STARTS}
    return {
        PEER: _plain(peer, of_numbers),
        SINGLE: _plain(sb.MLPRegressor(**ours), of_numbers),
        AVERAGE: _plain(sb.MLPRegressor(**many, combine="average"), of_numbers),
        BEST: _validated(sb.MLPRegressor(**many, combine="best"), of_numbers),
        TREES: _plain(HistGradientBoostingRegressor(random_state=seed), of_numbers),
    }


def _plain(estimator: Any, score: Callable[..., dict[str, float]]) -> Fit:
    def fit(X: Any, X_test: Any, y: Any, y_test: Any) -> dict[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of iterations that did not suffice, for either
            return score(estimator.fit(X, y), X_test, y_test)

    return fit


def _validated(estimator: Any, score: Callable[..., dict[str, float]]) -> Fit:
    from sklearn.model_selection import train_test_split

    def fit(X: Any, X_test: Any, y: Any, y_test: Any) -> dict[str, float]:
        stratify = y if score is of_classes else None
        X, X_val, y, y_val = train_test_split(
            X, y, test_size=0.2, random_state=0, stratify=stratify
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(X, y, X_val=X_val, y_val=y_val)
        return score(estimator, X_test, y_test)

    return fit


def of_classes(estimator: Any, X: Any, y: Any) -> dict[str, float]:
    """Return log-loss and accuracy."""
    from sklearn.metrics import accuracy_score, log_loss

    probabilities = estimator.predict_proba(X)
    labels = estimator.classes_[probabilities.argmax(1)]
    loss = log_loss(y, probabilities, labels=estimator.classes_)
    return {"loss": float(loss), "accuracy": float(accuracy_score(y, labels))}


def of_numbers(estimator: Any, X: Any, y: Any) -> dict[str, float]:
    """Return the RMSE over the standard deviation of y."""
    from sklearn.metrics import root_mean_squared_error

    return {"loss": float(root_mean_squared_error(y, estimator.predict(X)) / np.std(y))}


def render(result: Mapping[str, Any]) -> str:
    """Return the section of the page."""
    parts = [machine_line(result["machine"]), f"Means over {result['splits']} splits."]
    for alpha in ALPHAS:
        cases = [case for case in result["cases"] if case["alpha"] == alpha]
        parts += [f"### alpha {alpha:g}", _summary(cases)]
        parts += ["Log-loss of classes, RMSE of numbers in standard deviations of y:"]
        parts += [_table(cases, "loss", (*CLASSES, *NUMBERS))]
        parts += ["Accuracy, %:", _table(cases, "accuracy", CLASSES)]
    return "\n\n".join(parts)


def _summary(cases: Sequence[Mapping[str, Any]]) -> str:
    verdicts = [_verdict(_of(cases, data)) for data in (*CLASSES, *NUMBERS)]
    better, worse = (verdicts.count(word) for word in ("better", "worse"))
    return (
        f"16 averaged against scikit-learn's single start, beyond the noise: better on {better} of "
        f"{len(verdicts)} sets, worse on {worse}."
    )


def _table(cases: Sequence[Mapping[str, Any]], key: str, sets: Sequence[str]) -> str:
    head = ["data", "rows", *WAYS, "16 averaged / scikit-learn"]
    factor, digits = (100.0, 1) if key == "accuracy" else (1.0, 4)
    rows = []
    for data in sets:
        group = _of(cases, data)
        means = [fmean(case["scores"][way][key] for case in group) for way in WAYS]
        last = f"{means[2] / means[0]:.3f}"
        if key == "loss":
            last += f", {_verdict(group)}"
        cells = [f"{factor * mean:.{digits}f}" for mean in means]
        rows.append([data, str(group[0]["rows"]), *cells, last])
    return markdown_table(head, rows)


def _of(cases: Sequence[Mapping[str, Any]], data: str) -> list[Mapping[str, Any]]:
    return [case for case in cases if case["data"] == data]


def _verdict(group: Sequence[Mapping[str, Any]]) -> str:
    """Compare the losses of 16 averaged with those of scikit-learn, split by split."""
    gains = [c["scores"][PEER]["loss"] - c["scores"][AVERAGE]["loss"] for c in group]
    noise = 2 * stdev(gains) / len(gains) ** 0.5
    return "equal" if abs(fmean(gains)) <= noise else "better" if fmean(gains) > 0 else "worse"


if __name__ == "__main__":
    main()
