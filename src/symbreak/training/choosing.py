"""Network and penalty chosen by cross-validation, within a time that may be limited.

    networks x penalties -> scores on folds -> the rules of `selection` -> what is taken

A score that has chosen is no score of a test: that takes rows which no fold has seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symbreak.training.fold_fits import FoldFits, OutOfTime
from symbreak.training.selection import Candidate, Layers, chosen, compared, path_of

# (hidden layers, activation) -> the network on every fold
Fits = Callable[[Layers, Any], FoldFits]


@dataclass(frozen=True, eq=False)
class Choice:
    """What cross-validation says of networks and penalties.

    Attributes
    ----------
    candidates : those that were compared, network by network, penalties rising.
    taken : which of them is taken.
    n_networks : how many networks were to be compared.
    is_cut : whether the time was spent before all were.
    score_words : what minus the scores are, for people.
    """

    candidates: tuple[Candidate, ...]
    taken: int
    n_networks: int
    is_cut: bool = False
    score_words: str = "score"

    @property
    def best(self) -> Candidate:
        """The candidate that is taken."""
        return self.candidates[self.taken]

    @property
    def path(self) -> list[Candidate]:
        """All penalties that were compared for its network, rising."""
        return [one for one in self.candidates if one.network == self.best.network]

    @property
    def networks(self) -> list[tuple[Layers, Any]]:
        """The networks that were compared."""
        return list(dict.fromkeys(one.network for one in self.candidates))

    @property
    def folds(self) -> int:
        """How many folds there were."""
        return len(self.best.scores)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, losses with their sign: the lower, the better."""
        return {
            "score": self.score_words,
            "folds": self.folds,
            "candidates": [
                {
                    "hidden": list(one.hidden_layer_sizes),
                    "activation": one.activation if one.hidden_layer_sizes else None,
                    "alpha": one.alpha,
                    "mean": -one.mean if math.isfinite(one.mean) else None,
                    "folds": (-one.scores).tolist(),
                }
                for one in self.candidates
            ],
            "taken": self.taken,
            "networks": self.n_networks,
            "cut_by_budget": self.is_cut,
        }


def choose(
    fits: Fits,
    architectures: Sequence[Layers],
    activations: Sequence[Any],
    alphas: Sequence[float] | None,
    tell: Callable[[Sequence[Candidate]], Any] | None = None,
) -> Choice | None:
    """Return what is found; None where no candidate has a finite score on every fold.

    Parameters
    ----------
    fits : gives a network on every fold.
    architectures, activations : see `compared`.
    alphas : the penalties; None for a search, see `path_of`.
    tell : called with the candidates of each network, when all are known.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C: what was cut has no score.
    """
    known: list[list[Candidate]] = []

    def path(layers: Layers, activation: Any, near: float | None) -> list[Candidate]:
        on_folds, found = fits(layers, activation), list[Candidate]()
        known.append(found)

        def scored(some: Sequence[float]) -> Any:
            scores = on_folds.scores(some)
            size = on_folds.n_parameters
            pairs = zip(some, scores, strict=True)
            found.extend(Candidate(layers, activation, size, *pair) for pair in pairs)
            found.sort(key=lambda one: one.alpha)
            return scores

        path_of(scored, alphas, near)
        if tell is not None:
            tell(found)
        return found

    is_cut = False
    try:
        compared(path, architectures, activations)
    except OutOfTime:
        is_cut = True
    candidates = tuple(one for found in known for one in found)
    taken = chosen(candidates)
    has_hidden = any(architectures)
    n_networks = len(architectures) + (len(activations) - 1) * has_hidden
    return None if taken is None else Choice(candidates, taken, n_networks, is_cut)
