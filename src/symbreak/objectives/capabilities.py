"""What an objective may offer beyond the contract, by name, and the one place where it is asked.

An objective has a capability when it has all of its attributes; None in the place of one is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, TypeVar, cast

from symbreak.arrays import Array
from symbreak.errors import InvalidType
from symbreak.native.interface import Problem

C = TypeVar("C")
# A loss, minus the share of right answers, or minus R²; in the order of the core's own numbers.
ScoreWord = Literal["loss", "accuracy", "r2"]


class HasDtype(Protocol):
    """Computes in a dtype of its own."""

    @property
    def dtype(self) -> Any:
        """That dtype."""


class HasDevice(Protocol):
    """Computes on a device of its own."""

    @property
    def device(self) -> Any:
        """That device."""


class HasOtherDtypes(Protocol):
    """Can be had in another dtype."""

    def to(self, dtype: Any) -> Any:
        """Return the same computed in another dtype."""


class HasStarts(Protocol):
    """Holds something that belongs to single starts."""

    @property
    def starts(self) -> int | None:
        """How many starts it is for; None for any."""


class HasExamples(Protocol):
    """Is a mean over examples that `batch` picks from."""

    @property
    def n_examples(self) -> int | None:
        """How many; None where they cannot be told apart."""


class HasMiniBatches(Protocol):
    """Has gradients of mini-batches that are quicker than those of `batch`."""

    def minibatch_gradients(self, theta: Array, order: Array, size: int) -> Iterator[Array]:
        """Yield the gradient on every `size` rows of `order`, at theta as it then is."""


class HasNativeProblem(Protocol):
    """Is J of a network that the compiled core evaluates."""

    @property
    def native_problem(self) -> Problem | None:
        """The same as the core knows it; None where it evaluates in another way."""


class HasNativeScore(Protocol):
    """Scores theta as the compiled core does."""

    @property
    def native_score(self) -> tuple[ScoreWord, Problem] | None:
        """What the score is, and the loss beside it; None where it is something else."""


class HasWeights(Protocol):
    """Knows weights from biases."""

    @property
    def is_weight(self) -> Array:
        """Whether each entry of theta is a weight, (n,) bool."""


class HasFixed(Protocol):
    """Has entries of theta that no gradient moves."""

    @property
    def is_fixed(self) -> Any:
        """Which, (n,) bool."""


class HasTerms(Protocol):
    """Is a sum of objectives."""

    def terms(self) -> Mapping[str, Any]:
        """Return these objectives by name."""


class HasSymmetry(Protocol):
    """Knows which starts leave units equal."""

    def warn_of_symmetry(self, theta: Any) -> None:
        """Warn of such starts."""


class HasHessian(Protocol):
    """Has second derivatives."""

    def hessian_product(self, theta: Any, v: Any) -> Any:
        """Return H v, (starts, n)."""


class HasGaussNewtonProduct(Protocol):
    """Has a curvature that is never negative."""

    def gauss_newton_product(self, theta: Any, v: Any) -> Any:
        """Return G v, (starts, n)."""


class HasGaussNewton(Protocol):
    """Has the Gauss-Newton matrix as a whole."""

    def gauss_newton(self, theta: Any) -> tuple[Any, Any, Any]:
        """Return J, its gradient and G, (starts, n, n)."""


class HasJacobian(Protocol):
    """Is half the sum of squared residuals."""

    def jacobian(self, theta: Any) -> Any:
        """Return the derivatives of the residuals, (starts, r, n)."""


def offered(objective: object, capability: type[C]) -> C | None:
    """Return the objective as one that has the capability, or None."""
    names = [name for name in vars(capability) if not name.startswith("_")]
    if any(getattr(objective, name, None) is None for name in names):
        return None
    return cast(C, objective)


def needed(objective: object, capability: type[C], method: str, *, wanted: str, else_: str) -> C:
    """Return the objective as one that has the capability.

    Parameters
    ----------
    method : who needs it, for the message.
    wanted, else_ : what the objective must have, and what to do where it has not.

    Raises
    ------
    InvalidType
        It has not.
    """
    found = offered(objective, capability)
    if found is None:
        raise InvalidType(
            f"objective of {method} must have the method {wanted}. "
            f"Got {type(objective).__name__}, which has none. Use {else_}."
        )
    return found
