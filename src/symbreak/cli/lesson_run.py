"""`symbreak lesson`, from the options to the printed steps, or to the page on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from symbreak import __version__
from symbreak.atomic import replace_file
from symbreak.cli.console import say_notes
from symbreak.cli.lesson import LessonOptions
from symbreak.cli.lesson_text import print_lesson
from symbreak.cli.outputs import check_outputs, write_json
from symbreak.errors import InvalidInput
from symbreak.lesson import run_lesson
from symbreak.tables.datasets import load_dataset
from symbreak.tables.preparation import Preparation
from symbreak.tables.read import read_table
from symbreak.tables.table import Table
from symbreak.tables.target import Target

DIGITS = "digits"
LARGEST_PIXEL = 16.0
FEW_UNITS = (4,)


def run(options: LessonOptions) -> None:
    """Read, train, print and write."""
    check_outputs([options.json, options.html], [options.data])
    asked: dict[str, Any] = {
        "hidden": options.hidden_layers, "epsilon": options.epsilon, "updates": options.updates,
        "seed": options.seed,
    }  # fmt: skip
    data = _read(options)
    if options.html is not None:
        write_page(options.html, options.json, data, **asked)
        return
    with Console(stderr=True).status("Training from zeros, a constant and random numbers ..."):
        lesson = run_lesson(data.X, data.y, data.classes, **asked)
    print_lesson(lesson, data.source, data.notes)
    if options.json is not None:
        about = {"symbreak": __version__, "source": data.source, "notes": data.notes}
        write_json(options.json, {**about, **lesson.to_dict()})
        print(f"Every number, as JSON: {options.json}")


def _read(options: LessonOptions) -> LessonData:
    if options.data is not None and options.dataset is not None:
        raise InvalidInput("The data must be one file or one --dataset NAME. Got both.")
    if options.data is None:
        table, _ = load_dataset(options.dataset or DIGITS)
        target, is_digits = options.target or "target", table.source == DIGITS
        return _classified(table, target, options.drop, is_digits=is_digits)
    if options.target is None:
        raise InvalidInput("--target must name the column that holds the classes. Got none.")
    table = read_table(options.data, header=options.header)
    say_notes(table.notes)
    return _classified(table, options.target, options.drop)


def _classified(
    table: Table, target: str, drop: Sequence[str], *, is_digits: bool = False
) -> LessonData:
    if target in drop:
        raise InvalidInput(f"--drop must name a column other than the target. Got '{target}'.")
    fitted = Target.fit(table, target)
    if not fitted.classes:
        raise InvalidInput(
            f"Target '{target}' of '{table.source}' must hold classes for the lesson. "
            "Got numbers; choose a column of classes."
        )
    y = fitted.encode(table)
    if is_digits and target == "target" and not drop:
        frame = table.frame.drop(target)
        pixels, names = frame.to_numpy() / LARGEST_PIXEL, tuple(frame.columns)
        scaled = ("Pixels are scaled to [0, 1].",)
        return LessonData(table.source, pixels, y, fitted.classes, names, scaled)
    preparation = Preparation.fit(table, target=target, drop=drop)
    notes = ("Columns of numbers have mean 0 and standard deviation 1.", *preparation.notes)
    X = preparation.transform(table)
    return LessonData(table.source, X, y, fitted.classes, preparation.feature_names, notes)


@dataclass(frozen=True, eq=False)
class LessonData:
    """X (m, features), y (m,) class indices, and sentences on how X was made.

    `features` names the columns of X.
    """

    source: str
    X: NDArray[np.float64]
    y: NDArray[Any]
    classes: tuple[object, ...]
    features: tuple[str, ...]
    notes: tuple[str, ...]


def write_page(
    html: Path, json: Path | None, given: LessonData, *, hidden: Sequence[int], **settings: Any
) -> None:
    """Make all runs of the page and write it; its numbers as JSON too, if asked for."""
    from symbreak.lesson.page import Scene, lesson_data, planes, rendered
    from symbreak.page import check_renderable

    check_renderable()
    if min(hidden) < 2:
        raise InvalidInput(
            f"hidden of the lesson must be one or more layers of at least 2 units, to put two "
            f"units side by side. Got {tuple(hidden)!r}."
        )
    sizes = dict.fromkeys([(), FEW_UNITS, tuple(hidden)])
    scene = Scene(
        key="data",
        name=given.source,
        description=" ".join(given.notes),
        X=given.X,
        y=given.y.astype(np.int64),
        classes=tuple(map(str, given.classes)),
        features=given.features,
        hidden=tuple(sizes),
    )
    with Console(stderr=True).status("Training from every start, on every data set ..."):
        data = lesson_data([scene, *planes(seed=settings["seed"])], **settings)
    page = rendered(data)
    with replace_file(html) as file:
        file.write(page.encode())
    print(f"The lesson as a page, to be opened in a browser: {html}")
    if json is not None:
        write_json(json, data)
        print(f"Every number, as JSON: {json}")
