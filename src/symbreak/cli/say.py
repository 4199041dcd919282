"""Printing by a command whose work does not end with its readers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import typer


def say(text: str, *, err: bool = False) -> None:
    """Print a line on standard output, or on standard error; nothing once nobody reads it."""
    try:
        typer.echo(text, err=err)
    except BrokenPipeError:
        # The reader has gone, as `head` does: what was asked for is still computed and written.
        mute(err=err)


def say_notes(notes: Iterable[str]) -> None:
    """Print sentences worth knowing on standard error."""
    for note in notes:
        say(f"Note: {note}", err=True)


def mute(*, err: bool = False) -> None:
    """Send what is still printed, and what waits to be printed, nowhere."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), (sys.stderr if err else sys.stdout).fileno())
