"""Fits that are stopped early on purpose."""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning


def quiet(estimator, *args, **kwargs):
    """Return the estimator, fitted, without the warning that it has not converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*args, **kwargs)
