"""Who carries out a call of `minimize`: its own loop, or a caller that gathers many of them first.

A program that calls `minimize` somewhere inside (the `fit` of an estimator, say) may be run many
times with other penalties, examples or starts. Under `carried_by(carrier)` each such call hands its
arguments to the carrier and gets the outcome from it, so that a search over many fits can train
them as one stack and change nothing in the estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbreak.optimize.outcome import Outcome

# (objective, theta, keyword arguments of `minimize`) -> outcome
Carrier = Callable[[Any, Any, Mapping[str, Any]], "Outcome"]

_IN_FORCE: ContextVar[Carrier | None] = ContextVar("carrier of minimize", default=None)


def carrier_in_force() -> Carrier | None:
    """Return who carries out `minimize` in this thread and context; None is its own loop."""
    return _IN_FORCE.get()


@contextmanager
def carried_by(carrier: Carrier | None) -> Iterator[None]:
    """A context, of this thread alone, in which `carrier` carries out `minimize`."""
    token = _IN_FORCE.set(carrier)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
