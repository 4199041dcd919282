"""The methods by name: each is a direction and a step rule, put together.

To add one: write the direction or the step rule in its own file and one function here.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symbreak.errors import InvalidInput, choose, nearest
from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.directions.momentum import Momentum
from symbreak.optimize.line_searches.fixed import FixedStep
from symbreak.optimize.line_searches.wolfe import WolfeSearch
from symbreak.optimize.parts import Direction, StepRule


@dataclass(frozen=True)
class Method:
    """A direction and a step rule; `can_restart`: a failed step may be tried along -gradient."""

    direction: Direction
    rule: StepRule
    can_restart: bool


def gradient_descent(*, learning_rate: float = 0.1, momentum: float = 0.9) -> Method:
    """Fixed steps along the velocity (Polyak 1964); momentum 0 is plain gradient descent."""
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InvalidInput(f"learning_rate must be a positive number. Got {learning_rate!r}.")
    if not 0 <= momentum < 1:
        raise InvalidInput(f"momentum must be at least 0 and below 1. Got {momentum!r}.")
    return Method(Momentum(learning_rate, momentum), FixedStep(), can_restart=False)


def l_bfgs(*, memory: int = 10) -> Method:
    """Limited-memory BFGS with a Wolfe line search (Liu & Nocedal 1989)."""
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < 1:
        raise InvalidInput(f"memory of l-bfgs must be a positive integer. Got {memory!r}.")
    return Method(LBFGS(memory), WolfeSearch(), can_restart=True)


METHODS: dict[str, Callable[..., Method]] = {
    "gradient-descent": gradient_descent,
    "l-bfgs": l_bfgs,
}


def method_of(name: str, options: Mapping[str, Any]) -> Method:
    """Return the method called `name`, with its options.

    Raises
    ------
    InvalidInput
        Unknown name or option (the nearest valid one is named), or a value out of range.
    """
    build = METHODS[choose("method of minimize", name, METHODS)]
    known = list(inspect.signature(build).parameters)
    for option in options:
        if option not in known:
            raise InvalidInput(
                f"options of {name} must be among {', '.join(known)}. "
                f"Got {option!r}.{nearest(option, known)}"
            )
    return build(**options)
