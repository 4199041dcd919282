"""The commands put together, and the one way in which they fail: one sentence, exit code 2."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from symbreak import __version__
from symbreak.cli.check_gradient import check_gradient
from symbreak.cli.diagnose import diagnose
from symbreak.cli.lesson import lesson
from symbreak.cli.predict import predict
from symbreak.cli.report import report
from symbreak.cli.train import train
from symbreak.errors import SymbreakError

BAD_INPUT, INTERRUPTED = 2, 130


class OneSentence(TyperGroup):
    """A group of commands whose errors are sentences, never tracebacks."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SymbreakError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(BAD_INPUT) from error
        except (MemoryError, RuntimeError, TypeError) as error:
            if not _is_out_of_memory(error):
                raise
            typer.echo(
                "Error: The memory of this machine must hold data and starts. Got too little; "
                "use fewer --starts, fewer --hidden units, fewer rows or --dtype float32.",
                err=True,
            )
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt as error:
            typer.echo("Interrupted before there was anything to keep.", err=True)
            raise typer.Exit(INTERRUPTED) from error


def _is_out_of_memory(error: Exception) -> bool:
    """Tell whether memory was short; torch says so in words alone, and by sizes that overflow."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(
        one in words for one in ("allocate memory", "out of memory", "overflow")
    )


app = typer.Typer(
    cls=OneSentence,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(train)
app.command()(predict)
app.command()(check_gradient)
app.command()(diagnose)
app.command()(lesson)
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
