"""What `symbreak diagnose` was asked for, and which of three things it is to diagnose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.check_gradient import MODEL, PROGRAM, program_named
from symbreak.cli.choices import DATASETS, ELEMENTWISE, listed
from symbreak.cli.header_option import HeaderOfModel
from symbreak.cli.loading import loading
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

    subject: Annotated[
        str,
        typer.Argument(
            metavar="SUBJECT",
            help="FILE.py:FUNCTION, a model that `symbreak train --model` wrote, or a file of "
            "weights (safetensors, or PT, PTH, BIN or CKPT with tensors alone).",
        ),
    ]
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="After a model: a table, to measure when rounding tears equal units apart.",
        ),
    ] = None
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"After a model, instead of DATA: {listed(DATASETS)}.",
        ),
    ] = None
    header: HeaderOfModel = None
    start: Annotated[
        int | None,
        typer.Option(metavar="K", help="Of a model: only its start K, from 0; all by default."),
    ] = None
    alpha: Annotated[
        float | None,
        typer.Option(
            help="Of a model: the L2 penalty it is trained with; 1 by default for classification, "
            "10 for regression."
        ),
    ] = None
    update: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Of a model: linear (default: l-bfgs, sgd, gradient-descent and others) or "
            f"elementwise ({', '.join(ELEMENTWISE)}).",
        ),
    ] = None
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="Of a model: warn also of units that are one unit within this relative difference."
        ),
    ] = None
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of FILE.py:FUNCTION: sgd (with momentum), adamw or both; whether equal units "
            "stay equal is tried with it. By default that of FUNCTION, or both.",
        ),
    ] = None
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Use N rows, spread evenly; 0 for all. 64 of DATA by default; of "
            "FILE.py:FUNCTION the whole batch.",
        ),
    ] = None
    memory_budget: Annotated[
        int | None,
        typer.Option(
            metavar="BYTES", help="Of weights: what the scan may allocate; 67108864 by default."
        ),
    ] = None
    level: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="Print findings of this level and above: error, warning or note.",
        ),
    ] = "note"
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all findings here, as JSON.")
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the first line.")] = False

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


def diagnose(options: DiagnoseOptions) -> None:
    """Tell whether a start is sound, and what is wrong with it.

    Which units are wasted, for ever or not, why, and what to do.

    FILE.py:FUNCTION diagnoses any PyTorch module on a batch: FILE.py is your own program and is
    run; FUNCTION() must return (module, loss, batch), or a dictionary with the keys module, batch,
    and loss or step, and optimizer if wanted. Of a model the symmetries of all starts are
    certified exactly. A file of weights is scanned for what weights alone can tell.

    Exit codes: 0 sound, 1 a finding at error level, 2 something given is not what it must be.
    """
    with loading():
        from symbreak.cli.diagnose_run import run

    raise typer.Exit(run(options))
