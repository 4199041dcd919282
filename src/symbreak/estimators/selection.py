"""Which hidden layers and which penalty: a search over both by scores on folds.

Conventions
-----------
scores : (folds,), higher is better; not finite where a fold ended without a finite prediction
Of each architecture the penalty with the highest mean is its best. Of the architectures the one
with the fewest parameters wins whose best is within one standard error of the highest, the error
that of the differences fold by fold (Breiman et al. 1984). Of penalties the highest mean alone
decides: the larger one within a standard error predicted worse on 13 of 15 tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST = (0.01, 0.1, 1.0, 10.0, 100.0)
_LEAST, _MOST = -8, 8  # powers of ten
# Of the range of the scores: a rise of less is no reason to go further.
_RISE = 1e-4

Scores = NDArray[np.float64]
# penalties -> (penalties, folds)
Scored = Callable[[Sequence[float]], Scores]


@dataclass(frozen=True, eq=False)
class Candidate:
    """Hidden layers and a penalty, and what their network scored on each fold."""

    hidden_layer_sizes: tuple[int, ...]
    n_parameters: int
    alpha: float
    scores: Scores

    @property
    def mean(self) -> float:
        """The mean over folds, minus infinity where a fold has no finite score."""
        return _mean(self.scores)


def path_of(scored: Scored, alphas: Sequence[float] | None) -> dict[float, Scores]:
    """Return the scores by penalty, the smallest first.

    Parameters
    ----------
    scored : gives the scores of penalties.
    alphas : the penalties; None takes powers of ten, goes on beyond an edge that is the best, and
        halves the step around the best.
    """
    wanted = FIRST if alphas is None else tuple(alphas)
    found = dict(zip(wanted, scored(wanted), strict=True))
    if alphas is None:
        while (further := _beyond(found)) is not None:
            found[further] = scored([further])[0]
        best, half = best_of(found), math.sqrt(10.0)
        beside = [best / half, best * half]
        found.update(zip(beside, scored(beside), strict=True))
    return dict(sorted(found.items()))


def best_of(path: Mapping[float, Scores]) -> float:
    """Return the penalty with the highest mean score, the larger one of equals."""
    return max(path, key=lambda alpha: (_mean(path[alpha]), alpha))


def chosen(candidates: Sequence[Candidate]) -> int | None:
    """Return which candidate is taken; None where none has a finite score on every fold."""
    best: dict[tuple[int, ...], int] = {}
    for place, one in enumerate(candidates):
        other = best.setdefault(one.hidden_layer_sizes, place)
        if (one.mean, one.alpha) > (candidates[other].mean, candidates[other].alpha):
            best[one.hidden_layer_sizes] = place
    finite = [place for place in best.values() if math.isfinite(candidates[place].mean)]
    if not finite:
        return None
    top = candidates[max(finite, key=lambda place: candidates[place].mean)]
    by_size = sorted(finite, key=lambda place: candidates[place].n_parameters)
    return next(place for place in by_size if _is_within_error(candidates[place], top))


def _is_within_error(one: Candidate, top: Candidate) -> bool:
    behind = top.scores - one.scores
    error = behind.std(ddof=1) / math.sqrt(len(behind)) if len(behind) > 1 else 0.0
    return bool(behind.mean() <= error)


def _beyond(found: Mapping[float, Scores]) -> float | None:
    """Return the next penalty beyond an edge that is the best and still rises; None for none."""
    alphas, best = sorted(found), best_of(found)
    means = [_mean(found[alpha]) for alpha in alphas]
    known = [mean for mean in means if math.isfinite(mean)]
    enough = _RISE * (max(known) - min(known)) if known else math.inf
    if best == alphas[0] and means[0] - means[1] > enough and best > 10.0**_LEAST:
        return float(10.0 ** (round(math.log10(best)) - 1))
    if best == alphas[-1] and means[-1] - means[-2] > enough and best < 10.0**_MOST:
        return float(10.0 ** (round(math.log10(best)) + 1))
    return None


def _mean(scores: Scores) -> float:
    return float(scores.mean()) if np.isfinite(scores).all() else -math.inf
