"""A plain function f(theta) -> (J, gradient) as an objective."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any
from typing import cast as cast_type

from symbreak.arrays import (
    Array,
    alike,
    as_array,
    as_numpy,
    as_tensor,
    cast,
    copied,
    is_tensor,
    namespace,
    word_of,
)
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives.contract import Objective
from symbreak.objectives.stacks import Stacked
from symbreak.parameters import Block


class FunctionObjective:
    """The objective that a plain function stands for.

    Parameters
    ----------
    function : theta -> (J, gradient). It receives theta of the kind (NumPy or torch) and of the
        number of dimensions of `example`: (n,) for a plain vector, (starts, n) for a stack.
    example : a theta as the caller holds it.
    """

    def __init__(self, function: Callable[[Any], tuple[Any, Any]], example: Any) -> None:
        shape = tuple(example.shape)
        if len(shape) not in (1, 2):
            raise InvalidInput(
                f"theta must be of shape (n,) or (starts, n). Got shape {shape}; one number is "
                "a vector of one, [x]."
            )
        self.function = function
        self._is_torch = is_tensor(example)
        self._is_vector = len(example.shape) == 1
        self.blocks: Sequence[Block] = (Block("theta", 0, (int(example.shape[-1]),)),)

    def __call__(self, theta: Array, *, out: Array | None = None) -> tuple[Array, Array]:
        """Return J (starts,) and the gradient (starts, n)."""
        # The function gets a copy: one that changes its argument must not change the search.
        given = copied(theta[0, :] if self._is_vector else theta)
        answer = self.function(self._of_the_callers_kind(given))
        value, gradient = self._checked(answer, theta)
        if out is None:
            return value, gradient
        out[...] = alike(gradient, out)
        return value, out

    def value(self, theta: Array) -> Array:
        """Return J (starts,)."""
        return self(theta)[0]

    def take(self, starts: Any) -> FunctionObjective:  # noqa: ARG002 - part of the contract
        """Return this objective: a plain function holds nothing that belongs to one start."""
        return self

    def batch(self, rows: Any) -> FunctionObjective:  # noqa: ARG002 - part of the contract
        """Refuse: a plain function holds no examples."""
        raise InvalidType("batch needs an objective with examples. Got a plain function.")

    def _of_the_callers_kind(self, theta: Array) -> Array:
        if not self._is_torch:
            return as_numpy(theta)
        return theta if is_tensor(theta) else as_tensor(theta, "theta")

    def _checked(self, answer: Any, theta: Array) -> tuple[Array, Array]:
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise InvalidType(
                f"The objective function must return (J, gradient). Got {type(answer).__name__}."
            )
        names = ("J of the objective function", "The gradient of the objective function")
        value, gradient = (_own(*pair, theta) for pair in zip(answer, names, strict=True))
        wanted = tuple(theta.shape[1:] if self._is_vector else theta.shape)
        if tuple(gradient.shape) != wanted or math.prod(value.shape) != theta.shape[0]:
            raise InvalidInput(
                f"The objective function must return J of shape {wanted[:-1]} and a "
                f"gradient of shape {wanted}. Got {tuple(value.shape)} and "
                f"{tuple(gradient.shape)}."
            )
        xp, shape = namespace(theta), tuple(theta.shape)
        return xp.reshape(value, shape[:1]), xp.reshape(gradient, shape)


def _own(part: Any, name: str, theta: Array) -> Array:
    """Return a part of the answer as the kind and dtype of theta, in memory of its own."""
    array = as_array(part, name)
    # A function may use its arrays again in the next call.
    return cast(alike(array if is_tensor(part) else copied(array), theta), word_of(theta.dtype))


def as_objective(objective: Any, theta: Any) -> Objective:
    """Return `objective` itself, or the objective that a plain function stands for."""
    # Of a protocol every attribute is looked for; our own objectives have them.
    if isinstance(objective, Stacked | Objective):
        return cast_type(Objective, objective)
    if not callable(objective):
        raise InvalidType(
            f"objective must be an objective or a function theta -> (J, gradient). "
            f"Got {type(objective).__name__}."
        )
    return FunctionObjective(objective, theta)
