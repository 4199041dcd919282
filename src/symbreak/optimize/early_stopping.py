"""Endings that wait: a score of other examples, or J itself, that no longer falls.

Early stopping (Prechelt 1998): training goes on until the score on examples that are not trained on
has not improved for `patience` accepted steps; the point with the best score is returned. A share
of right answers is a staircase: it says nothing of most steps. So a score may bring a loss, which
decides between equal scores and whose fall counts for the patience too. It decides alone where the
score is not defined (NaN: R² of one row, the area under a curve of one class).

Stalling: a step counts as progress when J <= lowest J before it - tol. After `patience` accepted
steps in a row without progress a start ends, as scikit-learn's neural networks do on their training
loss; for searches whose steps may go up as well as down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, as_numpy, as_tensor, copied
from symbreak.checks import check_positive_integer
from symbreak.errors import InvalidInput
from symbreak.objectives.contract import Objective
from symbreak.optimize.methods import find_method
from symbreak.optimize.per_start import Floats, Mask, PerStart, Starts, host, rows, where

PATIENCE = 10  # epochs of a method on mini-batches
FULL_BATCH_PATIENCE = 50  # updates of a method on all examples, each far less than an epoch


def patience_of(method: str | None) -> int:
    """Return how many accepted steps without improvement end a start where nobody says."""
    return PATIENCE if find_method(method).is_on_minibatches else FULL_BATCH_PATIENCE


class Validation(PerStart):
    """The best validated point of every running start.

    Parameters
    ----------
    score : theta (running, n) -> (running,), lower is better, or (running, 2), a score and the
        loss beside it; an `Objective` such as the `NetworkCost` of other examples stands for its
        `value`.
    patience : accepted steps without improvement after which a start ends.
    as_tensors : whether `score` is called with tensors of PyTorch or with NumPy arrays, whatever
        theta is; None calls it with what theta is.
    tol : an improvement by less than this keeps the point but does not count for the patience; a
        loss is measured in its first value, so that its scale is of no account.
    """

    per_start = ("theta", "score", "loss", "latest", "iteration", "_lowest", "_unit", "_since")
    _as_tensors: bool | None = None  # of searches saved before it was known

    def __init__(
        self,
        score: Any,
        patience: int,
        theta: Array,
        tol: float = 0.0,
        *,
        as_tensors: bool | None = None,
    ) -> None:
        check_positive_integer("patience", patience)
        if not callable(score):
            raise InvalidInput(
                f"validation must be an objective or a function theta -> score. Got {score!r}."
            )
        self.of = score
        self.patience, self.tol, self._as_tensors = patience, tol, as_tensors
        self.theta = copied(theta)
        self.score: Floats = np.full(len(theta), np.inf)
        self.loss: Floats = np.full(len(theta), np.inf)  # of the point with the best score
        self.latest: Floats = np.full(len(theta), np.nan)
        self._lowest: Floats = np.full(len(theta), np.inf)  # loss of all points
        self._unit: Floats = np.full(len(theta), np.inf)  # the first finite loss
        self.iteration: NDArray[np.int64] = np.zeros(len(theta), dtype=np.int64)
        self._since = np.zeros(len(theta), dtype=np.int64)

    def look(self, active: Mask, theta: Array, starts: Starts, iteration: Starts) -> None:
        """Score `active` of theta (running, n).

        Parameters
        ----------
        starts, iteration : (running,), their indices among all starts, and their accepted steps.
        """
        score, loss = np.full(len(active), np.nan), np.full(len(active), np.inf)
        score[active], loss[active] = self._scores(rows(theta, active), starts[active])
        self.latest = np.where(active, score, self.latest)
        score = np.where(np.isnan(score) & np.isfinite(loss), np.inf, score)  # worse than any
        better = (score < self.score) | ((score == self.score) & (loss < self.loss))
        self._unit = np.where(np.isinf(self._unit), np.abs(loss), self._unit)
        enough = self._has_fallen(score, self.score, np.ones_like(score))
        enough |= self._has_fallen(loss, self._lowest, self._unit)
        self.theta = where(better, theta, self.theta)
        self.score = np.where(better, score, self.score)
        self.loss = np.where(better, loss, self.loss)
        self._lowest = np.minimum(self._lowest, loss)
        self.iteration = np.where(better, iteration, self.iteration)
        self._since = np.where(enough, 0, self._since + active)

    def ended(self, active: Mask) -> Mask:
        """Return which of `active`, just scored, have not improved for too long."""
        return active & (self._since >= self.patience)

    def _has_fallen(self, now: Floats, before: Floats, unit: Floats) -> Mask:
        with np.errstate(all="ignore"):  # of starts that have seen no finite number
            return np.asarray((now < before) & (now <= before - self.tol * unit))

    def _scores(self, theta: Array, starts: Starts) -> tuple[Floats, Floats]:
        """Return the scores and the losses, (running,) each; infinite where there is no loss."""
        of: Callable[[Any], Any] = self.of
        if isinstance(self.of, Objective):
            of = self.of.take(starts).value
        numbers = host(of(self._told(theta)))
        if numbers.shape not in ((len(theta),), (len(theta), 2)):
            raise InvalidInput(
                f"validation must return one score for each of {len(theta)} starts. "
                f"Got shape {numbers.shape}; scores and the losses beside them are "
                f"({len(theta)}, 2)."
            )
        if numbers.ndim == 1:
            return numbers, np.full_like(numbers, np.inf)
        return numbers[:, 0], np.where(np.isnan(numbers[:, 1]), np.inf, numbers[:, 1])

    def _told(self, theta: Array) -> Array:
        """Return theta of the kind that `score` is called with."""
        if self._as_tensors is None:
            return theta
        return as_tensor(theta, "theta") if self._as_tensors else as_numpy(theta)


class Stalling(PerStart):
    """How long J of every running start has not fallen by `tol`."""

    per_start = ("_lowest", "_since")

    def __init__(self, patience: int, tol: float, n_starts: int) -> None:
        check_positive_integer("value_patience", patience)
        self.patience, self.tol = patience, tol
        self._lowest: Floats = np.full(n_starts, np.inf)
        self._since = np.zeros(n_starts, dtype=np.int64)

    def look(self, active: Mask, value: Floats) -> None:
        """Take notice of J (running,) where a step was accepted."""
        fell = active & (value <= self._lowest - self.tol)
        self._lowest = np.where(active, np.fmin(self._lowest, value), self._lowest)
        self._since = np.where(fell, 0, self._since + active)

    def ended(self, active: Mask) -> Mask:
        """Return which of `active`, just looked at, have stalled."""
        return active & (self._since >= self.patience)
