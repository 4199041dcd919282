"""Pickles that are read, or refused in a sentence.

A pickle makes an object before it reads what the object holds. Version 0.1 had it made by `__new__`
without arguments; since then `made_of_today` makes it, and knows whether PyTorch is needed.
"""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

from symbreak import __version__
from symbreak.arrays.tensors import imported_torch
from symbreak.errors import InvalidType


class Pickled(ABC):
    """An object that is made of arguments and whose pickles of version 0.1 cannot be read."""

    def __new__(cls, *given: Any, **named: Any) -> Self:
        """Return an object to initialize; pickles of 0.1 give no arguments where some are due."""
        if not given and not named and _asks_for_arguments(cls):
            raise refusal(cls.__name__)
        return super().__new__(cls)

    @property
    @abstractmethod
    def _holds_tensors(self) -> bool:
        """Whether PyTorch is needed to read a pickle of it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return made_of_today, (type(self), self._holds_tensors, __version__), self.__getstate__()


def made_of_today(kind: type[Pickled], holds_tensors: bool, version: str) -> Pickled:
    """Return an object for a pickle to fill; a warning says that another version wrote it.

    Raises
    ------
    MissingOptionalPackage
        The pickle holds tensors, and PyTorch is not installed.
    """
    if holds_tensors:
        imported_torch(f"A pickled {kind.__name__} that holds tensors")
    warn_of_version(kind.__name__, version)
    return object.__new__(kind)


def warn_of_version(name: str, version: str) -> None:
    """Warn where what is read was written by another version of symbreak."""
    if version != __version__:
        warnings.warn(
            f"This {name} was written by symbreak {version} and is read by {__version__}, which "
            "may understand it otherwise: make it anew, or read it with the version that wrote it.",
            stacklevel=3,
        )


def refusal(name: str) -> InvalidType:
    """Return what a pickle of version 0.1 is refused with."""
    return InvalidType(
        f"{name} must be made of its arguments or read from a pickle of this version. Got a pickle "
        "of version 0.1, or no arguments: make it anew. Model files and estimators of 0.1 load."
    )


def refusing(module: str, name: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module where pickles of 0.1 look for what is not there now."""

    def get(asked: str) -> Any:
        if asked == name:
            raise refusal(name)
        raise AttributeError(f"module {module!r} has no attribute {asked!r}")

    return get


def _asks_for_arguments(kind: type[Pickled]) -> bool:
    try:
        inspect.signature(kind.__init__).bind(None)
    except TypeError:
        return True
    return False
