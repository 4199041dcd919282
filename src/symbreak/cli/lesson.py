"""What `symbreak lesson` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.header_option import Header
from symbreak.cli.loading import loading
from symbreak.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class LessonOptions:
    """The options of `symbreak lesson`, as typed."""

    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="CSV, TSV, TXT, Parquet, NPZ or MAT file with one example in a row.",
        ),
    ] = None
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that holds the classes.")
    ] = None
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Instead of DATA: digits (default), iris, wine or breast-cancer.",
        ),
    ] = None
    header: Header = None
    drop: Annotated[
        tuple[str, ...],
        typer.Option(metavar="COLUMN", help="Leave a column out; may be repeated."),
    ] = ()
    hidden: Annotated[
        str, typer.Option(metavar="UNITS", help="Units of each hidden layer, such as 25 or 25,10.")
    ] = "25"
    epsilon: Annotated[
        float,
        typer.Option(
            help="Random starts are drawn from [-EPSILON, EPSILON), constants are EPSILON."
        ),
    ] = 0.12
    updates: Annotated[int, typer.Option(metavar="N", help="Updates of each training.")] = 100
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the random start.")] = 0
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every number here, as JSON.")
    ] = None
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of printing, write the lesson here as a page to look at and try out: "
            "more starts, XOR, circles and spirals besides the data. Takes up to a minute.",
        ),
    ] = None

    @property
    def hidden_layers(self) -> tuple[int, ...]:
        """Units of the hidden layers."""
        try:
            return tuple(int(units) for units in self.hidden.split(","))
        except ValueError:
            raise InvalidInput(
                f"--hidden must be numbers of units such as 25 or 25,10. Got '{self.hidden}'."
            ) from None


def lesson(options: LessonOptions) -> None:
    """Show with numbers why a network must start at random.

    Trains one network from zeros, from a constant and from small random numbers, and logistic
    regression from zeros, and puts two hidden units side by side.
    """
    with loading():
        from symbreak.cli.lesson_run import run

    run(options)
