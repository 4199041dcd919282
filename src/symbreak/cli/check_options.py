"""What `symbreak check-gradient` was asked for, and which of three things it is to check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from symbreak.cli.train_options import TrainOptions
from symbreak.errors import InvalidInput

MODEL, TABLE, PROGRAM = "a saved model", "a table and a network for it", "FILE.py:FUNCTION"
# The options that not everything takes.
TAKEN_BY = {
    **dict.fromkeys(("dataset", "header"), (MODEL, TABLE)),
    "start": (MODEL,),
    **dict.fromkeys(("target", "task", "drop"), (TABLE,)),
    **dict.fromkeys(("hidden", "activation", "loss", "init", "epsilon"), (TABLE,)),
    **dict.fromkeys(("alpha", "dtype", "device"), (MODEL, TABLE)),
}


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options of `symbreak check-gradient`, as typed; None is what was not given.

    Raises
    ------
    InvalidInput
        Options that do not go together.
    """

    subject: str | None = None
    data: Path | None = None
    target: str | None = None
    dataset: str | None = None
    header: bool | None = None
    start: int | None = None
    task: str | None = None
    drop: tuple[str, ...] = ()
    hidden: str | None = None
    activation: str | None = None
    loss: str | None = None
    init: str | None = None
    epsilon: float | None = None
    alpha: float | None = None
    dtype: str | None = None
    device: str | None = None
    rows: int | None = None
    method: str = "directions"
    thorough: bool = True
    locate: bool = True
    seed: int = 0
    json: Path | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.subject is None and self.dataset is None:
            raise InvalidInput(
                "What is checked must be a model and a table, a table with --target, --dataset "
                "NAME, or FILE.py:FUNCTION. Got nothing."
            )
        if self.data is not None and (self.dataset is not None or self.kind == PROGRAM):
            other = PROGRAM if self.kind == PROGRAM else f"--dataset {self.dataset}"
            raise InvalidInput(
                f"DATA must stand alone after a model. Got it beside {other}; leave one out."
            )
        for name, takers in TAKEN_BY.items():
            if getattr(self, name) not in (None, ()) and self.kind not in takers:
                raise InvalidInput(
                    f"--{name} must come with {' or '.join(takers)}. Got it with {self.kind}; "
                    "leave it out."
                )
        for name in ("seed", "start", "rows"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise InvalidInput(f"--{name} must be 0 or above. Got {number}.")

    @property
    def kind(self) -> str:
        """What is checked: MODEL, TABLE or PROGRAM."""
        if self.subject is None:
            return TABLE
        if ".py:" in self.subject or self.subject.endswith(".py"):
            return PROGRAM
        return TABLE if self.data is None and self.dataset is None else MODEL

    @property
    def program(self) -> tuple[Path, str]:
        """FILE.py and the name of its function."""
        assert self.subject is not None
        return program_named(self.subject, "check")

    @property
    def inputs(self) -> list[Path | None]:
        """The files that are read."""
        if self.kind == PROGRAM:
            return [self.program[0]]
        return [None if self.subject is None else Path(self.subject), self.data]

    @property
    def network(self) -> TrainOptions:
        """The same for `train`, for a table and the network to build."""
        given = {
            name: getattr(self, name)
            for name in ("hidden", "activation", "dtype", "device")
            if getattr(self, name) is not None
        }
        return TrainOptions(
            data=None if self.subject is None else Path(self.subject), target=self.target,
            dataset=self.dataset, task=self.task, drop=self.drop, init=self.init,
            epsilon=self.epsilon, seed=self.seed, alpha=self.alpha, **given,
        )  # fmt: skip


def program_named(subject: str, purpose: str) -> tuple[Path, str]:
    """Return FILE.py and the name of its function.

    Parameters
    ----------
    subject : FILE.py:FUNCTION, as typed.
    purpose : what is to be done with it, for the message.

    Raises
    ------
    InvalidInput
        The function is missing.
    """
    file, found, function = subject.rpartition(":")
    if not found or not function or not file.endswith(".py"):
        raise InvalidInput(
            f"A program to {purpose} must be given with its function, as FILE.py:FUNCTION. "
            f"Got '{subject}'."
        )
    return Path(file), function
