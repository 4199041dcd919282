"""What is checked: an objective, beside its copy in float64, at a stack of theta.

The numerical side is computed in float64 whatever the dtype of the objective, since a difference of
two float32 numbers leaves no digits. Both sides see the very same theta, rounded as the objective
rounds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array as AnyArray
from symbreak.arrays import (
    alike,
    as_array,
    as_numpy,
    as_own_kind,
    as_tensor,
    cast,
    copied,
    float_word,
    namespace,
    quiet,
    word_of,
)
from symbreak.errors import InvalidInput
from symbreak.gradient_check.probes import EPS, Array, Probes, in_float64
from symbreak.objectives import FunctionObjective, Objective, as_objective
from symbreak.objectives.capabilities import (
    HasDtype,
    HasExamples,
    HasFixed,
    HasOtherDtypes,
    offered,
)
from symbreak.parameters import Block, check_size

SAME = 1e4  # units of eps that two calls may differ by, where threads add up in another order


@dataclass(frozen=True)
class CheckTarget:
    """An objective and where it is checked.

    Attributes
    ----------
    objective, precise : the objective; the one that computes in float64, perhaps the same.
    native : the word for the dtype of the objective's own gradient.
    stack : (starts, n) float64, numbers of the native dtype, of the kind of the caller's theta.
    blocks : the parts of theta.
    is_stack : whether the caller has a stack, or one plain theta.
    one_at_a_time : whether the objective takes a single theta in a call.
    """

    objective: Objective
    precise: Objective
    native: str
    stack: AnyArray
    blocks: Sequence[Block]
    is_stack: bool
    one_at_a_time: bool

    @classmethod
    def of(cls, objective: Any, theta: Any, blocks: Sequence[Block] | None) -> CheckTarget:
        """Check what the caller gives, and put it together."""
        theta = theta if hasattr(theta, "shape") else np.asarray(theta)
        if len(theta.shape) not in (1, 2):
            raise InvalidInput(
                f"theta of check_gradient must be of shape (n,) or (starts, n). "
                f"Got {tuple(theta.shape)}."
            )
        objective = as_objective(_watched(objective), theta)
        blocks = objective.blocks if blocks is None else blocks
        if not blocks:
            raise InvalidInput("blocks of check_gradient must hold at least one. Got none.")
        stack, native = _stack(theta, objective, blocks)
        one = isinstance(objective, FunctionObjective) and len(theta.shape) == 1
        precise = _in_float64(objective)
        return cls(objective, precise, native, stack, blocks, len(theta.shape) == 2, one)

    @property
    def is_fixed(self) -> NDArray[np.bool_] | None:
        """Which entries of theta no gradient moves, (n,); None where the objective names none."""
        fixed = offered(self.objective, HasFixed)
        if fixed is None:
            return None
        return as_numpy(as_array(fixed.is_fixed, "is_fixed"))

    @property
    def is_weight(self) -> NDArray[np.bool_] | None:
        """Which entries of theta are no biases, (n,); None where the objective does not say."""
        weight = getattr(self.objective, "is_weight", None)
        if weight is None:
            return None
        return as_numpy(as_array(weight, "is_weight")).astype(bool)

    @property
    def n_examples(self) -> int | None:
        """How many examples the objective has, where it says so."""
        counted = offered(self.objective, HasExamples)
        return None if counted is None else counted.n_examples

    def theta(self, start: int) -> Array:
        """Return the theta of one start, (n,)."""
        return as_numpy(self.stack[start, :])

    def gradient(self, moved: AnyArray | None = None) -> Array:
        """Return the objective's own gradient (starts, n), at another stack if one is given."""
        stack = self.stack if moved is None else moved
        return _analytic(self.objective, cast(stack, self.native))

    def precise_gradient(self) -> Array:
        """Return the gradient of the copy in float64, (starts, n)."""
        with _float64_is_needed(self.native):
            return _analytic(self.precise, self.stack)

    def probes(self, start: int, theta: AnyArray | None = None) -> Probes:
        """Return what evaluates J beside one start, or beside another theta (n,) of it."""
        theta = self.stack[start, :] if theta is None else theta
        with _float64_is_needed(self.native):
            return Probes(self.precise, theta, start, one_at_a_time=self.one_at_a_time)

    def beside(self, start: int, theta: Array) -> tuple[Probes, Array]:
        """Return the probes and the gradient in float64 at another theta (n,) of one start."""
        moved = alike(theta, self.stack)
        probes = self.probes(start, moved)
        with _float64_is_needed(self.native):
            gradient = _analytic(self.precise.take(np.array([start])), moved[None, :])
        return probes, np.asarray(gradient[0])

    def changes(self, gradient: Array) -> NDArray[np.bool_]:
        """Whether a second call gives another gradient (starts, n) in float64, (starts,)."""
        apart = np.abs(self.precise_gradient() - gradient).max(axis=1)
        largest = np.abs(gradient).max(axis=1)
        return np.asarray(apart > SAME * EPS * largest)


