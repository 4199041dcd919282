"""Which network and which penalty: a search over both by scores on folds.

Conventions
-----------
scores : (folds,), higher is better; not finite where a fold ended without a finite prediction
Of each network the penalty with the highest mean is its best. Of the networks the one with the
fewest parameters wins whose best is within one standard error of the highest, the error that of the
differences fold by fold (Breiman et al. 1984); of equally many, the highest. Of penalties the
highest mean alone decides: the largest one within a standard error had 2 % more error on the whole,
on 15 tables of scikit-learn and of constructed truths.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARCHITECTURES: tuple[tuple[int, ...], ...] = ((), (20,), (20, 20))
# All architectures have the first one; the best of them with hidden layers has the others too.
ACTIVATIONS = ("tanh", "silu")
FIRST = (0.1, 1.0, 10.0, 100.0)
_LEAST, _MOST = -8, 8  # powers of ten
# Of the range of the scores: a rise of less is no reason to go further.
_RISE = 1e-4

Layers = tuple[int, ...]
Scores = NDArray[np.float64]
# penalties -> (penalties, folds)
Scored = Callable[[Sequence[float]], Scores]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network and a penalty, and what it scored on each fold."""

    hidden_layer_sizes: Layers
    activation: Any
    n_parameters: int
    alpha: float
    scores: Scores

    @property
    def network(self) -> tuple[Any, ...]:
        """What it has beside the penalty."""
        return self.hidden_layer_sizes, self.activation

    @property
    def mean(self) -> float:
        """The mean over folds, minus infinity where a fold has no finite score."""
        return _mean(self.scores)


def name_of(layers: Layers, activation: Any) -> str:
    """Return what a network is called for people."""
    words = activation if isinstance(activation, str) else "/".join(map(str, activation))
    return f"{'-'.join(map(str, layers))} {words}" if layers else "no hidden layer"


def compared(
    path: Callable[[Layers, Any], list[Candidate]],
    architectures: Sequence[Layers],
    activations: Sequence[Any],
) -> list[Candidate]:
    """Return all candidates.

    Parameters
    ----------
    path : gives those of one network.
    architectures : hidden layers, all with the first activation.
    activations : the others are for the best architecture that has hidden layers.
    """
    first, *others = activations
    found = [one for layers in architectures for one in path(layers, first)]
    hidden = [one for one in found if one.hidden_layer_sizes]
    if hidden:
        best = max(hidden, key=lambda one: one.mean).hidden_layer_sizes
        found += [one for activation in others for one in path(best, activation)]
    return found


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
    best: dict[Any, int] = {}
    for place, one in enumerate(candidates):
        other = candidates[best.setdefault(str(one.network), place)]
        if (one.mean, one.alpha) > (other.mean, other.alpha):
            best[str(one.network)] = place
    finite = [place for place in best.values() if math.isfinite(candidates[place].mean)]
    if not finite:
        return None
    top = candidates[max(finite, key=lambda place: candidates[place].mean)]
    by_size = sorted(
        finite, key=lambda place: (candidates[place].n_parameters, -candidates[place].mean)
    )
    return next(place for place in by_size if _is_within_error(candidates[place], top))


def chosen_by(candidates: Sequence[Candidate], folds: Sequence[int]) -> Candidate:
    """Return the candidate that some of the folds choose; all of them, where none is named."""
    finite = [one for one in candidates if math.isfinite(one.mean)]
    rest = [replace(one, scores=one.scores[list(folds)]) for one in finite] if folds else finite
    place = chosen(rest)
    assert place is not None  # all of these scores are finite
    return finite[place]


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
