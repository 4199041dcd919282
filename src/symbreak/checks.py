"""Checks of single numbers, with one sentence for each kind.

NumPy numbers are as good as Python's; True and False are no numbers. `what` names the number for
people. Every check raises `InvalidInput`; `integer_or_none` also `InvalidType`.
"""

from __future__ import annotations

import math
import operator
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from symbreak.errors import InvalidInput, InvalidType


def check_positive(what: str, number: object, advice: str = "") -> None:
    """Accept finite numbers above 0; `advice` ends the message."""
    if not 0 < _real(number) < math.inf:
        raise InvalidInput(f"{what} must be a positive number. Got {number!r}. {advice}".rstrip())


def check_not_negative(what: str, number: object) -> None:
    """Accept finite numbers of 0 and above."""
    if not 0 <= _real(number) < math.inf:
        raise InvalidInput(f"{what} must be zero or a positive number. Got {number!r}.")


def check_at_least(what: str, number: object, least: float) -> None:
    """Accept finite numbers of `least` and above."""
    if not least <= _real(number) < math.inf:
        raise InvalidInput(f"{what} must be a number of at least {least:g}. Got {number!r}.")


def check_above(what: str, number: object, bound: float) -> None:
    """Accept finite numbers above `bound`."""
    if not bound < _real(number) < math.inf:
        raise InvalidInput(f"{what} must be above {bound:g}. Got {number!r}.")


def check_fraction(what: str, number: object) -> None:
    """Accept numbers from 0 to below 1."""
    if not 0 <= _real(number) < 1:
        raise InvalidInput(f"{what} must be at least 0 and below 1. Got {number!r}.")


def check_finite(what: str, number: object) -> None:
    """Accept finite numbers."""
    if not is_number(number):
        raise InvalidInput(f"{what} must be a finite number. Got {number!r}.")


def check_switch(what: str, value: object) -> None:
    """Accept True and False, of Python or NumPy."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{what} must be True or False. Got {value!r}.")


def check_positive_integer(what: str, number: object) -> None:
    """Accept integers of 1 and above."""
    if not is_integer(number, 1):
        raise InvalidInput(f"{what} must be a positive integer. Got {number!r}.")


def check_count(what: str, number: object) -> None:
    """Accept integers of 0 and above."""
    if not is_integer(number, 0):
        raise InvalidInput(f"{what} must be zero or a positive integer. Got {number!r}.")


def check_integer_at_least(what: str, number: object, least: int) -> None:
    """Accept integers of `least` and above."""
    if not is_integer(number, least):
        raise InvalidInput(f"{what} must be an integer of at least {least}. Got {number!r}.")


def integer_or_none(what: str, value: Any, least: int) -> int:
    """Return an integer of `least` and above, where None was possible too.

    Raises
    ------
    InvalidType
        No integer.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InvalidType(f"{what} must be an integer or None. Got {value!r}.") from None
    if number < least:
        raise InvalidInput(f"{what} must be at least {least}, or None. Got {number}.")
    return number


def _real(number: object) -> float:
    """Return the number as a float; NaN, which no range holds, for what is none."""
    if isinstance(number, bool) or not isinstance(number, Real):
        return math.nan
    return float(number)


def is_number(number: object) -> TypeGuard[float]:
    """Tell whether a number is real and finite."""
    return math.isfinite(_real(number))


def is_integer(number: object, least: int) -> bool:
    """Tell whether a number is an integer of `least` and above."""
    if isinstance(number, bool) or not isinstance(number, Integral):
        return False
    return int(number) >= least
