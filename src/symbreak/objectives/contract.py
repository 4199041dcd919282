"""The contract between objectives and all that works on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

from symbreak.arrays import Array
from symbreak.parameters import Block


@runtime_checkable
class Objective(Protocol):
    """J(theta) and its gradient for many starts.

    Conventions: theta (starts, n); J (starts,); gradient (starts, n). Starts do not see each other.

    What an objective may offer beyond this is named in `capabilities`.
    """

    @property
    def blocks(self) -> Sequence[Block]:
        """The named parts of theta; the last one ends at n."""

    def __call__(self, theta: Any, *, out: Array | None = None) -> tuple[Any, Any]:
        """Return J and the gradient, detached; in fresh arrays unless `out` is given."""

    def value(self, theta: Any) -> Any:
        """Return J, equal to `self(theta)[0]`, at less cost."""

    def take(self, starts: Any) -> Self:
        """Return the objective of these starts (repeats allowed), with what is theirs alone."""

    def batch(self, rows: Any) -> Self:
        """Return the same on a subset of the examples; its mean over equal batches is J."""
