"""Which candidates of a search can be the best: those with a finite score on every fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import InvalidInput, InvalidType
from symbreak.estimators.interruption import NEVER_TRAINED, warn_interrupted
from symbreak.text import pluralize

NO_BEST = "The search was interrupted before any candidate had a score on every fold."


def without_scores_of_untrained(fits: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what scikit-learn notes of each fit, NaN for the scores of fits that never began.

    `error_score` is what a fit gets that failed by its own fault.
    """
    return [{**fit, **_unknown(fit)} if _is_untrained(fit) else fit for fit in fits]


def check_has_best(
    results: Mapping[str, Any], fits: Sequence[dict[str, Any]], refit: Any, *, is_interrupted: bool
) -> None:
    """Check that a candidate can be the best; of an interrupted search, say how many can.

    Parameters
    ----------
    results : `cv_results_`.
    fits : what scikit-learn notes of each fit.
    refit : of the search.

    Raises
    ------
    InvalidInput, InvalidType
        None can; the type is that of the first error of a fit.
    KeyboardInterrupt
        None can, as the search was interrupted.
    """
    scored = _scored(results, refit)
    n = int(scored.sum())
    if is_interrupted:
        if not n:
            raise KeyboardInterrupt(NO_BEST)
        warn_interrupted(
            f"The search was interrupted with {n} of {pluralize(len(scored), 'candidate')} scored "
            "on every fold; the best is the best of these."
        )
    elif not n:
        cause = _first_error(fits)
        kind = InvalidType if cause.startswith("TypeError") else InvalidInput
        raise kind(
            "A candidate of StackedSearchCV must have a finite score on every fold to be the best. "
            f"Got none of {len(scored)}; {cause or 'the scores are in cv_results_.'}"
        )


def _first_error(fits: Sequence[dict[str, Any]]) -> str:
    """Return what the first fit that failed has raised, of several lines the first; "" if none."""
    errors = [str(fit["fit_error"]) for fit in fits if fit.get("fit_error")]
    if not errors:
        return ""
    # It follows the indented lines of the last frame.
    after = errors[0].rpartition('\n  File "')[2].splitlines()[1:]
    return next((line for line in after if line and not line.startswith(" ")), "")


def _is_untrained(fit: Mapping[str, Any]) -> bool:
    return NEVER_TRAINED in (fit.get("fit_error") or "")


def _unknown(fit: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in ("test_scores", "train_scores") if name in fit]
    return {
        name: dict.fromkeys(fit[name], np.nan) if isinstance(fit[name], dict) else np.nan
        for name in names
    }


def _scored(results: Mapping[str, Any], refit: Any) -> NDArray[np.bool_]:
    """Return which candidates have a finite mean score, of several that by which `refit` goes."""
    by = f"mean_test_{refit}"
    names = [by] if by in results else [name for name in results if name.startswith("mean_test_")]
    found: NDArray[np.bool_] = np.isfinite([results[name] for name in names])
    return np.asarray(found.any(axis=0))
