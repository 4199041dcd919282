"""The lesson as a page: real runs of this library, held in the hand. Needs jinja2."""

from symbreak.lesson.page.scenes import Scene, digits, planes
from symbreak.lesson.page.write import lesson_data, lesson_page, rendered

__all__ = ["Scene", "digits", "lesson_data", "lesson_page", "planes", "rendered"]
