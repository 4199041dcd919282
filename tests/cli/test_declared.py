"""An option of a command is a field of its record: declared once, with default and help."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from symbreak.cli.declared import declared
from symbreak.cli.train import TrainOptions
from symbreak.training.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Options:
    place: Annotated[Path, typer.Argument(metavar="PLACE", help="Where.")]
    words: Annotated[tuple[str, ...], typer.Option(metavar="WORD", help="What to say.")] = ()
    times: Annotated[int, typer.Option(metavar="N", help="How often.")] = 3
    loud: Annotated[bool, typer.Option("--loud", help="In capitals.")] = False


@pytest.fixture
def app():
    """Return an app with one command, and what it was called with."""
    called: list[Options] = []

    def speak(options: Options) -> None:
        """Say the words."""
        called.append(options)

    made = typer.Typer(rich_markup_mode=None, add_completion=False)
    made.command()(declared(Options, speak))
    return made, called


@pytest.mark.parametrize(
    ("typed", "changes"),
    [
        ((), {}),
        (("--words", "a b", "--words", "c"), {"words": ("a b", "c")}),
        (("--times", "5", "--loud"), {"times": 5, "loud": True}),
    ],
)
def test_what_is_typed_is_in_the_fields(app, typed, changes):
    made, called = app
    assert CliRunner().invoke(made, ["here", *typed]).exit_code == 0
    assert called == [replace(Options(place=Path("here")), **changes)]


def test_the_help_is_that_of_the_fields_and_of_the_docstring(app):
    shown = CliRunner().invoke(app[0], ["--help"]).output
    for words in ("Say the words.", "PLACE", "Where.", "--words", "What to say.", "[default: 3]"):
        assert words in shown


def test_the_command_has_the_defaults_of_the_library():
    assert TrainOptions(dataset="iris").settings == Settings()
    assert TrainOptions(dataset="iris", quick=True).settings == Settings(search=False)
