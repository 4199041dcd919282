"""How large an error at x is to be expected: a model of the size of errors on held-out rows.

    log size(x) = intercept + coef . phi(x)
    phi(x) = log(spread of the starts + 0.1 mean |error|), prediction, x, |x|

A gamma regression of |error| with this link and a ridge (Smyth 1989 on models of dispersion), by
scikit-learn. Features are standardised, and cut off at the least and the largest that was seen. Of
a constant size, one by the spread alone and one by all of phi the first is taken whose loss, on
folds that it has not seen, is within one standard error of the lowest: rows that do not differ in
noise get intervals that do not differ in width.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FLOOR = 0.1  # of the mean error: a spread far below it tells nothing
_USUAL = 0.3  # the deviation of log size over the rows that the ridge takes to be usual
_NOISE = math.pi / 2.0 - 1.0  # the variance of |z| / E|z| of a normal z
_ROWS_PER_FEATURE = 5
_ROUNDING = 1e-9  # of their size: numbers that differ less are equal
_TINY = 1e-3  # of the mean error: smaller ones are as good as none


class Held(NamedTuple):
    """What is known of one output on the rows of one fold.

    rows (m,), indices; x (m, columns); prediction, spread (m,), mean and deviation over the starts
    of the net that has not seen them; error (m,), |y - prediction|; weight (m,).
    """

    rows: NDArray[np.intp]
    x: Floats
    prediction: Floats
    spread: Floats
    error: Floats
    weight: Floats

    def expected(self, size: ErrorSize) -> Floats:
        """Return how large the errors should be, (m,)."""
        return size(self.x, self.prediction, self.spread)


@dataclass(frozen=True, eq=False)
class ErrorSize:
    """A log-linear size of the errors of one output.

    Attributes
    ----------
    floor : what the spread is added to before its logarithm.
    middle, scale, low, high : (features,), how phi is standardised and where it is cut off.
    coef : (features,), intercept : (). No feature where the size is constant.
    """

    floor: Floats
    middle: Floats
    scale: Floats
    low: Floats
    high: Floats
    coef: Floats
    intercept: Floats

    def __call__(self, x: Floats, prediction: Floats, spread: Floats) -> Floats:
        """Return the size at each row, (m,), positive; see `Held` for the arguments."""
        if not len(self.coef):
            return np.full(len(x), math.exp(self.intercept))
        phi = _phi(len(self.coef), self.floor, x, prediction, spread)
        scaled = np.clip((phi - self.middle) / self.scale, self.low, self.high)
        return np.asarray(np.exp(self.intercept + scaled @ self.coef))

    def fits(self, n_features: int) -> bool:
        """Tell whether its arrays are of shapes that go together for x of so many columns."""
        single = self.floor.shape == self.intercept.shape == ()
        of_phi = {one.shape for one in (self.middle, self.scale, self.low, self.high, self.coef)}
        known = {(0,), (1,), (_n_all(n_features),)}
        return single and len(of_phi) == 1 and of_phi <= known and bool((self.scale > 0.0).all())


def apart(rows: Sequence[NDArray[np.intp]], fold: int) -> list[int]:
    """Return the folds that have no row of this one."""
    return [k for k, of in enumerate(rows) if not np.isin(of, rows[fold]).any()]


def sizes_of(folds: Sequence[Held]) -> tuple[list[ErrorSize], ErrorSize]:
    """Return for each fold a size that is not fitted to its own rows, and the one of all rows.

    Where a fold has rows of all others, or is alone, there is one size, a constant.
    """
    rows = [of.rows for of in folds]
    others = [[folds[k] for k in apart(rows, fold)] for fold in range(len(folds))]
    if not all(others):
        constant = _fitted(folds, 0)
        return [constant] * len(folds), constant
    least = min(sum(len(of.error) for of in some) for some in others)
    ways = [n for n in (0, 1, _n_all(folds[0].x.shape[1])) if least >= _ROWS_PER_FEATURE * n]
    found = [[_fitted(some, n) for some in others] for n in ways]
    losses = [_losses(sizes, folds) for sizes in found]
    weight = np.concatenate([of.weight for of in folds])
    taken = _first_as_good(losses, weight, np.concatenate(rows))
    return found[taken], _fitted(folds, ways[taken])


def _fitted(folds: Sequence[Held], n_features: int) -> ErrorSize:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import GammaRegressor

    rows, x, prediction, spread, error, weight = map(np.concatenate, zip(*folds, strict=True))
    mean = float(np.average(error, weights=weight))
    none, floor = np.empty(0), np.array(_FLOOR * mean)
    constant = ErrorSize(floor, none, none, none, none, none, np.array(math.log(mean or 1.0)))
    if not n_features or mean == 0.0:
        return constant
    phi = _phi(n_features, floor, x, prediction, spread)
    middle, scale = phi.mean(axis=0), phi.std(axis=0)
    scale = np.where(scale > _ROUNDING * (1.0 + np.abs(middle)), scale, 1.0)
    scaled = (phi - middle) / scale
    ridge = _NOISE * n_features / (len(np.unique(rows)) * _USUAL**2)
    model = GammaRegressor(alpha=ridge, max_iter=1000, tol=1e-6)
    with warnings.catch_warnings():
        # A size that is not quite the best is judged on other folds as any.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scaled, error / mean + _TINY, sample_weight=weight)
    return ErrorSize(
        floor, middle, scale, scaled.min(axis=0), scaled.max(axis=0), model.coef_,
        np.array(model.intercept_ + math.log(mean)),
    )  # fmt: skip


def _n_all(n_columns: int) -> int:
    """Return how many features all of phi are for x of so many columns."""
    return 2 + 2 * n_columns


def _phi(n: int, floor: Floats, x: Floats, prediction: Floats, spread: Floats) -> Floats:
    """Return the features (m, n): the first alone, or all."""
    by_spread = np.log(spread + floor)
    if n == 1:
        return by_spread[:, None]
    return np.column_stack([by_spread, prediction, x, np.abs(x)])


def _losses(sizes: Sequence[ErrorSize], folds: Sequence[Held]) -> Floats:
    """Return minus the log-likelihood of every row, (rows,), were errors exponential."""
    expected = np.concatenate([of.expected(size) for of, size in zip(folds, sizes, strict=True)])
    return np.log(expected) + np.concatenate([of.error for of in folds]) / expected


def _first_as_good(losses: Sequence[Floats], weight: Floats, rows: NDArray[np.intp]) -> int:
    """Return the first whose mean loss is within one standard error of the lowest.

    Parameters
    ----------
    losses, weight, rows : of what was held out; a row may be there several times.
    """
    best = min(losses, key=lambda loss: np.average(loss, weights=weight))
    for place, loss in enumerate(losses):
        behind = np.average(loss - best, weights=weight)
        of_rows = np.bincount(rows, weight * (loss - best - behind))
        if behind <= math.sqrt(of_rows @ of_rows) / weight.sum():
            return place
    raise AssertionError("the lowest loss is within its own error")
