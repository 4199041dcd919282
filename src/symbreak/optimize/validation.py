"""A score of other examples that says when to stop and which point to keep (early stopping).

Prechelt 1998: training goes on until the score on examples that are not trained on has not improved
for `patience` accepted steps; the point with the best score is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.checks import check_positive_integer
from symbreak.errors import InvalidInput
from symbreak.objectives.contract import Objective
from symbreak.optimize.rows import Floats, Mask, PerStart, Starts, host, where

PATIENCE = 10


class Validation(PerStart):
    """The best validated point of every running start.

    Parameters
    ----------
    score : theta (rows, n) -> (rows,), lower is better; an `Objective` such as the `NetworkCost`
        of other examples stands for its `value`.
    patience : accepted steps without improvement after which a start ends.
    tol : an improvement by less than this keeps the point but does not count for the patience.
    """

    per_start = ("theta", "score", "latest", "iteration", "_since")

    def __init__(self, score: Any, patience: int, theta: Tensor, tol: float = 0.0) -> None:
        check_positive_integer("patience", patience)
        if not callable(score):
            raise InvalidInput(
                f"validation must be an objective or a function theta -> score. Got {score!r}."
            )
        self.of = score
        self.patience, self.tol = patience, tol
        self.theta = theta.clone()
        self.score: Floats = np.full(len(theta), np.inf)
        self.latest: Floats = np.full(len(theta), np.nan)
        self.iteration: NDArray[np.int64] = np.zeros(len(theta), dtype=np.int64)
        self._since = np.zeros(len(theta), dtype=np.int64)

    def look(self, rows: Mask, theta: Tensor, starts: Starts, iteration: Starts) -> Mask:
        """Score `rows` of theta (rows, n); return which have been without improvement too long.

        Parameters
        ----------
        starts, iteration : (rows,), the starts that the rows belong to, and their accepted steps.
        """
        at = torch.from_numpy(np.flatnonzero(rows)).to(theta.device)
        score = np.full(len(rows), np.nan)
        score[rows] = self._scores(theta[at], starts[rows])
        self.latest = np.where(rows, score, self.latest)
        better = rows & (score < self.score)
        enough = better & (score <= self.score - self.tol)
        self.theta = where(better, theta, self.theta)
        self.score = np.where(better, score, self.score)
        self.iteration = np.where(better, iteration, self.iteration)
        self._since = np.where(enough, 0, self._since + rows)
        return rows & (self._since >= self.patience)

    def _scores(self, theta: Tensor, starts: Starts) -> Floats:
        of: Callable[[Any], Any] = self.of
        if isinstance(self.of, Objective):
            of = self.of.take(starts).value
        scores = of(theta)
        found = host(scores) if isinstance(scores, Tensor) else np.asarray(scores, dtype=float)
        if found.shape != (len(theta),):
            raise InvalidInput(
                f"validation must return one score for each of {len(theta)} starts. "
                f"Got shape {found.shape}."
            )
        return found
