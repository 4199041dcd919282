"""Checks of the numbers that rules are made with: one sentence each."""

from __future__ import annotations

import math
from numbers import Real
from typing import TypeGuard

from symbreak.errors import InvalidInput


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether `value` is a finite real number (True and False are not)."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_finite(what: str, value: object) -> None:
    """Raise InvalidInput unless `value` is a finite number."""
    if not is_number(value):
        raise InvalidInput(f"{what} must be a finite number. Got {value!r}.")


def check_positive(what: str, value: object) -> None:
    """Raise InvalidInput unless `value` is a finite number above 0."""
    if not is_number(value) or not value > 0:
        raise InvalidInput(
            f"{what} must be a finite number above 0. Got {value!r}. "
            "For a start of equal numbers use the rules 'zeros' or 'constant'."
        )
