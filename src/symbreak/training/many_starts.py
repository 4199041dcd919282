"""Training a network from many starts at once: one start is luck.

    theta (starts, n) by a rule -> minimize(J, theta) -> the starts that `combine` keeps

A validation part, where given, scores every start and is what "best" chooses by; it takes no part
in the training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.arrays import as_numpy
from symbreak.initialization.rule import Rule
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Progress, minimize
from symbreak.training.combine import check_combine, kept_starts, usable_starts
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.predictions import Predictions
from symbreak.training.record import Training
from symbreak.training.scores import Scores, scores_of

Callback = Callable[[Progress], Any]


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
) -> Training:
    """Train a network from many random starts and combine what they found.

    Parameters
    ----------
    network : what to train.
    X : (m, features); y : the targets as `NetworkCost` takes them.
    starts, rule, seed : how many starts, and how each is drawn; see `symbreak.initialize`. Those
        where J or its gradient is not finite are drawn again (`symbreak.training.finite_starts`).
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
    theta, redrawn = draw_finite_starts(cost, rule, starts=starts, seed=seed)
    training = train_from(
        cost, theta, method=method, max_iter=max_iter, combine=combine, validation=validation,
        callback=callback, **options,
    )  # fmt: skip
    return replace(training, redrawn=redrawn)


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
) -> Training:
    """Train from the given starts (starts, n); see `train`."""
    check_combine(combine, has_validation=validation is not None)
    outcome = minimize(cost, theta, method=method, max_iter=max_iter, callback=callback, **options)
    loss = cost.network.loss
    parts = {} if validation is None else {"validation": validation}
    return recorded(cost, theta, outcome, combine, parts, partial(scores_of, loss))


def recorded(
    cost: NetworkCost,
    theta0: Tensor,
    outcome: Outcome,
    combine: str,
    parts: Mapping[str, tuple[Any, Any]],
    score: Callable[[Any, NDArray[Any]], Scores | None],
    **known: Any,
) -> Training:
    """Return the record of what the starts became, with the starts that `combine` keeps.

    Parameters
    ----------
    parts : (X, y) of each part of the data that is to be scored, by name.
    score : gives the scores of y and a prediction (m, outputs).
    known : what else the record holds.
    """
    theta, J = torch.as_tensor(outcome.theta), as_numpy(outcome.value)
    usable = usable_starts(J, as_numpy(outcome.theta))
    predictions = {
        name: Predictions(network=cost.network, theta=theta, usable=usable, X=X, y=y, score=score)
        for name, (X, y) in parts.items()
    }
    chosen_by = predictions["validation"].scores if combine == "best" else ()
    return Training(
        cost=cost,
        theta0=theta0,
        outcome=outcome,
        combine=combine,
        usable=usable,
        kept=kept_starts(combine, J, usable, chosen_by),
        predictions=predictions,
        **known,
    )
