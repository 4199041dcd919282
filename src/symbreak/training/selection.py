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
    path: Callable[[Layers, Any, float | None], list[Candidate]],
    architectures: Sequence[Layers],
    activations: Sequence[Any],
) -> list[Candidate]:
    """Return all candidates.

    Parameters
    ----------
    path : gives those of one network, from a penalty near which its best is expected.
    architectures : hidden layers, all with the first activation.
    activations : the others are for the best architecture that has hidden layers.
    """
    first, *others = activations
    found: list[Candidate] = []
    for layers in architectures:
        found += path(layers, first, _near(_best_hidden(found)) if layers else None)
    best = _best_hidden(found)
    if best is not None:
        layers, near = best.hidden_layer_sizes, _near(best)
        found += [one for activation in others for one in path(layers, activation, near)]
    return found


def path_of(
    scored: Scored, alphas: Sequence[float] | None, near: float | None = None
) -> dict[float, Scores]:
    """Return the scores by penalty, the smallest first.

    Parameters
    ----------
    scored : gives the scores of penalties.
    alphas : the penalties; None takes powers of ten, goes on beyond an edge that is the best, and
        halves the step around the best.
    near : the best penalty of another network with hidden layers. The search then begins around
        it with the half step: on 49 splits of 34 tables the same network and penalty were taken,
        for two thirds of the work.
    """
    wanted, step = tuple(FIRST if alphas is None else alphas), 2
    if alphas is None and near is not None:
        wanted, step = (_moved(near, -1), near, _moved(near, 1)), 1
    found = dict(zip(wanted, scored(wanted), strict=True))
    if alphas is None:
        while (further := _beyond(found, step)) is not None:
            found[further] = scored([further])[0]
        best = best_of(found)
        beside = [one for one in (_moved(best, -1), _moved(best, 1)) if one not in found]
        if beside:
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


def _best_hidden(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the best of those with hidden layers; None where there are none."""
    hidden = [one for one in candidates if one.hidden_layer_sizes]
    return max(hidden, key=lambda one: (one.mean, one.alpha), default=None)


def _near(best: Candidate | None) -> float | None:
    return best.alpha if best is not None and math.isfinite(best.mean) else None


def _beyond(found: Mapping[float, Scores], step: int) -> float | None:
    """Return the next penalty beyond an edge that is the best and still rises; None for none."""
    alphas, best = sorted(found), best_of(found)
    means = [_mean(found[alpha]) for alpha in alphas]
    known = [mean for mean in means if math.isfinite(mean)]
    enough = _RISE * (max(known) - min(known)) if known else math.inf
    if best == alphas[0] and means[0] - means[1] > enough and best > 10.0**_LEAST:
        return _moved(best, -step)
    if best == alphas[-1] and means[-1] - means[-2] > enough and best < 10.0**_MOST:
        return _moved(best, step)
    return None


def _moved(alpha: float, steps: int) -> float:
    """Return a penalty of the grid some half powers of ten away."""
    return float(10.0 ** ((round(2.0 * math.log10(alpha)) + steps) / 2.0))


def _mean(scores: Scores) -> float:
    return float(scores.mean()) if np.isfinite(scores).all() else -math.inf
