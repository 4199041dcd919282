"""What `symbreak check-gradient` was asked for, and which of three things it is to check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.choices import DATASETS, LOSSES, listed
from symbreak.cli.header_option import Header
from symbreak.cli.loading import loading
from symbreak.cli.network_options import NetworkOptions
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
class CheckOptions(NetworkOptions):
    """The options of `symbreak check-gradient`, as typed; None is what was not given.

    Raises
    ------
    InvalidInput
        Options that do not go together.
    """

    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="SUBJECT",
            help="A model that `symbreak train --model` wrote, a table (CSV, TSV, TXT, Parquet, "
            "NPZ or MAT), or FILE.py:FUNCTION.",
        ),
    ] = None
    data: Annotated[
        Path | None,
        typer.Argument(metavar="DATA", help="After a model: the table to check it on."),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column to learn; a model knows its own."),
    ] = None
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Instead of a table: {listed(DATASETS)}.",
        ),
    ] = None
    header: Header = None
    start: Annotated[
        int | None,
        typer.Option(metavar="K", help="Of a model: only its start K, from 0; all by default."),
    ] = None
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK", help="classification or regression; inferred as `train` does."
        ),
    ] = None
    drop: Annotated[
        tuple[str, ...],
        typer.Option(metavar="COLUMN", help="Leave a column out; may be repeated."),
    ] = ()
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Units of each hidden layer, such as 25,10; none for no layer; 25 by default.",
        ),
    ] = None
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One, or one for each hidden layer; tanh by default. See `train`."
        ),
    ] = None
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=listed(
                LOSSES, cross_entropy="default for classes", squared_error="default for numbers"
            )
            + ".",
        ),
    ] = None
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RULE", help="How the start is drawn; glorot_uniform by default. See `train`."
        ),
    ] = None
    epsilon: Annotated[
        float | None,
        typer.Option(help="Draw every parameter from [-EPSILON, EPSILON] (rule uniform)."),
    ] = None
    alpha: Annotated[
        float | None,
        typer.Option(
            help="L2 penalty alpha/(2m) times the sum of squared weights; 1 by default for "
            "classification, 10 for regression."
        ),
    ] = None
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="DTYPE", help="float64 or float32; by default that of the model, or float64."
        ),
    ] = None
    device: Annotated[
        str | None,
        typer.Option(metavar="DEVICE", help="A PyTorch device, such as cuda; cpu by default."),
    ] = None
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Use N rows, spread evenly; 0 for all. 64 by default; of FILE.py:FUNCTION the "
            "whole batch.",
        ),
    ] = None
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="directions: random lines through each block; or coordinates: each parameter by "
            "itself.",
        ),
    ] = "directions"
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough/--no-thorough",
            help="Check also after a few steps down the gradient, and data and penalty each alone.",
        ),
    ] = True
    no_locate: Annotated[
        bool,
        typer.Option("--no-locate", help="Do not search for the wrong entries and their cause."),
    ] = False
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the start and of the lines.")] = 0
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report here, as JSON.")
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the first line.")] = False

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
    def locate(self) -> bool:
        """Whether to search for the wrong entries and their cause."""
        return not self.no_locate

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


def check_gradient(options: CheckOptions) -> None:
    """Check a gradient, and name the entries that are wrong.

    The gradient is compared with differences of J, along random lines through each block.

    MODEL DATA checks a saved model on the rows of a table, or of --dataset. A table with --target,
    or --dataset alone, checks a network built for it, at a random start. FILE.py:FUNCTION checks
    any PyTorch module: FILE.py is your own program and is run; FUNCTION() must return (module,
    loss, batch), or a dictionary with the keys module, batch, and loss or step.

    Exit codes: 0 pass, 1 fail, 3 inconclusive, 2 something given is not what it must be.
    """
    with loading():
        from symbreak.cli.check_run import run

    raise typer.Exit(run(options))


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
