"""Checks of the numbers that rules are made with: one sentence each."""

from __future__ import annotations

import math
import operator
import secrets
from numbers import Real
from typing import Any, TypeGuard

from symbreak.errors import InvalidInput, InvalidType

_FRESH_SEED_BITS = 64


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


def check_count(what: str, value: Any, least: int) -> int:
    """Return a whole number of at least `least`."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InvalidType(f"{what} must be an integer or None. Got {value!r}.") from None
    if number < least:
        raise InvalidInput(f"{what} must be at least {least}, or None. Got {number}.")
    return number


def check_seed(what: str, seed: Any) -> int:
    """Return the seed; a fresh one for None."""
    return secrets.randbits(_FRESH_SEED_BITS) if seed is None else check_count(what, seed, 0)
