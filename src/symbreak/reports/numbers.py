"""Plain data that strict JSON holds.

Conventions
-----------
A number that is not finite is the text "inf", "-inf" or "nan"; null means that there is nothing: no
score, no test. Long names are cut to `MOST_CHARACTERS`, with an ellipsis.
"""

from __future__ import annotations

import math
from typing import Any

from symbreak import page
from symbreak.training.scores import NO_R2

MOST_CHARACTERS = 120
NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
CONVENTION = (
    'Numbers that are not finite are the text "inf", "-inf" or "nan"; null means that there is '
    "none."
)


def plain(data: Any, digits: int | None = None) -> Any:
    """Return dicts, lists, numbers, text and None only, numbers with all their digits."""
    return page.plain(data, digits)


def section(data: dict[str, Any], digits: int | None = None) -> dict[str, Any]:
    """Return a section of a document: `plain` of a dictionary."""
    return {name: plain(value, digits) for name, value in data.items()}


def number_of(value: Any) -> float:
    """Return the number that `plain` wrote; NaN for None."""
    return math.nan if value is None else float(value)


def short(name: Any, most: int = MOST_CHARACTERS) -> str:
    """Return a name of bearable length."""
    text = str(name)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def score_shown(score: Any, digits: int) -> str:
    """Return a score of a document for people; None is that of R² where there is none."""
    return NO_R2 if score is None else shown(score, digits)


def shown(number: Any, digits: int = 5) -> str:
    """Return a number of a document for people."""
    if number is None:
        return NOTHING
    if isinstance(number, bool):
        return "yes" if number else "no"
    if isinstance(number, int):
        return str(number)
    value = number_of(number)
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return f"{value:.{digits}g}".replace("-", MINUS)
