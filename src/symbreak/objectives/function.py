"""A plain function f(theta) -> (J, gradient) as an objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives.contract import Objective
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
        self.function = function
        self._is_torch = isinstance(example, Tensor)
        self._is_vector = len(example.shape) == 1
        self.blocks: Sequence[Block] = (Block("theta", 0, (int(example.shape[-1]),)),)

    def __call__(self, theta: Tensor, *, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return J (starts,) and the gradient (starts, n)."""
        # The function gets a copy: one that changes its argument must not change the search.
        given = theta[0].clone() if self._is_vector else theta.clone()
        answer = self.function(given if self._is_torch else given.cpu().numpy())
        value, gradient = self._checked(answer, theta)
        return value, gradient if out is None else out.copy_(gradient)

    def value(self, theta: Tensor) -> Tensor:
        """Return J (starts,)."""
        return self(theta)[0]

    def take(self, starts: Any) -> FunctionObjective:  # noqa: ARG002 - part of the contract
        """Return this objective: a plain function holds nothing that belongs to one start."""
        return self

    def batch(self, rows: Any) -> FunctionObjective:  # noqa: ARG002 - part of the contract
        """Refuse: a plain function holds no examples."""
        raise InvalidType("batch needs an objective with examples. Got a plain function.")

    def _checked(self, answer: Any, theta: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise InvalidType(
                f"The objective function must return (J, gradient). Got {type(answer).__name__}."
            )
        names = ("J of the objective function", "The gradient of the objective function")
        value, gradient = (_tensor(*pair, theta) for pair in zip(answer, names, strict=True))
        wanted = theta.shape[1:] if self._is_vector else theta.shape
        if gradient.shape != wanted or value.numel() != len(theta):
            raise InvalidInput(
                f"The objective function must return J of shape {tuple(wanted[:-1])} and a "
                f"gradient of shape {tuple(wanted)}. Got {tuple(value.shape)} and "
                f"{tuple(gradient.shape)}."
            )
        return value.reshape(len(theta)), gradient.reshape(theta.shape)


def _tensor(part: Any, name: str, like: Tensor) -> Tensor:
    tensor = as_tensor(part, name)
    # A function may use its arrays again in the next call.
    own = tensor if isinstance(part, Tensor) else tensor.clone()
    return own.to(dtype=like.dtype, device=like.device)


def as_objective(objective: Any, theta: Any) -> Objective:
    """Return `objective` itself, or the objective that a plain function stands for."""
    if isinstance(objective, Objective):
        return objective
    if not callable(objective):
        raise InvalidType(
            f"objective must be an objective or a function theta -> (J, gradient). "
            f"Got {type(objective).__name__}."
        )
    return FunctionObjective(objective, theta)
