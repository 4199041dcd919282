"""`symbreak lesson`, from the options to the printed steps."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from symbreak import __version__
from symbreak.cli.lesson_page import LessonData, write_page
from symbreak.cli.lesson_steps import print_lesson
from symbreak.cli.outputs import check_outputs, write_json
from symbreak.cli.say import say_notes
from symbreak.errors import InvalidInput
from symbreak.lesson import run_lesson
from symbreak.tables.datasets import load_dataset
from symbreak.tables.preparation import Preparation
from symbreak.tables.read import read_table
from symbreak.tables.table import Table
from symbreak.tables.target import Target

DIGITS = "digits"
LARGEST_PIXEL = 16.0


def run(
    data: Path | None,
    target: str | None,
    dataset: str | None,
    header: bool | None,
    hidden: str,
    epsilon: float,
    updates: int,
    seed: int,
    json: Path | None,
    html: Path | None = None,
) -> None:
    """Read, train, print and write."""
    check_outputs([json, html], [data])
    sizes = _hidden_layers(hidden)
    given = _read(data, target, dataset, header)
    if html is not None:
        write_page(html, json, given, hidden=sizes, epsilon=epsilon, updates=updates, seed=seed)
        return
    with Console(stderr=True).status("Training from zeros, a constant and random numbers ..."):
        lesson = run_lesson(
            given.X, given.y, given.classes, hidden=sizes, epsilon=epsilon, updates=updates,
            seed=seed,
        )  # fmt: skip
    print_lesson(lesson, given.source, given.notes)
    if json is not None:
        about = {"symbreak": __version__, "source": given.source, "notes": given.notes}
        write_json(json, {**about, **lesson.to_dict()})
        print(f"Every number, as JSON: {json}")


def _hidden_layers(hidden: str) -> tuple[int, ...]:
    try:
        return tuple(int(units) for units in hidden.split(","))
    except ValueError:
        raise InvalidInput(
            f"--hidden must be numbers of units such as 25 or 25,10. Got '{hidden}'."
        ) from None


def _read(
    data: Path | None, target: str | None, dataset: str | None, header: bool | None
) -> LessonData:
    if data is not None and dataset is not None:
        raise InvalidInput("The data must be one file or one --dataset NAME. Got both.")
    if data is None:
        table, _ = load_dataset(dataset or DIGITS)
        return _classified(table, target or "target", is_digits=table.source == DIGITS)
    if target is None:
        raise InvalidInput("--target must name the column that holds the classes. Got none.")
    table = read_table(data, header=header)
    say_notes(table.notes)
    return _classified(table, target)


def _classified(table: Table, target: str, *, is_digits: bool = False) -> LessonData:
    found = Target.fit(table, target)
    if not found.classes:
        raise InvalidInput(
            f"Target '{target}' of '{table.source}' must hold classes for the lesson. "
            "Got numbers; choose a column of classes."
        )
    y = found.encode(table)
    if is_digits and target == "target":
        frame = table.frame.drop(target)
        pixels, names = frame.to_numpy() / LARGEST_PIXEL, tuple(frame.columns)
        scaled = ("Pixels are scaled to [0, 1].",)
        return LessonData(table.source, pixels, y, found.classes, names, scaled)
    preparation = Preparation.fit(table, target=target)
    notes = ("Columns of numbers have mean 0 and standard deviation 1.", *preparation.notes)
    X = preparation.transform(table)
    return LessonData(table.source, X, y, found.classes, preparation.feature_names, notes)
