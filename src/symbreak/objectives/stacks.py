"""theta as objectives take it, their answers as callers want them, and what stands between.

Conventions
-----------
theta : (starts, n) or (n,), of any kind, dtype and device
stack : (starts, n), of the dtype and on the device of the objective; on the CPU of theta's kind
answer : J (starts,) or the gradient (starts, n); for the caller of the kind of theta, and without
the first axis where theta has none
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symbreak.arrays import (
    Array,
    alike,
    as_array,
    as_numpy,
    as_tensor,
    cast,
    contiguous,
    device_of,
    empty_like,
    is_array,
    is_contiguous,
    is_on_host,
    is_tensor,
    like,
    word_of,
)
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives.contract import Objective
from symbreak.parameters import Block, check_size


def as_stack(theta: Any, blocks: Sequence[Block], prototype: Array) -> Array:
    """Return theta as (starts, n), contiguous; it may share memory with what was given.

    Parameters
    ----------
    prototype : an array of the dtype and on the device of the objective.

    Raises
    ------
    InvalidInput
        Another number of parameters.
    """
    stays_tensor = is_tensor(theta) and is_on_host(prototype)
    given = as_tensor(theta, "theta").cpu() if stays_tensor else as_array(theta, "theta")
    check_size(given, blocks)
    stack = cast(given if stays_tensor else alike(given, prototype), word_of(prototype.dtype))
    return contiguous(stack if stack.ndim == 2 else stack[None, :])


def as_kind(
    prototype: Array,
    compute: Callable[[Array, Array | None], Array],
    stack: Array,
    gradient: Array | None,
) -> Array:
    """Return what `compute` makes of a stack of any kind, for it of the kind of `prototype`."""
    if type(stack) is type(gradient) is type(prototype):
        return compute(stack, gradient)
    room = None if gradient is None else alike(gradient, prototype)
    return alike(compute(alike(stack, prototype), room), stack)


def room_for(stack: Array, out: Array | None) -> Array:
    """Return where the gradient of a stack is written: `out` if it is contiguous, or fresh room.

    Raises
    ------
    InvalidInput, InvalidType
        `out` is of another shape, dtype or device, cannot be written into, or is no array.
    """
    if out is None:
        return empty_like(stack)
    if not is_array(out):
        raise InvalidType(f"out must be an array. Got {type(out).__name__}.")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise InvalidInput("out must be an array that can be written into. Got a read-only one.")
    wanted, found = ((tuple(x.shape), word_of(x.dtype), str(device_of(x))) for x in (stack, out))
    if found != wanted:
        raise InvalidInput(
            f"out must be of shape {wanted[0]} and {wanted[1]} on {wanted[2]}. "
            f"Got shape {found[0]} and {found[1]} on {found[2]}."
        )
    return out if is_contiguous(out) else empty_like(stack)


def as_given(answer: Array, theta: Any) -> Any:
    """Return `answer` of the kind of theta, without its first axis where theta has none."""
    return like(answer if np.ndim(theta) == 2 else answer[0, ...], theta)


class Stacked(ABC):
    """An objective that computes on stacks, for callers with a theta of any kind.

    A subclass says how a theta becomes its stack, and how J and gradient of a stack are computed.
    """

    @abstractmethod
    def stack(self, theta: Any) -> Array:
        """Return theta as a stack, checked; it may share memory with what was given."""

    @abstractmethod
    def evaluate(self, stack: Array, gradient: Array | None) -> Array:
        """Return J (starts,) of a stack and write its gradient, if one is wanted; checks nothing.

        Parameters
        ----------
        stack : (starts, n), contiguous, in the dtype and on the device of the objective; on the CPU
            NumPy or torch, and J is of the same kind.
        gradient : likewise; None for J alone, which is cheaper.
        """

    def __call__(self, theta: Any, *, out: Array | None = None) -> tuple[Any, Any]:
        """Return J and its gradient.

        Parameters
        ----------
        theta : (starts, n) or (n,).
        out : an array (starts, n) of the objective's dtype and device for the gradient; a fresh one
            otherwise.
        """
        stack = self.stack(theta)
        gradient = room_for(stack, out)
        J = self.evaluate(stack, gradient)
        if out is None:
            return as_given(J, theta), as_given(gradient, theta)
        if out is not gradient:
            out[...] = alike(gradient, out)
        return as_given(J, theta), out

    def value(self, theta: Any) -> Any:
        """Return J, equal to the first part of a call up to rounding, without the backward pass."""
        return as_given(self.evaluate(self.stack(theta), None), theta)

    def numpy(self, theta: Any) -> tuple[float, Any]:
        """Return J and gradient in float64 for `scipy.optimize.minimize(cost.numpy, x0, jac=True)`.

        Parameters
        ----------
        theta : (n,) NumPy.
        """
        value, gradient = self(cast(as_numpy(as_array(theta, "theta")), "float64"))
        return float(value), gradient


def evaluate(objective: Objective, stack: Array, gradient: Array | None) -> Array:
    """Return J (starts,) of a stack and write its gradient, if one is wanted.

    For callers who made the stack: what others may do wrong is not looked for. An objective of
    another kind, or one whose call is its own (a subclass that counts, say), is called as by
    anyone.
    """
    if isinstance(objective, Stacked):
        kind: type[Stacked] = type(objective)
        if kind.__call__ is Stacked.__call__:
            return objective.evaluate(stack, gradient)
    if gradient is None:
        return alike(objective.value(stack), stack)
    J, found = objective(stack)
    gradient[...] = alike(found, gradient)
    return alike(J, stack)
