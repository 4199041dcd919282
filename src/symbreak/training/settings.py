"""How a table is trained on: the network, its starts and the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symbreak.initialization.rule import Rule

# Squared errors of a standardised target overfit sooner than log-losses; measured on the five
# bundled data sets.
ALPHA = {"classification": 1.0, "regression": 10.0}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a training on a table is asked for.

    Attributes
    ----------
    hidden : units of the hidden layers.
    activation : one for all hidden layers, or one for each.
    rule, starts, seed : how many starts, and how each is drawn; see `symbreak.initialize`.
    combine : see `symbreak.training.combine`.
    method, method_options, max_iter : see `symbreak.minimize`.
    alpha : the penalty; None takes that of the task, or with `search` the one that scores best in
        cross-validation over the training rows.
    dtype, device : see `symbreak.NetworkCost`.
    """

    hidden: tuple[int, ...] = (25,)
    activation: str | tuple[str, ...] = "tanh"
    rule: str | Rule = "glorot_uniform"
    starts: int = 16
    seed: int = 0
    combine: str = "average"
    method: str = "l-bfgs"
    method_options: Mapping[str, Any] = field(default_factory=dict)
    max_iter: int = 1000
    alpha: float | None = None
    search: bool = False
    dtype: str = "float64"
    device: str = "cpu"
