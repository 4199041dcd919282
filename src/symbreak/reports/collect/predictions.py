"""How good predictions are, and how surely that is known.

Conventions
-----------
accuracy   the interval is that of `symbreak.training.share_interval`.
R², RMSE   the interval holds 95 % of the scores of 1000 samples of the rows, drawn with replacement
           (percentile bootstrap, Efron 1979); its seed is fixed. Samples of equal targets tell
           nothing of R² and are left out. By cross-validation it is 1.96 standard errors to both
           sides.
The scores themselves are those of `symbreak.training.scores`.
Both speak of other rows from the same source, not of another training.
Reliability and the expected calibration error are those of `symbreak.training.uncertainty`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbreak.reports.numbers import section, short
from symbreak.text import pluralize
from symbreak.training.confusion import Confusion
from symbreak.training.scores import Scores, most_frequent_share, number_scores
from symbreak.training.share_interval import Z, effective_rows, wilson
from symbreak.training.uncertainty import Reliability, reliability

if TYPE_CHECKING:  # needs polars; a report of an estimator does not
    from symbreak.tables.target import Target
    from symbreak.training.cross_validation import CrossValidation
    from symbreak.training.table_errors import Intervals

Floats = NDArray[np.float64]
SAMPLES, MOST_CLASSES, MOST_PAIRS = 1000, 50, 400


def scored(
    target: Target,
    y: NDArray[Any],
    prediction: NDArray[Any],
    scores: Scores | None,
    effective: float | None = None,
) -> dict[str, Any]:
    """Return the section on a prediction of a table's target.

    Parameters
    ----------
    y : (m,), as `Target.encode` gives it.
    prediction : (m, outputs), after the link.
    scores : of the prediction; None where it is not finite.
    effective : for how many rows they count; None for each as one.
    """
    if scores is None:
        return _none(len(y))
    if target.classes:
        return of_classes(y, prediction, target.classes, scores, effective)
    return of_numbers(target.unscale(y), target.unscale(prediction[:, 0]), scores)


def cross_validated(found: CrossValidation) -> dict[str, Any]:
    """Return the section on predictions by cross-validation.

    Scores are those of all repeats, with intervals of numbers by their standard errors; confusion,
    residuals and reliability are those of the first.
    """
    effective = effective_rows(len(found.y), found.weight, found.groups)
    section = scored(found.target, found.y, found.predictions[0], found.scores, effective)
    section["where"], section["standard_error"] = f"by {found.words}", list(found.standard_errors)
    if section["kind"] == "numbers" and found.scores is not None:
        r2, rmse = found.scores.score, found.scores.error
        of_r2, of_rmse = (Z * error for error in found.standard_errors)
        n = len(found.y) if found.groups is None else len(np.unique(found.groups))
        section["over"] = pluralize(n, "row" if found.groups is None else "group")
        section["r2_interval"] = [r2 - of_r2, min(r2 + of_r2, 1.0)]
        section["rmse_interval"] = [max(rmse - of_rmse, 0.0), rmse + of_rmse]
    return section


def with_intervals(section: dict[str, Any], found: Intervals | None) -> dict[str, Any]:
    """Return the section on predictions of numbers with what their intervals are like."""
    if found is None or section["kind"] != "numbers":
        return section
    within = None
    if found.covered is not None:
        within = list(wilson(round(found.covered * found.rows), found.rows))
    return {**section, "intervals": {**found.as_dict(), "covered_interval": within}}


def of_classes(
    y: NDArray[Any],
    probability: Floats,
    names: Sequence[Any],
    scores: Scores,
    effective: float | None = None,
) -> dict[str, Any]:
    """Return scores, confusion matrix and reliability.

    Parameters
    ----------
    y : (m,) class indices.
    probability : (m, K), finite.
    names : (K,).
    effective : for how many rows they count; None for each as one.
    """
    probability = np.asarray(probability, dtype=np.float64)
    m, guess = len(y), probability.argmax(axis=1)
    n = m if effective is None else effective
    found = reliability(y, probability / probability.sum(axis=1, keepdims=True))
    return section({
        "kind": "classes",
        "rows": m,
        **scores.as_dict(),
        "accuracy_interval": list(wilson(scores.score * n, n)),
        "effective_rows": n,
        "most_frequent_share": most_frequent_share(y),
        "confusion": _confusion(Confusion.of(y, guess, tuple(names))),
        "reliability": _bins(found),
        "calibration_error": found.error,
        "calibration_error_by_chance": found.by_chance,
    })  # fmt: skip


def of_numbers(y: Floats, predicted: Floats, scores: Scores) -> dict[str, Any]:
    """Return scores, their intervals and residuals; y and predicted (m,), in the table's unit."""
    order = np.argsort(y, kind="stable")
    some = order[_even(len(y), MOST_PAIRS)]
    residual = y - predicted
    quantiles = np.quantile(residual, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
    found: dict[str, Any] = {
        "kind": "numbers",
        "rows": len(y),
        **scores.as_dict(),
        "residual_quantiles": dict(
            zip(("0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"), quantiles, strict=True)
        ),
        "pairs": {"known": y[some], "predicted": predicted[some]},
    }
    found["r2_interval"], found["rmse_interval"] = _bootstrap(y, predicted)
    return section(found)


def _none(rows: int) -> dict[str, Any]:
    """Return the section on predictions that are not all finite."""
    return {"kind": "none", "rows": rows}


def _confusion(found: Confusion) -> dict[str, Any]:
    # Of too many classes those are shown that take part in the most errors.
    shown = np.sort(found.by_errors[:MOST_CLASSES])
    return {
        "of_classes": len(found.classes),
        "classes": [short(found.classes[k]) for k in shown],
        "counts": found.counts[np.ix_(shown, shown)],
        "right": found.right[shown],
        "known": found.known[shown],
        "predicted": found.counts.sum(axis=0)[shown],
        "recall": [found.recall[k] for k in shown],
    }


def _bins(found: Reliability) -> list[dict[str, Any]]:
    bins = zip(found.confidence, found.accuracy, found.rows, strict=True)
    return [
        {
            "rows": int(rows),
            "mean_probability": float(probability),
            "right": float(right),
            "interval": list(wilson(round(right * rows), int(rows))),
        }
        for probability, right, rows in bins
    ]


def _bootstrap(y: Floats, predicted: Floats) -> tuple[Any, Any]:
    if len(y) < 2:
        return None, None
    random = np.random.default_rng(0)
    samples = [random.integers(0, len(y), len(y)) for _ in range(SAMPLES)]
    scores = [number_scores(y[rows], predicted[rows]) for rows in samples]
    r2 = [one.score for one, rows in zip(scores, samples, strict=True) if np.ptp(y[rows]) > 0.0]
    return _limits(r2) if r2 else None, _limits([one.error for one in scores])


def _limits(scores: Sequence[float]) -> list[float]:
    return [float(limit) for limit in np.quantile(scores, [0.025, 0.975], method="nearest")]


def _even(n: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
