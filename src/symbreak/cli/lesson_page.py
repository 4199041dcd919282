"""`symbreak lesson --html`: from the data read to the page on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from symbreak.atomic import replace_file
from symbreak.cli.outputs import write_json
from symbreak.errors import InvalidInput

FEW_UNITS = (4,)


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
