"""What `symbreak diagnose` was asked for, and which of three things it is to diagnose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from symbreak.cli.check_options import MODEL, PROGRAM, program_named
from symbreak.errors import InvalidInput, choose

WEIGHTS = "a file of weights"
WEIGHT_ENDINGS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
LEVELS = ("error", "warning", "note")
OPTIMIZERS = ("sgd", "adamw", "both")
UPDATES = ("linear", "elementwise")
# The options that not everything takes.
TAKEN_BY = {
    **dict.fromkeys(
        ("data", "dataset", "header", "start", "alpha", "update", "tolerance"), (MODEL,)
    ),
    "rows": (PROGRAM, MODEL),
    "optimizer": (PROGRAM,),
    "memory_budget": (WEIGHTS,),
}


@dataclass(frozen=True, kw_only=True)
class DiagnoseOptions:
    """The options of `symbreak diagnose`, as typed; None is what was not given.

    Raises
    ------
    InvalidInput
        Options that do not go together.
    """

    subject: str
    data: Path | None = None
    dataset: str | None = None
    header: bool | None = None
    start: int | None = None
    alpha: float | None = None
    update: str | None = None
    tolerance: float | None = None
    optimizer: str | None = None
    rows: int | None = None
    memory_budget: int | None = None
    level: str = "note"
    json: Path | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        for name, takers in TAKEN_BY.items():
            if getattr(self, name) is not None and self.kind not in takers:
                word = "DATA" if name == "data" else f"--{name.replace('_', '-')}"
                raise InvalidInput(
                    f"{word} must come with {' or '.join(takers)}. Got it with {self.kind}; "
                    "leave it out."
                )
        if self.data is not None and self.dataset is not None:
            raise InvalidInput(
                "DATA must stand alone after a model. Got it beside "
                f"--dataset {self.dataset}; leave one out."
            )
        if self.rows is not None and self.kind == MODEL and not self.has_table:
            raise InvalidInput("--rows of a model must come with DATA or --dataset. Got neither.")
        for name in ("start", "rows"):
            number = getattr(self, name)
            if number is not None and number < 0:
                raise InvalidInput(f"--{name} must be 0 or above. Got {number}.")
        choose("--level", self.level, LEVELS)
        for name, words in (("update", UPDATES), ("optimizer", OPTIMIZERS)):
            if getattr(self, name) is not None:
                choose(f"--{name}", getattr(self, name), words)

    @cached_property
    def kind(self) -> str:
        """What is diagnosed: PROGRAM by the words; MODEL or WEIGHTS by what stands in the file."""
        if ".py:" in self.subject or self.subject.endswith(".py"):
            return PROGRAM
        from symbreak.model_file import is_model_file

        # What cannot be told from a file that is damaged or not there, its name tells.
        is_model = is_model_file(self.subject)
        if is_model is None:
            is_model = not self.subject.endswith(WEIGHT_ENDINGS)
        return MODEL if is_model else WEIGHTS

    @property
    def program(self) -> tuple[Path, str]:
        """FILE.py and the name of its function."""
        return program_named(self.subject, "diagnose")

    @property
    def has_table(self) -> bool:
        """Whether a model is to be tried on a table too."""
        return self.data is not None or self.dataset is not None

    @property
    def inputs(self) -> list[Path | None]:
        """The files that are read."""
        return [self.program[0] if self.kind == PROGRAM else Path(self.subject), self.data]
