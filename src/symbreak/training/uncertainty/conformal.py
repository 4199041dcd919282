"""Quantiles of errors that were held out, with which a new error is covered with a given chance.

    the ceil(coverage (n + 1))-th smallest of n errors is not exceeded by one more, which could as
    well have been any of them, with a chance of at least coverage (Vovk et al. 2005; Papadopoulos)

Conventions
-----------
weights : a row of weight 2 counts as two. They are scaled to sum to the number of equal weights
that tell as much, (sum w)^2 / sum w^2 (Kish 1965), and the new row counts 1: a common factor of
the weights does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symbreak.checks import check_above, check_fraction
from symbreak.errors import InvalidInput

Floats = NDArray[np.float64]
_ROUNDING = 1e-12
COVERAGE = 0.9  # that of intervals where no other is asked for


def effective_rows(weight: Floats) -> float:
    """Return how many rows of equal weight tell as much as rows of weights (m,)."""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def is_possible(coverage: float, n: float) -> bool:
    """Tell whether so many rows allow a coverage: the largest of n errors covers n / (n + 1)."""
    return coverage * (n + 1.0) <= n * (1.0 + _ROUNDING)


def conformal_quantile(scores: Floats, weight: Floats, n: float, coverage: float) -> Floats:
    """Return the score that covers a new one, for each output, (outputs,).

    Parameters
    ----------
    scores : (rows, outputs).
    weight : (rows,), not negative.
    n : the effective number of rows; a row that was held out twice is one.
    coverage : above 0 and below 1.

    Raises
    ------
    InvalidInput
        The coverage is no such number, or more than n rows allow.
    """
    check_above("coverage", coverage, 0.0)
    check_fraction("coverage", coverage)
    if not is_possible(coverage, n):
        raise InvalidInput(
            f"coverage must be at most {n / (n + 1.0):.4g} with {n:.4g} rows that were held out, "
            f"as the largest of n errors covers n / (n + 1) of new ones. Got {coverage}; fit on "
            "more rows, or ask for less."
        )
    order = np.argsort(scores, axis=0)
    mass = np.cumsum(weight[order], axis=0)
    needed = coverage * (n + 1.0) / n * mass[-1] * (1.0 - _ROUNDING)
    place = (mass < needed).sum(axis=0)
    return np.take_along_axis(np.sort(scores, axis=0), place[None], axis=0)[0]
