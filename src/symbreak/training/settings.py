"""How a table is trained on: the network, its starts and the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symbreak.initialization.rule import Rule

# Of a training that chooses nothing. Squared errors of a standardised target overfit sooner than
# log-losses; measured on the five bundled data sets.
HIDDEN, ACTIVATION = (25,), "tanh"
ALPHA = {"classification": 1.0, "regression": 10.0}
BUDGET = 60.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a training on a table is asked for.

    Attributes
    ----------
    hidden : units of the hidden layers; None for those that score best in cross-validation.
    activation : one for all hidden layers, or one for each; None for that which scores best.
    rule, starts, seed : how many starts, and how each is drawn; see `symbreak.initialize`.
    combine : see `symbreak.training.combine`.
    method, method_options, max_iter : see `symbreak.minimize`.
    alpha : the penalty; None for that which scores best.
    search : whether what is None is chosen by cross-validation over the training rows; otherwise it
        is 25 units, tanh and the usual penalty of the task.
    budget : seconds for that; once they are spent no further candidates are compared.
    dtype, device : see `symbreak.NetworkCost`.
    """

    hidden: tuple[int, ...] | None = None
    activation: str | tuple[str, ...] | None = None
    rule: str | Rule = "glorot_uniform"
    starts: int = 16
    seed: int = 0
    combine: str = "average"
    method: str = "l-bfgs"
    method_options: Mapping[str, Any] = field(default_factory=dict)
    max_iter: int = 1000
    alpha: float | None = None
    search: bool = True
    budget: float = BUDGET
    dtype: str = "float64"
    device: str = "cpu"

    @property
    def chooses(self) -> bool:
        """Whether cross-validation has something to choose."""
        activation = ACTIVATION if self.hidden == () else self.activation
        return self.search and None in (self.hidden, activation, self.alpha)

    def usual(self, task: str) -> tuple[tuple[int, ...], str | tuple[str, ...], float]:
        """Return hidden layers, activation and penalty where nothing chooses them."""
        hidden = HIDDEN if self.hidden is None else self.hidden
        alpha = ALPHA[task] if self.alpha is None else self.alpha
        return hidden, self.activation or ACTIVATION, alpha
