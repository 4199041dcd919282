"""Training a network from many starts at once: one start is luck.

    theta (starts, n) by a rule -> minimize(J, theta) -> the starts that `combine` keeps

A validation part, where given, scores every start and is what "best" chooses by; it takes no part
in the training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from symbreak.arrays import Array
from symbreak.initialization.rule import Rule
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Progress, minimize
from symbreak.pickles import refusing
from symbreak.training.combine import check_combine
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.record import Training

Callback = Callable[[Progress], Any]
__getattr__ = refusing(__name__, "Trained")  # what `Training` was, in pickles of 0.1


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
    sample_weight: Any = None,
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
    sample_weight : (m,), of the examples in J.

    Raises
    ------
    InvalidInput, InvalidType
        An argument is not what it must be, or no start ends with a finite cost.
    """
    check_combine(combine, has_validation=validation is not None)
    cost = NetworkCost(
        network, X, y, alpha=alpha, sample_weight=sample_weight, dtype=dtype, device=device
    )
    theta, redrawn = draw_finite_starts(cost, rule, starts=starts, seed=seed)
    training = train_from(
        cost, theta, method=method, max_iter=max_iter, combine=combine, validation=validation,
        callback=callback, **options,
    )  # fmt: skip
    return replace(training, redrawn=redrawn)


def train_from(
    cost: NetworkCost,
    theta: Array,
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
    parts = {} if validation is None else {"validation": validation}
    return Training.of(cost.network, outcome, combine, parts, cost=cost, theta0=theta)
