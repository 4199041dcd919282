"""Old names and old ways to call, which still answer and name what comes in their place."""

from __future__ import annotations

import functools
import importlib
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def warn_renamed(old: str, new: str) -> None:
    """Warn the caller of the function that calls this one."""
    warnings.warn(f"{old} is deprecated. Use {new}.", DeprecationWarning, stacklevel=3)


def warn_without_effect(what: str) -> None:
    """Warn the caller of the function that calls this one."""
    warnings.warn(f"{what} is deprecated. It has no effect.", DeprecationWarning, stacklevel=3)


def renamed(module: str, names: Mapping[str, str], home: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that moved: old names give what they are called now.

    Parameters
    ----------
    names : old name -> new name, both without their module.
    home : the module that the new names are in; it is imported when one is asked for.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", f"{home}.{names[name]}")
        return getattr(importlib.import_module(home), names[name])

    return get


def once_positional(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let keyword-only `name` still come as the next argument by place, with a warning."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kinds = [one.kind for one in inspect.signature(function).parameters.values()]
        places = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> R:
            if len(args) == places + 1 and name not in kwargs:
                said = f"{name} of {function.__name__} by place"
                warn_renamed(said, f"{name}={args[-1]!r}")
                *args, kwargs[name] = args  # type: ignore[assignment]
            return function(*args, **kwargs)

        return cast(Callable[P, R], called)

    return decorate
