"""The commands put together, and the one way in which they fail: one sentence, exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from symbreak import __version__
from symbreak.cli import INTERRUPTED, NOTHING_YET
from symbreak.cli.check_gradient import CheckOptions, check_gradient
from symbreak.cli.declared import declared
from symbreak.cli.diagnose import DiagnoseOptions, diagnose
from symbreak.cli.lesson import LessonOptions, lesson
from symbreak.cli.loading import loading
from symbreak.cli.predict import predict
from symbreak.cli.report import report
from symbreak.cli.train import TrainOptions, train
from symbreak.errors import SymbreakError

BAD_INPUT = 2
_SMALLER = {
    "--starts": "fewer --starts",
    "--hidden": "fewer --hidden units",
    "--dtype": "--dtype float32",
}


class OneSentence(TyperGroup):
    """A group of commands whose errors are sentences, never tracebacks."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the words; typer loads rich meanwhile."""
        with _interruption_told(), loading():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with _interruption_told():
                return super().invoke(ctx)
        except SymbreakError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except (MemoryError, RuntimeError, TypeError, ValueError) as error:
            if not _is_out_of_memory(error):
                raise
            typer.echo(
                "Error: The memory of this machine must hold data and starts. Got too little; "
                f"use {_smaller(self, ctx.invoked_subcommand)}.",
                err=True,
            )
            raise typer.Exit(BAD_INPUT) from error


def _smaller(group: Any, name: str | None) -> str:
    """Return what needs less memory, by options that the command has."""
    command = group.commands.get(name)
    known = {word for option in getattr(command, "params", ()) for word in option.opts}
    return " or ".join(["fewer rows", *(what for word, what in _SMALLER.items() if word in known)])


@contextmanager
def _interruption_told() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo(NOTHING_YET, err=True)
        raise typer.Exit(INTERRUPTED) from error


def _is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory was short; torch and NumPy say so in words, or by sizes too large."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(
        one in words
        for one in ("allocate memory", "out of memory", "overflow", "maximum allowed dimension")
    )


app = typer.Typer(
    cls=OneSentence,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(declared(TrainOptions, train))
app.command()(predict)
app.command()(declared(CheckOptions, check_gradient))
app.command()(declared(DiagnoseOptions, diagnose))
app.command()(declared(LessonOptions, lesson))
app.command()(report)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symbreak {__version__}")
        raise typer.Exit


@app.callback()
def symbreak(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Start neural networks right.

    Break the symmetry, prove the gradient, train from many random starts at once.
    """
