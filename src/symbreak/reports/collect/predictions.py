"""How good predictions are, and how surely that is known.

Conventions
-----------
accuracy   p = right / m; the interval is Wilson's (1927, J. Am. Stat. Assoc. 22, 209) for 95 %.
R², RMSE   the interval holds 95 % of the scores of 1000 samples of the rows, drawn with replacement
           (percentile bootstrap, Efron 1979); its seed is fixed.
Both speak of other rows from the same source, not of another training.
Reliability: the rows are put into ten bins by the probability of the class that is predicted; of a
calibrated prediction the share of right answers in a bin is the mean probability there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.reports.numbers import section, short
from symbreak.training.scores import most_frequent_share

Floats = NDArray[np.float64]
Z = 1.959963984540054  # of 95 %
SAMPLES, BINS, MOST_CLASSES, MOST_PAIRS = 1000, 10, 50, 400


def wilson(right: int, m: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    p, w = right / m, Z * Z / m
    middle, half = p + w / 2.0, Z * math.sqrt(p * (1.0 - p) / m + w / (4.0 * m))
    # At 0 and 1 the limit is exactly 0 or 1; rounding may step over it.
    return max((middle - half) / (1.0 + w), 0.0), min((middle + half) / (1.0 + w), 1.0)


def of_classes(y: NDArray[Any], probability: Floats, names: Sequence[Any]) -> dict[str, Any]:
    """Return scores, confusion matrix and reliability.

    Parameters
    ----------
    y : (m,) class indices.
    probability : (m, K), finite.
    names : (K,).
    """
    m, guess = len(y), probability.argmax(axis=1)
    right = guess == y
    shares = probability / probability.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        log_loss = float(-np.log(shares[np.arange(m), y]).mean())
    return section({
        "kind": "classes",
        "rows": m,
        "accuracy": float(right.mean()),
        "accuracy_interval": list(wilson(int(right.sum()), m)),
        "log_loss": log_loss,
        "most_frequent_share": most_frequent_share(y),
        "confusion": _confusion(y, guess, names),
        "reliability": _reliability(shares.max(axis=1), right),
    })  # fmt: skip


def of_numbers(y: Floats, predicted: Floats) -> dict[str, Any]:
    """Return scores, their intervals and residuals; y and predicted (m,), in the table's unit."""
    order = np.argsort(y, kind="stable")
    some = order[_even(len(y), MOST_PAIRS)]
    residual = y - predicted
    quantiles = np.quantile(residual, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
    found: dict[str, Any] = {
        "kind": "numbers",
        "rows": len(y),
        "r2": _r2(y, predicted),
        "rmse": _rmse(y, predicted),
        "residual_quantiles": dict(
            zip(("0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"), quantiles, strict=True)
        ),
        "pairs": {"known": y[some], "predicted": predicted[some]},
    }
    found["r2_interval"], found["rmse_interval"] = _bootstrap(y, predicted)
    return section(found)


def _confusion(y: NDArray[Any], guess: NDArray[Any], names: Sequence[Any]) -> dict[str, Any]:
    K = len(names)
    table = np.zeros((K, K), dtype=np.int64)
    np.add.at(table, (y, guess), 1)
    wrong = table.sum(0) + table.sum(1) - 2 * np.diag(table)
    # Of too many classes those are shown that take part in the most errors.
    shown = np.sort(np.argsort(-wrong, kind="stable")[:MOST_CLASSES])
    return {
        "of_classes": K,
        "classes": [short(names[k]) for k in shown],
        "counts": table[np.ix_(shown, shown)],
        "right": np.diag(table)[shown],
        "known": table.sum(1)[shown],
        "predicted": table.sum(0)[shown],
    }


def _reliability(sure: Floats, right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = []
    for number in range(BINS):
        rows = place == number
        n = int(rows.sum())
        if n:
            share = float(right[rows].mean())
            bins.append({
                "from": number / BINS, "to": (number + 1) / BINS, "rows": n,
                "mean_probability": float(sure[rows].mean()), "right": share,
                "interval": list(wilson(int(right[rows].sum()), n)),
            })  # fmt: skip
    return bins


def _bootstrap(y: Floats, predicted: Floats) -> tuple[Any, Any]:
    if len(y) < 2:
        return None, None
    random = np.random.default_rng(0)
    rows = (random.integers(0, len(y), len(y)) for _ in range(SAMPLES))
    scores = [(_r2(y[part], predicted[part]), _rmse(y[part], predicted[part])) for part in rows]
    r2, rmse = np.array(scores).T
    r2 = r2[~np.isnan(r2)]  # a sample of one value has none
    return _limits(r2) if len(r2) else None, _limits(rmse)


def _limits(scores: Floats) -> list[float]:
    return [float(limit) for limit in np.quantile(scores, [0.025, 0.975], method="nearest")]


def _r2(y: Floats, predicted: Floats) -> float:
    with np.errstate(all="ignore"):
        return float(1.0 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2))


def _rmse(y: Floats, predicted: Floats) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean((y - predicted) ** 2)))


def _even(n: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
