"""From a column to float64 numbers, and what counts as a number here.

    std = size * sqrt(mean(((x - mean) / size)^2)),   size = max |x - mean|

The differences are divided by their own size before they are squared, so that the squares of very
small ones do not vanish.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.table import leave_out

FloatArray = npt.NDArray[np.float64]

# Squares and sums of larger ones would overflow.
LARGEST = 1e150


def to_numbers(column: pl.Series, source: str, *, may_drop: bool = False) -> FloatArray:
    """Return the column as (m,) float64; NaN where a value is missing.

    Booleans become 0 and 1; text is taken where it spells a number. With `may_drop` a message tells
    how to do without the column.

    Raises
    ------
    InvalidInput
        A value is no number, infinite or beyond `LARGEST`; the sentence names column and value.
    """
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.String)):
        raise InvalidInput(
            f"Column '{column.name}' of '{source}' must hold numbers. Got {column.dtype} values "
            f"such as '{column.drop_nulls().head(1).to_list()}'."
        )
    numbers = column.cast(pl.Float64, strict=False)
    refused = (numbers.is_null() & column.is_not_null()).arg_max() or 0
    if numbers[refused] is None and column[refused] is not None:
        raise InvalidInput(
            f"Column '{column.name}' of '{source}' must hold numbers. "
            f"Got '{column[refused]}' in row {refused + 1}."
        )
    values: FloatArray = numbers.to_numpy()
    extreme = np.flatnonzero(np.abs(values) > LARGEST)
    if len(extreme):
        otherwise = f", or {leave_out(column.name)}" if may_drop else ""
        raise InvalidInput(
            f"Column '{column.name}' of '{source}' must hold finite numbers below {LARGEST:g} in "
            f"size. Got {values[extreme[0]]:g} in row {extreme[0] + 1}; correct it{otherwise}."
        )
    return values


def mean_and_std(values: FloatArray, weight: FloatArray | None = None) -> tuple[float, float]:
    """Return mean and standard deviation (divided by m); exactly 0 for equal values.

    Parameters
    ----------
    values
        Shape (m,), m at least 1, finite.
    weight
        Shape (m,), not all 0; None for all alike.
    """
    if weight is not None:
        values, weight = values[weight > 0], weight[weight > 0]
    if values.min() == values.max():
        return float(values[0]), 0.0
    mean = np.average(values, weights=weight)
    distance = values - mean
    size = np.abs(distance).max()
    return float(mean), float(size * np.sqrt(np.average((distance / size) ** 2, weights=weight)))


def median(values: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the median, shape (m,); of a weight of 2 that of the value twice."""
    if weight is None:
        return float(np.median(values))
    low, high = (
        sign * np.quantile(sign * values, 0.5, weights=weight, method="inverted_cdf")
        for sign in (1, -1)
    )
    return float((low + high) / 2)


def standardise(values: FloatArray, mean: float, std: float, name: str, source: str) -> FloatArray:
    """Return (values - mean) / std, shape (m,).

    Raises
    ------
    InvalidInput
        A value lies so far beyond `std` that the quotient overflows; its row is named.
    """
    with np.errstate(over="ignore"):
        scaled = (values - mean) / std
    beyond = np.flatnonzero(~np.isfinite(scaled))
    if len(beyond):
        raise InvalidInput(
            f"Column '{name}' of '{source}' must hold numbers of the size seen in training. "
            f"Got {values[beyond[0]]:g} in row {beyond[0] + 1}."
        )
    return scaled
