"""The penalty chosen by cross-validation: penalties x folds, several starts each.

Conventions
-----------
score of a penalty : the mean over folds of the log-loss (or RMSE) on the rows of the fold, of the
average prediction of the starts that were trained on the other rows; lower is better
A score that has chosen a penalty is no score of a test: that takes rows which no fold has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, cuts, itemsize, namespace
from symbreak.errors import InvalidInput
from symbreak.initialization.rule import Rule
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Progress, minimize
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.methods import find_method
from symbreak.optimize.search import Watch
from symbreak.training.combine import combined_prediction
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.scores import scores_of

ALPHAS = tuple(10.0**power for power in range(-4, 4))
FOLDS, STARTS = 5, 4
NOTHING = "Ctrl-C came before a penalty was chosen; nothing was trained."
# Bytes for what searches keep, and the numbers of it for each entry of theta, roughly.
_MEMORY, _VECTORS = 2**30, 16


@dataclass(frozen=True)
class Choice:
    """What cross-validation says of the penalties.

    Attributes
    ----------
    alphas : the candidates.
    scores : of each, lower is better; infinite where a fold ended without a finite prediction.
    name : of the score, "log_loss" or "rmse".
    folds : how many.
    """

    alphas: tuple[float, ...]
    scores: tuple[float, ...]
    name: str
    folds: int

    @property
    def alpha(self) -> float:
        """The penalty with the lowest score, the larger one of equals."""
        return min(zip(self.scores, (-alpha for alpha in self.alphas), strict=True))[1] * -1.0

    @property
    def score(self) -> float:
        """Its score, which chose it."""
        return min(self.scores)

    @property
    def score_words(self) -> str:
        """What the score is called for people."""
        return {"log_loss": "log-loss", "rmse": "RMSE of the standardised target"}[self.name]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        scores = [score if np.isfinite(score) else None for score in self.scores]
        return {"alphas": list(self.alphas), "scores": scores, "score": self.name,
                "folds": self.folds, "alpha": self.alpha}  # fmt: skip


def choose_alpha(
    network: Network, X: NDArray[Any], y: NDArray[Any], alphas: Sequence[float] = ALPHAS, *,
    folds: int = FOLDS, starts: int = STARTS, rule: str | Rule = "glorot_uniform", seed: int = 0,
    method: str = "l-bfgs", max_iter: int = 400, dtype: Any = None, device: Any = None,
    look: Callable[[Progress], Any] | None = None,
    method_options: Mapping[str, Any] | None = None,
) -> Choice:  # fmt: skip
    """Return the scores of the penalties, from starts trained on each fold's other rows.

    Parameters
    ----------
    X, y : (m, features), (m,), the training rows alone.
    rule, seed : of the starts, the same for all folds and penalties; the seed also splits the rows.
    method, max_iter, method_options : see `symbreak.minimize`.
    look : called with the progress of a training; anything true stops that training.

    Raises
    ------
    InvalidInput
        Fewer rows than folds, or no penalty ends with finite predictions.
    KeyboardInterrupt
        Ctrl-C: a penalty whose training was cut has no score.
    """
    if not 2 <= folds <= len(y):
        raise InvalidInput(f"folds must be from 2 to the number of rows, {len(y)}. Got {folds}.")
    parts = np.array_split(np.random.default_rng(seed).permutation(len(y)), folds)
    arguments = {
        "method": method, "max_iter": max_iter, **(method_options or {}),
        "callback": None if look is None else Watch(look),
    }  # fmt: skip
    scores = np.empty((folds, len(alphas)))
    name = ""
    for fold, part in enumerate(parts):
        rows = np.setdiff1d(np.arange(len(y)), part)
        cost = NetworkCost(network, X[rows], y[rows], dtype=dtype, device=device)
        theta0 = draw_finite_starts(cost, rule, starts=starts, seed=seed).theta
        for place, outcome in enumerate(outcomes_of(cost, theta0, alphas, arguments)):
            predicted = combined_prediction(network, outcome.theta, X[part])
            score = scores_of(network.loss, y[part], predicted)
            scores[fold, place] = np.inf if score is None else score.error
            name = name if score is None else score.names[1]
    if not np.isfinite(scores).all(axis=0).any():
        raise InvalidInput(
            "A penalty must end with finite predictions on every fold. Got none that does; use a "
            "rule with smaller weights or a smaller learning rate."
        )
    return Choice(tuple(alphas), tuple(scores.mean(axis=0).tolist()), name, folds)


def outcomes_of(
    cost: NetworkCost, theta: Array, alphas: Sequence[float], arguments: Mapping[str, Any]
) -> Iterator[Outcome]:
    """Yield what becomes of the same starts with each of the penalties.

    Parameters
    ----------
    arguments : of `minimize`.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C.
    """
    starts, n = theta.shape
    vectors = _VECTORS + find_method(arguments["method"]).extra_vectors(n, arguments)
    at_once = max(1, _MEMORY // (starts * n * vectors * itemsize(theta)))
    for places in cuts(len(alphas), at_once):
        some = alphas[places]
        with DeferredInterrupt() as interrupt:
            outcome = minimize(
                cost.with_alpha(np.repeat(some, starts)),
                namespace(theta).concat([theta] * len(some)),
                **arguments,
            )
        if interrupt.is_requested or outcome.is_interrupted:
            raise KeyboardInterrupt(NOTHING)
        yield from (_part(outcome, rows) for rows in cuts(len(outcome.theta), starts))


def _part(outcome: Outcome, rows: slice) -> Outcome:
    """Return the outcome of some starts; it cannot be gone on from."""
    names = ("theta", "value", "gradient_norm", "status", "n_iterations", "n_evaluations",
             "best_iteration")  # fmt: skip
    parts = {name: getattr(outcome, name)[rows] for name in names}
    return replace(outcome, **parts, history=outcome.history[:, rows], search=None)