def _watched(objective: Any) -> Any:
    """Return a plain function that refuses to go on when it has changed its theta."""
    if isinstance(objective, Objective) or not callable(objective):
        return objective

    def watched(theta: Any) -> Any:
        before = copied(theta)
        answer = objective(theta)
        if not bool((theta == before).all()):
            raise InvalidInput(
                "The objective function must leave the theta that it is given as it is. Got one "
                "that has changed; work on a copy."
            )
        return answer

    return watched


@contextmanager
def _float64_is_needed(native: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if native == "float64":
            raise
        raise InvalidInput(
            f"objective of check_gradient must accept theta in float64 too, where the numerical "
            f"side is computed. Got theta of {native} and this error in float64: {error} "
            f"Check with data and theta in float64."
        ) from error


def _stack(theta: Any, objective: Objective, blocks: Sequence[Block]) -> tuple[AnyArray, str]:
    """Return theta as (starts, n) float64 and the dtype that the analytic gradient has."""
    given = as_own_kind(theta, "theta")
    check_size(given, objective.blocks)
    check_size(given, blocks)
    xp = namespace(given)
    if not bool(xp.all(xp.isfinite(given))):
        raise InvalidInput("theta of check_gradient must be finite. Got NaN or infinity.")
    own = offered(objective, HasDtype)
    native = float_word(given) if own is None else word_of(own.dtype)
    if not hasattr(xp, native):  # bfloat16, which NumPy does not have
        given = as_tensor(given, "theta")
    # Both sides must see the very same theta, so it is rounded as the objective will round it.
    return rounded(given if given.ndim == 2 else given[None, :], native), native


@quiet
def rounded(stack: AnyArray, native: str) -> AnyArray:
    """Return a stack in float64, its numbers as the native dtype has them."""
    return cast(cast(stack, native), "float64")


def _analytic(objective: Objective, stack: AnyArray) -> Array:
    """Return the gradient (starts, n) in float64."""
    value, gradient = objective(copied(stack))
    value, gradient = in_float64(value, "J"), in_float64(gradient, "The gradient")
    if gradient.shape != tuple(stack.shape) or value.shape != (len(stack),):
        raise InvalidInput(
            f"The objective must return J of shape {(len(stack),)} and a gradient of shape "
            f"{tuple(stack.shape)}. Got {value.shape} and {gradient.shape}."
        )
    if not np.isfinite(value).all():
        raise InvalidInput(
            "J of check_gradient must be finite at theta. Got NaN or infinity. Choose a theta "
            "where J exists."
        )
    return gradient


def _in_float64(objective: Objective) -> Objective:
    own, others = offered(objective, HasDtype), offered(objective, HasOtherDtypes)
    if own is None or word_of(own.dtype) == "float64":
        return objective
    if others is None:
        raise InvalidInput(
            f"objective of check_gradient must compute in float64, or offer to('float64'). "
            f"Got one of {own.dtype} without it."
        )
    precise: Objective = others.to("float64")
    return precise
