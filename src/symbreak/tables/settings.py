"""Checked reading of plain settings (what JSON can hold), for whatever is rebuilt from a file."""

from __future__ import annotations

import math
from typing import TypeVar

from symbreak.errors import InvalidInput

T = TypeVar("T")


def take(settings: object, key: str, kind: type[T]) -> T:
    """Return `settings[key]`, which must be of exactly this kind (True is no int).

    Raises
    ------
    InvalidInput
        `settings` is no dict, lacks the key or holds another kind there.
    """
    value = settings.get(key) if isinstance(settings, dict) else None
    if type(value) is not kind:
        raise InvalidInput(f"Setting '{key}' must be of kind {kind.__name__}. Got {value!r}.")
    return value


def take_number(settings: object, key: str, *, positive: bool = False) -> float:
    """Return a finite float, above zero if `positive`.

    Raises
    ------
    InvalidInput
        It is something else.
    """
    value = take(settings, key, float)
    if not math.isfinite(value) or (positive and value <= 0):
        wanted = "a finite number above 0" if positive else "a finite number"
        raise InvalidInput(f"Setting '{key}' must be {wanted}. Got {value!r}.")
    return value


def take_all(settings: object, key: str, kind: type[T]) -> tuple[T, ...]:
    """Return a list of values of exactly one kind, as a tuple.

    Raises
    ------
    InvalidInput
        It is no list, or a value in it is of another kind.
    """
    values = take(settings, key, list)
    for value in values:
        if type(value) is not kind:
            raise InvalidInput(
                f"Setting '{key}' must hold only values of kind {kind.__name__}. Got {value!r}."
            )
    return tuple(values)
