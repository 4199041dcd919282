"""`minimize`: J(theta) from many starts at once, by a method named by a word."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor, float_dtype, like
from symbreak.errors import InvalidInput
from symbreak.objectives.function import as_objective
from symbreak.optimize.loop import Loop, Progress
from symbreak.optimize.methods import method_of
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.stopping import GradientTest
from symbreak.parameters import check_size


def minimize(
    objective: Any,
    theta: Any,
    *,
    method: str = "l-bfgs",
    max_iter: int = 400,
    gradient_rtol: float = 1e-5,
    gradient_atol: float = 0.0,
    callback: Callable[[Progress], Any] | None = None,
    **options: Any,
) -> Outcome:
    """Minimise J from every start and return the best point of each.

    Parameters
    ----------
    objective : an `Objective` such as `NetworkCost`, or a function theta -> (J, gradient).
    theta : the starts, (starts, n), or (n,) for one start; NumPy or torch.
    method : "l-bfgs" (option `memory`) or "gradient-descent" (`learning_rate`, `momentum`).
    max_iter : accepted steps for each start.
    gradient_rtol : converged when the largest |entry| of the gradient is at most this, or this
        share of its value at the start where that was below 1.
    gradient_atol : or at most this number.
    callback : called with a `Progress` after every tick; anything true stops the search.
    **options : of the method.

    Returns
    -------
    Outcome
        For each start the best point it fully evaluated. "Converged" is said only where the
        gradient test holds when it is evaluated again at the returned point. Ctrl-C returns the
        outcome so far.

    Raises
    ------
    InvalidInput
        Unknown method or option, numbers out of range, a theta that does not fit or is not finite.

    Warns
    -----
    SymmetryWarning
        A start of a network leaves hidden units equal.

    Examples
    --------
    >>> import numpy as np
    >>> outcome = minimize(lambda x: (x @ x, 2 * x), np.array([3.0, -4.0]))
    >>> outcome.status[0].name
    'CONVERGED'
    """
    given = as_tensor(theta, "theta")
    objective = as_objective(objective, given if isinstance(theta, Tensor) else given.numpy())
    check_size(given, objective.blocks)
    if not bool(torch.isfinite(given).all()):
        raise InvalidInput("theta of minimize must be finite. Got NaN or infinity.")
    if isinstance(max_iter, bool) or not isinstance(max_iter, numbers.Integral) or max_iter < 0:
        raise InvalidInput(f"max_iter must be zero or a positive integer. Got {max_iter!r}.")
    dtype = getattr(objective, "dtype", float_dtype(given))
    device = getattr(objective, "device", given.device)
    stack = torch.atleast_2d(given).to(dtype=dtype, device=device)
    warn = getattr(objective, "warn_of_symmetry", None)
    if warn is not None:
        warn(stack)
    test = GradientTest(gradient_rtol, gradient_atol, float(torch.finfo(dtype).eps))
    loop = Loop(objective, stack, method_of(method, options), test, int(max_iter))
    loop.run(callback)
    outcome = loop.outcome()
    found = outcome.theta if given.dim() == 2 else outcome.theta[0]
    return dataclasses.replace(outcome, theta=like(found, theta))
