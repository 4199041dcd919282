"""Training a network from many starts at once: one start is luck.

    theta (starts, n) by a rule -> minimize(J, theta) -> the starts that `combine` keeps

A validation part, where given, scores every start and is what "best" chooses by; it takes no part
in the training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.arrays import as_numpy
from symbreak.initialization.rule import Rule
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Progress, minimize
from symbreak.training.combine import check_combine, combined_prediction, kept_starts
from symbreak.training.scores import Scores, scores_of
from symbreak.training.starts import drawn_starts

Callback = Callable[[Progress], Any]


@dataclass(frozen=True, eq=False)
class Trained:
    """What the starts became.

    Attributes
    ----------
    cost : J on the training examples, with the penalty.
    outcome : theta, J, status and iterations of every start.
    combine : "average", "best" or "lowest-cost".
    usable : (starts,) whether J and theta of the start are finite; the others are left out.
    kept : indices of the starts whose mean is the combined prediction.
    validation : the validation scores of every start, None for one that is not usable; empty
        without a validation part.
    redrawn : how many starts were drawn again, as J or its gradient was not finite there.
    """

    cost: NetworkCost
    outcome: Outcome
    combine: str
    usable: NDArray[np.bool_]
    kept: tuple[int, ...]
    validation: tuple[Scores | None, ...] = ()
    redrawn: int = 0

    @property
    def network(self) -> Network:
        """The network that was trained."""
        return self.cost.network

    @property
    def theta(self) -> Tensor:
        """The kept starts, (kept, n)."""
        return torch.as_tensor(self.outcome.theta)[list(self.kept)]

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the combined prediction after the link, (m, outputs), of X (m, features)."""
        return combined_prediction(self.network, self.theta, X)


def train(
    network: Network,
    X: Any,
    y: Any,
    *,
    starts: int = 16,
    rule: str | Rule = "glorot_uniform",
    seed: int | None = 0,
    method: str = "l-bfgs",
    alpha: Any = 0.0,
    max_iter: int = 400,
    combine: str = "average",
    validation: tuple[Any, Any] | None = None,
    dtype: Any = None,
    device: Any = None,
    callback: Callback | None = None,
    **options: Any,
) -> Trained:
    """Train a network from many random starts and combine what they found.

    Parameters
    ----------
    network : what to train.
    X : (m, features); y : the targets as `NetworkCost` takes them.
    starts, rule, seed : how many starts, and how each is drawn; see `symbreak.initialize`. Those
        where J or its gradient is not finite are drawn again; see `symbreak.training.starts`.
    method, max_iter, callback : see `symbreak.minimize`; `options` go to the method.
    alpha, dtype, device : see `symbreak.NetworkCost`.
    combine : "average" of the starts' predictions, "best" by the validation score, or
        "lowest-cost".
    validation : (X, y) of other examples, which score every start.

    Raises
    ------
    InvalidInput, InvalidType
        An argument is not what it must be, or no start ends with a finite cost.
    """
    check_combine(combine, has_validation=validation is not None)
    cost = NetworkCost(network, X, y, alpha=alpha, dtype=dtype, device=device)
    theta, redrawn = drawn_starts(cost, rule, starts=starts, seed=seed)
    trained = train_from(
        cost, theta, method=method, max_iter=max_iter, combine=combine, validation=validation,
        callback=callback, **options,
    )  # fmt: skip
    return replace(trained, redrawn=redrawn)


def train_from(
    cost: NetworkCost,
    theta: Tensor,
    *,
    method: str = "l-bfgs",
    max_iter: int = 400,
    combine: str = "average",
    validation: tuple[Any, Any] | None = None,
    callback: Callback | None = None,
    **options: Any,
) -> Trained:
    """Train from the given starts (starts, n); see `train`."""
    check_combine(combine, has_validation=validation is not None)
    outcome = minimize(cost, theta, method=method, max_iter=max_iter, callback=callback, **options)
    J = as_numpy(outcome.value)
    usable = np.isfinite(J) & np.isfinite(as_numpy(outcome.theta)).all(axis=1)
    scores: tuple[Scores | None, ...] = ()
    if validation is not None:
        X, y = validation
        loss = cost.network.loss
        scores = scores_of_starts(
            cost.network,
            outcome.theta,
            usable,
            X,
            lambda prediction: scores_of(loss, y, prediction),
        )
    kept = kept_starts(combine, J, usable, scores)
    return Trained(cost, outcome, combine, usable, kept, scores)


def scores_of_starts(
    network: Network,
    theta: Any,
    usable: NDArray[np.bool_],
    X: Any,
    score: Callable[[NDArray[Any]], Scores | None],
) -> tuple[Scores | None, ...]:
    """Return the scores of every start by itself, one at a time to spare the memory.

    Parameters
    ----------
    theta : (starts, n).
    usable : (starts,); the others have no scores.
    X : (m, features).
    score : gives the scores of a prediction (m, outputs).
    """
    stack = torch.as_tensor(theta)
    return tuple(
        score(combined_prediction(network, start[None], X)) if is_usable else None
        for start, is_usable in zip(stack, usable, strict=True)
    )
