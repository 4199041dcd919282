"""Whether probabilities mean what they say: reliability and the expected calibration error.

    confidence = the largest probability of a row,  right = whether that class is the known one
    error = sum over bins of (share of rows) |mean confidence - share of right rows|

Of several classes this is the calibration of the predicted one ("top label"). Bins as in
scikit-learn's `calibration_curve`: "quantile" of equally many rows, "uniform" of equal width. Of
the former the error is less biased (Roelofs et al. 2022); the latter, of 15 bins, is the expected
calibration error of Guo, Pleiss, Sun, Weinberger 2017. A mean of absolute values is above 0 by
chance: `by_chance` is what it would be were the probabilities right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.checks import check_integer_at_least
from symbreak.errors import choose

Floats = NDArray[np.float64]
STRATEGIES = ("quantile", "uniform")
BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """What was promised and what came true in bins of confidence.

    Attributes
    ----------
    confidence, accuracy : (bins,), weighted means in each bin; rising confidence, no empty bin.
    share : (bins,), of the rows' weight; they sum to 1.
    rows : (bins,), how many rows.
    by_chance : the expected calibration error to be expected of probabilities that are right.
    """

    confidence: Floats
    accuracy: Floats
    share: Floats
    rows: NDArray[np.intp]
    by_chance: float

    @property
    def error(self) -> float:
        """The expected calibration error, from 0 to 1."""
        return float(self.share @ np.abs(self.confidence - self.accuracy))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "confidence": self.confidence.tolist(),
            "accuracy": self.accuracy.tolist(),
            "share": self.share.tolist(),
            "rows": self.rows.tolist(),
            "expected_calibration_error": self.error,
            "by_chance": self.by_chance,
        }


def reliability(
    index: Any,
    probabilities: Any,
    *,
    bins: int = BINS,
    strategy: str = "quantile",
    sample_weight: Any = None,
) -> Reliability:
    """Return the reliability of the predicted class.

    Parameters
    ----------
    index : (m,), the known classes, 0 .. K-1.
    probabilities : (m, K).
    bins : at most so many; empty ones are left out.
    strategy : "quantile" or "uniform".
    sample_weight : (m,), or None.
    """
    check_integer_at_least("bins", bins, 1)
    p = np.asarray(probabilities, dtype=np.float64)
    right = (p.argmax(axis=1) == np.asarray(index)).astype(np.float64)
    confidence = np.minimum(p.max(axis=1), 1.0)
    weight = np.ones(len(p)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    place = _bin_of(confidence, bins, strategy)
    held = [
        rows for rows in (np.flatnonzero(place == k) for k in range(bins)) if weight[rows].any()
    ]
    share = np.array([weight[rows].sum() for rows in held]) / weight.sum()
    confidences, accuracies = (
        np.array([np.average(of[rows], weights=weight[rows]) for rows in held])
        for of in (confidence, right)
    )
    return Reliability(
        confidence=confidences,
        accuracy=accuracies,
        share=share,
        rows=np.array([len(rows) for rows in held]),
        by_chance=sum(_by_chance(confidence[rows], weight[rows]) for rows in held) / weight.sum(),
    )


def _bin_of(confidence: Floats, bins: int, strategy: str) -> NDArray[np.intp]:
    """Return the bin of each row, 0 .. bins-1; equal confidences share one."""
    if choose("strategy", strategy, STRATEGIES) == "uniform":
        edges = np.linspace(0.0, 1.0, bins + 1)
    else:
        edges = np.quantile(confidence, np.linspace(0.0, 1.0, bins + 1))
    return np.searchsorted(edges[1:-1], confidence)


def _by_chance(p: Floats, weight: Floats) -> float:
    """Return E |sum w (p - right)| of independent right ~ p, by the normal law."""
    return math.sqrt(2.0 / math.pi * float(np.square(weight) @ (p * (1.0 - p))))
