"""What a command prints, and the progress of a training: neither ends with its readers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from symbreak.optimize import Progress as Where

Callback = Callable[["Where"], None]


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


@contextmanager
def shown(max_iter: int, *, quiet: bool) -> Iterator[Callback | None]:
    """Yield the callback for `minimize` that shows where the search stands.

    A bar on a terminal, a few plain lines elsewhere; on standard error.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    if quiet:
        yield None
    elif not console.is_terminal:
        yield _Lines()
    else:
        columns = (
            BarColumn(bar_width=8),
            TextColumn("{task.fields[where]}"),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("Training", total=max(max_iter, 1), where="")
            yield lambda where: bar.update(task, completed=where.iteration, where=short(where))


def words(where: Where) -> str:
    """Return where the search stands, on one line."""
    return (
        f"iteration {where.iteration}, best J {where.best_value:.6g}, "
        f"median J {where.median_value:.6g}, {where.n_running} of {where.n_starts} starts running"
    )


def short(where: Where) -> str:
    """Return the same in words that leave room for the bar on a line of 80 characters."""
    return (
        f"iteration {where.iteration}, J {where.best_value:.4g} (best), "
        f"{where.median_value:.4g} (median), {where.n_running} of {where.n_starts} run"
    )


class _Lines:
    """A line at iteration 1, 2, 5, 10, 20, 50, 100, ..."""

    def __init__(self) -> None:
        self._due = 1

    def __call__(self, where: Where) -> None:
        if where.iteration < self._due:
            return
        say(words(where), err=True)
        while self._due <= where.iteration:
            # 1 -> 2 -> 5 -> 10
            self._due = self._due * 5 // 2 if str(self._due)[0] == "2" else self._due * 2
