"""Searches that others may gather: `minimize` at once, or a caller that trains many together.

An estimator's `fit` may run many times with other penalties, examples or starts. Under
`gathered_by(gather)` each `minimize` of this module hands its arguments over and gets the outcome
from there, so that a search over many fits can train them as one stack and change nothing in the
estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from symbreak.optimize import Outcome
from symbreak.optimize import minimize as minimize_at_once

# (objective, theta, keyword arguments of `minimize`) -> outcome
Gather = Callable[[Any, Any, Mapping[str, Any]], Outcome]

_IN_FORCE: ContextVar[Gather | None] = ContextVar("who gathers searches", default=None)


def gather_in_force() -> Gather | None:
    """Return who gathers searches in this thread and context; None where each runs at once."""
    return _IN_FORCE.get()


@contextmanager
def gathered_by(gather: Gather | None) -> Iterator[None]:
    """A context, of this thread alone, in which `gather` is handed the searches."""
    token = _IN_FORCE.set(gather)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def minimize(objective: Any, theta: Any, **arguments: Any) -> Outcome:
    """Return what `symbreak.minimize` returns of these arguments, from who gathers, if one does."""
    gather = gather_in_force()
    if gather is None:
        return minimize_at_once(objective, theta, **arguments)
    return gather(objective, theta, arguments)
