"""Why theta must start at random, shown with the numbers of one's own network and data."""

from symbreak.lesson.argument import run_lesson
from symbreak.lesson.facts import Lesson

__all__ = ["Lesson", "run_lesson"]
