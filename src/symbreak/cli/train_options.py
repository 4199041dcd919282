"""What `symbreak train` was asked for, and its words turned into what the library takes."""

from __future__ import annotations

import dataclasses
import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbreak.errors import InvalidInput

if TYPE_CHECKING:
    from symbreak.initialization.rule import Rule
    from symbreak.training.settings import Settings


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """The options of `symbreak train`, as typed.

    Raises
    ------
    InvalidInput
        Options that contradict each other.
    """

    data: Path | None = None
    target: str | None = None
    dataset: str | None = None
    header: bool | None = None
    test: Path | None = None
    task: str | None = None
    drop: tuple[str, ...] = ()
    holdout: float = 0.2
    validation: float = 0.15
    hidden: str = "25"
    activation: str = "tanh"
    init: str | None = None
    epsilon: float | None = None
    starts: int = 16
    seed: int = 0
    combine: str = "average"
    method: str = "l-bfgs"
    learning_rate: float | None = None
    momentum: float | None = None
    alpha: float | None = None
    search: bool = False
    max_iter: int = 1000
    dtype: str = "float64"
    device: str = "cpu"
    model: Path | None = None
    json: Path | None = None
    report: Path | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        if (self.data is None) == (self.dataset is None):
            raise InvalidInput(
                "The data must be one file or one --dataset NAME. "
                f"Got {'neither' if self.data is None else 'both'}."
            )
        if self.dataset is None and self.target is None:
            raise InvalidInput("--target must name the column to learn. Got none.")
        if self.target_column in self.drop:
            raise InvalidInput(
                f"--drop must name a column other than the target. Got '{self.target_column}'."
            )
        if self.test is not None and self.holdout != TrainOptions.holdout:
            raise InvalidInput(
                "--holdout must not stand beside --test, whose rows give the score. "
                f"Got --holdout {self.holdout:g}; leave one out."
            )
        if self.search and self.alpha is not None:
            raise InvalidInput(
                "--alpha must not stand beside --search, which chooses it. "
                f"Got --alpha {self.alpha:g}; leave one out."
            )
        if self.seed < 0:
            raise InvalidInput(f"--seed must be 0 or above. Got {self.seed}.")
        for name in self.method_options:
            _check_taken(name, self.method)
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
        words = [word.strip() for word in self.hidden.split(",")]
        if words in ([""], ["none"]):
            return ()
        try:
            return tuple(int(word) for word in words)
        except ValueError:
            raise InvalidInput(
                "--hidden must be numbers of units such as 25 or 25,10, or none. "
                f"Got '{self.hidden}'."
            ) from None

    @property
    def activations(self) -> str | tuple[str, ...]:
        """One activation for all hidden layers, or one for each."""
        words = tuple(word.strip() for word in self.activation.split(","))
        return words[0] if len(words) == 1 else words

    @property
    def rule(self) -> str | Rule:
        """How starts are drawn: --epsilon alone means the rule uniform."""
        if self.epsilon is None:
            return self.init or "glorot_uniform"
        from symbreak.initialization.rules import Uniform

        return Uniform(epsilon=self.epsilon)

    @property
    def rule_words(self) -> str:
        """The rule for people."""
        if self.epsilon is not None:
            return f"uniform in [-{self.epsilon:g}, {self.epsilon:g}]"
        return self.init or "glorot_uniform"

    @property
    def method_options(self) -> dict[str, float]:
        """The options of the method that were given."""
        given = {"learning_rate": self.learning_rate, "momentum": self.momentum}
        return {name: value for name, value in given.items() if value is not None}

    def alpha_for(self, task: str) -> float:
        """The penalty: the one given, or the default of the task."""
        return penalty(self.alpha, task)

    def settings_for(self, task: str) -> Settings:
        """What the training of a task is asked for."""
        from symbreak.training.settings import Settings

        return Settings(
            hidden=self.hidden_layers, activation=self.activations, rule=self.rule,
            starts=self.starts, seed=self.seed, combine=self.combine, method=self.method,
            method_options=self.method_options, max_iter=self.max_iter,
            alpha=self.alpha_for(task), search=self.search, dtype=self.dtype,
            device=self.device,
        )  # fmt: skip

    def command_line(self, **changes: Any) -> str:
        """Return the command that asks for these options, changed."""
        words = ["symbreak", "train"]
        options = dataclasses.replace(self, **changes)
        for option in dataclasses.fields(options):
            value = getattr(options, option.name)
            if value != option.default:
                words += _words("--" + option.name.replace("_", "-"), value)
        return shlex.join(words)

    def as_dict(self) -> dict[str, Any]:
        """Return the options as plain data."""
        found = dataclasses.asdict(self)
        return {name: str(one) if isinstance(one, Path) else one for name, one in found.items()}


def penalty(alpha: float | None, task: str) -> float:
    """Return alpha, the default of the task if it is None."""
    from symbreak.training.settings import ALPHA

    alpha = ALPHA[task] if alpha is None else alpha
    if not math.isfinite(alpha) or alpha < 0:
        raise InvalidInput(f"--alpha must be a finite number, 0 or above. Got {alpha!r}.")
    return alpha


def _check_taken(option: str, method: str) -> None:
    from symbreak.optimize.methods import find_method, methods_taking

    if option not in find_method(method).options:
        raise InvalidInput(
            f"--{option.replace('_', '-')} must come with --method "
            f"{' or '.join(methods_taking(option))}. Got --method {method}."
        )


def _words(flag: str, value: Any) -> list[str]:
    if flag == "--data":
        return [str(value)]
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if isinstance(value, tuple):
        return [word for one in value for word in (flag, one)]
    return [flag, str(value)]
