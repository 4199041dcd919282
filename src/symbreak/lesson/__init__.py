"""Why theta must start at random, shown with the numbers of one's own network and data."""

from symbreak.lesson.argument import run_lesson
from symbreak.lesson.facts import Lesson
from symbreak.lesson.page import Scene, digits, lesson_data, lesson_page, planes, rendered

__all__ = [
    "Lesson",
    "Scene",
    "digits",
    "lesson_data",
    "lesson_page",
    "planes",
    "rendered",
    "run_lesson",
]


def __dir__() -> list[str]:
    return sorted(__all__)
