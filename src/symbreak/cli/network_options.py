"""What commands that build a network for a table understand by its words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from symbreak.errors import InvalidInput

if TYPE_CHECKING:
    from symbreak.initialization.rule import Rule

HIDDEN, ACTIVATION, RULE = "25", "tanh", "glorot_uniform"


class NetworkOptions:
    """Options of a network for a table, as typed; None is what was not given."""

    target: str | None
    dataset: str | None
    drop: tuple[str, ...]
    hidden: str | None
    activation: str | None
    init: str | None
    epsilon: float | None
    alpha: float | None

    def check_network(self) -> None:
        """Refuse options that contradict each other.

        Raises
        ------
        InvalidInput
            No target is named, or it is dropped, or --epsilon comes with another rule.
        """
        if self.dataset is None and self.target is None:
            raise InvalidInput("--target must name the column to learn. Got none.")
        if self.target_column in self.drop:
            raise InvalidInput(
                f"--drop must name a column other than the target. Got '{self.target_column}'."
            )
        if self.epsilon is not None and self.init not in (None, "uniform"):
            raise InvalidInput(
                f"--epsilon must come with --init uniform, whose range [-epsilon, epsilon] it is. "
                f"Got --init {self.init}."
            )

    @property
    def target_column(self) -> str:
        """The column to learn; "target" in the bundled data sets."""
        return self.target or "target"

    @property
    def hidden_layers(self) -> tuple[int, ...]:
        """Units of the hidden layers; none for "" and "none"."""
        typed = HIDDEN if self.hidden is None else self.hidden
        words = [word.strip() for word in typed.split(",")]
        if words in ([""], ["none"]):
            return ()
        try:
            return tuple(int(word) for word in words)
        except ValueError:
            raise InvalidInput(
                f"--hidden must be numbers of units such as 25 or 25,10, or none. Got '{typed}'."
            ) from None

    @property
    def activations(self) -> str | tuple[str, ...]:
        """One activation for all hidden layers, or one for each."""
        typed = ACTIVATION if self.activation is None else self.activation
        words = tuple(word.strip() for word in typed.split(","))
        return words[0] if len(words) == 1 else words

    @property
    def rule(self) -> str | Rule:
        """How starts are drawn: --epsilon alone means the rule uniform."""
        if self.epsilon is None:
            return self.init or RULE
        from symbreak.initialization.rules import Uniform

        return Uniform(epsilon=self.epsilon)

    @property
    def rule_words(self) -> str:
        """The rule for people."""
        if self.epsilon is not None:
            return f"uniform in [-{self.epsilon:g}, {self.epsilon:g}]"
        return self.init or RULE

    def alpha_for(self, task: str) -> float:
        """The penalty: the one given, or the default of the task."""
        return penalty(self.alpha, task)


def penalty(alpha: float | None, task: str) -> float:
    """Return alpha, the default of the task if it is None."""
    from symbreak.training.settings import ALPHA

    alpha = ALPHA[task] if alpha is None else alpha
    if not math.isfinite(alpha) or alpha < 0:
        raise InvalidInput(f"--alpha must be a finite number, 0 or above. Got {alpha!r}.")
    return alpha
