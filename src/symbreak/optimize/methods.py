"""The methods by name: each is a direction and a step rule, put together.

To add one: write the direction or the step rule in its own file and one function here.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from symbreak.errors import InvalidInput, choose, nearest
from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.directions.momentum import Momentum
from symbreak.optimize.directions.newton_cg import PRODUCTS, NewtonCG
from symbreak.optimize.line_searches.wolfe import WolfeSearch
from symbreak.optimize.parts import Stepper
from symbreak.optimize.steppers.fixed import FixedStepper
from symbreak.optimize.steppers.levenberg_marquardt import LevenbergMarquardt
from symbreak.optimize.steppers.line_search import LineSearchStepper


def gradient_descent(
    *, learning_rate: float = 0.1, momentum: float = 0.9, nesterov: bool = False
) -> Stepper:
    """Fixed steps along the velocity (Polyak 1964); momentum 0 is plain gradient descent."""
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InvalidInput(f"learning_rate must be a positive number. Got {learning_rate!r}.")
    if not 0 <= momentum < 1:
        raise InvalidInput(f"momentum must be at least 0 and below 1. Got {momentum!r}.")
    return FixedStepper(Momentum(learning_rate, momentum, nesterov=nesterov))


def l_bfgs(*, memory: int = 10) -> Stepper:
    """Limited-memory BFGS with a Wolfe line search (Liu & Nocedal 1989)."""
    _check_positive_integer("memory of l-bfgs", memory)
    return LineSearchStepper(LBFGS(memory), WolfeSearch())


def newton_cg(*, curvature: str = "hessian", max_inner: int = 100) -> Stepper:
    """Truncated Newton directions with a line search (Steihaug 1983)."""
    choose("curvature of newton-cg", curvature, PRODUCTS)
    _check_positive_integer("max_inner of newton-cg", max_inner)
    return LineSearchStepper(NewtonCG(curvature, max_inner), WolfeSearch())


def levenberg_marquardt(*, damping: float = 1e-3) -> Stepper:
    """Damped Gauss-Newton steps for sums of squares and, by their curvature, the other losses."""
    if not (math.isfinite(damping) and damping > 0):
        raise InvalidInput(f"damping must be a positive number. Got {damping!r}.")
    return LevenbergMarquardt(damping)


def _check_positive_integer(what: str, number: object) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InvalidInput(f"{what} must be a positive integer. Got {number!r}.")


METHODS: dict[str, Callable[..., Stepper]] = {
    "gradient-descent": gradient_descent,
    "l-bfgs": l_bfgs,
    "newton-cg": newton_cg,
    "levenberg-marquardt": levenberg_marquardt,
}


def method_of(name: str, options: Mapping[str, Any]) -> Stepper:
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
