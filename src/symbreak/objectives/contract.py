"""The contract between objectives and all that works on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

from torch import Tensor

from symbreak.parameters import Block


@runtime_checkable
class Objective(Protocol):
    """J(theta) and its gradient for many starts.

    Conventions: theta (starts, n); J (starts,); gradient (starts, n). Starts do not see each other.

    Optional capabilities, asked for by name: hessian_product(theta, v) and
    gauss_newton_product(theta, v), (starts, n); gauss_newton(theta) -> (J, gradient, G), G
    (starts, n, n); residuals(theta) (starts, r) with J = ½ Σ r², and jacobian(theta)
    (starts, r, n); minibatch_gradients(theta, order, size), see `minibatches`; terms() -> {name:
    objective}, the objectives whose sum J is; is_fixed, (n,) bool, the entries of theta that no
    gradient moves.
    """

    @property
    def blocks(self) -> Sequence[Block]:
        """The named parts of theta; the last one ends at n."""

    def __call__(self, theta: Any, *, out: Tensor | None = None) -> tuple[Any, Any]:
        """Return J and the gradient, detached; in fresh arrays unless `out` is given."""

    def value(self, theta: Any) -> Any:
        """Return J, equal to `self(theta)[0]`, at less cost."""

    def take(self, starts: Any) -> Self:
        """Return the objective of these starts (repeats allowed), with what is theirs alone."""

    def batch(self, rows: Any) -> Self:
        """Return the same on a subset of the examples; its mean over equal batches is J."""
