"""From data sets to the lesson page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from symbreak import __version__
from symbreak.checks import check_count, check_positive_integer
from symbreak.errors import InvalidInput
from symbreak.lesson.argument import ACTIVATION, LOSS
from symbreak.lesson.page.choices import starts, steps
from symbreak.lesson.page.collect import scene_data
from symbreak.lesson.page.scenes import MOST_EXAMPLES, Scene
from symbreak.lesson.runs import METHODS
from symbreak.page import plain, render

TITLE = "Why a neural network must start at random"
TEMPLATE = "lesson/page/lesson.html"


def lesson_data(
    scenes: Sequence[Scene], *, epsilon: float = 0.12, updates: int = 100, seed: int = 0
) -> dict[str, Any]:
    """Make all runs of the page.

    Parameters
    ----------
    scenes : the data sets to choose from; more than 2000 examples are sampled.
    epsilon : the constant start, and one more uniform start if it is none of the usual ones.
    updates : of each run, at least 1; three times as many on points of a plane.
    seed : of all random starts, so that only the start's rule differs.

    Returns
    -------
    dict
        Dictionaries, lists, words and numbers of 4 significant digits, as `json.dumps` takes them.

    Raises
    ------
    InvalidInput
        No scene, two of one key, or numbers out of range.
    """
    check_positive_integer("updates of the lesson", updates)
    check_count("seed of the lesson", seed)
    keys = [scene.key for scene in scenes]
    if not keys or len(set(keys)) < len(keys):
        raise InvalidInput(
            f"The lesson page must have 1 or more scenes, each with a key of its own. Got {keys}."
        )
    choices = starts(epsilon, (-1.0, 1.0))
    found: dict[str, Any] = plain(
        {
            "symbreak": __version__,
            "seed": seed,
            "epsilon": epsilon,
            "activation": ACTIVATION,
            "loss": LOSS,
            "methods": METHODS,
            "starts": [{"key": c.key, "label": c.label} for c in choices],
            "steps": [asdict(step) for step in steps([choice.key for choice in choices])],
            "scenes": [
                scene_data(
                    scene.at_most(MOST_EXAMPLES, seed), epsilon=epsilon, updates=updates, seed=seed
                )
                for scene in scenes
            ],
        }
    )
    return found


def rendered(data: dict[str, Any]) -> str:
    """Return the page of `lesson_data`."""
    return render(TEMPLATE, data, TITLE)


def lesson_page(scenes: Sequence[Scene], **settings: Any) -> str:
    """Return the page as HTML; `settings` are those of `lesson_data`.

    Raises
    ------
    MissingOptionalPackage
        jinja2 is not installed.
    """
    return rendered(lesson_data(scenes, **settings))
