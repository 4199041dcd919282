"""What scikit-learn's validation would pass as it is.

Its questions, whether this is a data frame of some library and the like, take as long as the fit of
a small network, and a search asks them of every fold. What is not plain goes through them, and gets
their errors and warnings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from symbreak.arrays import quiet

FLOATS = (np.float64, np.float32)


def check_fitted(estimator: Any) -> None:
    """Check that an estimator of ours is fitted, in scikit-learn's words where it is not."""
    if not estimator.__sklearn_is_fitted__():
        check_is_fitted(estimator)


def is_plain(X: Any) -> bool:
    """Tell whether it is finite float64 or float32 (m, features) of NumPy, neither of them 0."""
    return type(X) is np.ndarray and X.ndim == 2 and X.dtype in FLOATS and _is_finite(X)


def is_plain_target(y: Any, m: int) -> bool:
    """Tell whether it is integers or finite float64 or float32 (m,) of NumPy."""
    if type(y) is not np.ndarray or y.shape != (m,):
        return False
    return y.dtype.kind in "iu" or (y.dtype in FLOATS and _is_finite(y))


@quiet
def _is_finite(numbers: Any) -> bool:
    # A sum is finite only if every number is; one that overflows is for others to judge.
    return numbers.size > 0 and bool(np.isfinite(numbers.sum()))
