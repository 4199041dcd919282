"""`minimize`: J(theta) from many starts at once, by a method named by a word."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor, float_dtype, like
from symbreak.checks import check_not_negative
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives.contract import Objective
from symbreak.objectives.function import as_objective
from symbreak.optimize.carrier import carrier_in_force
from symbreak.optimize.loop import Loop, Progress
from symbreak.optimize.methods import method_of
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.racing import Racing
from symbreak.optimize.scipy_methods import ScipySearch
from symbreak.optimize.scipy_options import is_scipy, refuse_beside_scipy
from symbreak.optimize.stalling import Stalling
from symbreak.optimize.stopping import GradientTest, Limits
from symbreak.optimize.validation import Validation, patience_of
from symbreak.parameters import check_size


def minimize(
    objective: Any,
    theta: Any,
    *,
    method: str | None = None,
    max_iter: int = 400,
    max_evaluations: int | None = None,
    max_seconds: float | None = None,
    gradient_rtol: float = 1e-5,
    gradient_atol: float = 0.0,
    value_rtol: float = 0.0,
    step_rtol: float = 0.0,
    target_value: float | None = None,
    validation: Any = None,
    patience: int | None = None,
    value_patience: int | None = None,
    patience_tol: float = 0.0,
    racing: Racing | bool | None = None,
    callback: Callable[[Progress], Any] | None = None,
    **options: Any,
) -> Outcome:
    """Minimise J from every start and return the best point of each.

    Parameters
    ----------
    objective : an `Objective` such as `NetworkCost`, or a function theta -> (J, gradient).
    theta : the starts, (starts, n), or (n,) for one start; NumPy or torch. Or the `Outcome` of a
        search that was stopped: it goes on from there, with what it remembers.
    method : on all examples at once "l-bfgs" (the default), "bfgs" or "fminunc",
        "conjugate-gradient" or "fmincg", "newton-cg", "levenberg-marquardt", "rprop",
        "gradient-descent"; on mini-batches "sgd", "adam", "adamw", whose iterations are epochs.
        Their options are those of the functions in `symbreak.optimize.methods` and
        `symbreak.optimize.stochastic`. Or one of `scipy.optimize.minimize`, start by start:
        "scipy:BFGS" and the like, with its options; see `symbreak.optimize.scipy_options`.
    max_iter, max_evaluations : accepted steps, and evaluations of J with gradient, of each start.
    max_seconds : wall-clock time of this call; it is looked at after every tick.
    gradient_rtol : converged when the largest |entry| of the gradient is at most this, or this
        share of its value at the start where that was below 1.
    gradient_atol : or at most this number.
    value_rtol, step_rtol : end a start when a step lowers J, or moves theta, by no more than this
        share; 0 never does. Neither is called convergence.
    target_value : end a start when its J is at most this.
    validation : the `NetworkCost` of other examples, or a function theta (rows, n) -> scores
        (rows,), lower is better. Each start then ends when its score has not improved for
        `patience` accepted steps, and the point with the best score is returned. A score that many
        points share, such as a share of right answers, should bring a loss, (rows, 2): it decides
        between equal scores, and where it falls, that is an improvement too.
    patience : None is 10 for methods on mini-batches, whose steps are epochs, else 50.
    value_patience : end a start when its J has not fallen for so many accepted steps; None never
        does. For methods whose J may rise, such as those on mini-batches.
    patience_tol : what a score or J must fall by to count as an improvement for the two patiences;
        a loss beside a score by this share of its first value.
    racing : True or a `Racing`: drop the starts that are behind after equally many evaluations.
    callback : called with a `Progress` after every tick; anything true stops the search.
    **options : of the method.

    Returns
    -------
    Outcome
        For each start the best point it fully evaluated (with `validation` the one with the best
        score). "Converged" is said only where the gradient test holds when it is evaluated again
        at the returned point. Ctrl-C returns the outcome so far.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C was pressed again before the first one had ended the search.
    InvalidInput
        Unknown method or option, numbers out of range, a theta that does not fit or is not finite.

    Warns
    -----
    SymmetryWarning
        A start of a network leaves hidden units equal.

    Notes
    -----
    `minimize(objective, outcome)` goes on with the starts that were stopped by a limit, the
    callback or Ctrl-C, and keeps the others. A search that was stopped as a whole (all but
    max_iter and max_evaluations do so) goes on bit for bit as if it had not been stopped, given
    the same objective, machine and number of threads. It keeps the test of the gradient, the
    validation and the racing that it began with.

    Examples
    --------
    >>> import numpy as np
    >>> outcome = minimize(lambda x: (x @ x, 2 * x), np.array([3.0, -4.0]))
    >>> outcome.status[0].name
    'CONVERGED'
    """
    carrier = carrier_in_force()
    if carrier is not None:
        arguments = {
            "method": method, "max_iter": max_iter, "max_evaluations": max_evaluations,
            "max_seconds": max_seconds, "gradient_rtol": gradient_rtol,
            "gradient_atol": gradient_atol, "value_rtol": value_rtol, "step_rtol": step_rtol,
            "target_value": target_value, "validation": validation, "patience": patience,
            "value_patience": value_patience, "patience_tol": patience_tol,
            "racing": racing, "callback": callback, **options,
        }  # fmt: skip
        return carrier(objective, theta, arguments)
    limits = Limits(
        max_iter, max_evaluations, max_seconds, target_value, value_rtol, step_rtol
    )  # fmt: skip
    _check_callback(callback)
    check_not_negative("patience_tol", patience_tol)
    race = Racing.of(racing)
    if isinstance(theta, Outcome) and method is None:
        kept = {
            "gradient_rtol": gradient_rtol, "gradient_atol": gradient_atol,
            "validation": validation, "patience": patience, "racing": race,
            "value_patience": value_patience, "patience_tol": patience_tol,
        }  # fmt: skip
        return _go_on(objective, theta, limits, callback, kept, options)
    given = as_tensor(theta.theta if isinstance(theta, Outcome) else theta, "theta")
    example = theta.theta if isinstance(theta, Outcome) else theta
    objective = as_objective(objective, given if isinstance(example, Tensor) else given.numpy())
    stack = _stack(objective, given)
    test = GradientTest(gradient_rtol, gradient_atol, float(torch.finfo(stack.dtype).eps))
    if is_scipy(method):
        refuse_beside_scipy(
            method, validation=validation, racing=race, value_patience=value_patience
        )
        search = ScipySearch(method, objective, stack, test, limits, options)
        search.run(callback)
        return _answer(search, given, example)
    stepper = method_of(method, options)
    wait = patience_of(method) if patience is None else patience
    loop = Loop(
        objective,
        stack,
        stepper,
        test,
        limits,
        validation=None
        if validation is None
        else Validation(validation, wait, stack, patience_tol),
        racing=race,
        stalling=None
        if value_patience is None
        else Stalling(value_patience, patience_tol, len(stack)),
    )
    loop.run(callback)
    return _answer(loop, given, example)


def _go_on(
    objective: Any,
    outcome: Outcome,
    limits: Limits,
    callback: Callable[[Progress], Any] | None,
    kept: dict[str, Any],
    options: dict[str, Any],
) -> Outcome:
    if outcome.search is None:
        raise InvalidInput(
            "method of minimize must be named to begin anew from an outcome that cannot be gone on "
            "from, such as that of a method of SciPy. Got None."
        )
    if options:
        raise InvalidInput(
            f"options of minimize must be none when it goes on from an outcome. "
            f"Got {', '.join(options)}. Name a method to begin anew from outcome.theta."
        )
    _check_kept(kept, outcome.search.began_with)
    given = as_tensor(outcome.theta, "theta")
    example = given if isinstance(outcome.theta, Tensor) else given.numpy()
    objective = as_objective(objective, example)
    check_size(given, objective.blocks)
    starts = getattr(objective, "starts", None)
    if starts not in (None, len(outcome.value)):
        raise InvalidInput(
            f"objective of minimize must be for {len(outcome.value)} starts, as the outcome is. "
            f"Got one for {starts}."
        )
    loop = outcome.search.resumed(objective, limits)
    loop.run(callback)
    return _answer(loop, given, outcome.theta)


def _check_kept(given: dict[str, Any], began_with: dict[str, Any]) -> None:
    """Refuse what a search that goes on cannot change; what is not given stays as it was."""
    defaults = inspect.signature(minimize).parameters
    for name, value in given.items():
        if value != defaults[name].default and value != began_with[name]:
            raise InvalidInput(
                f"{name} of minimize must stay {began_with[name]!r} when it goes on from an "
                f"outcome. Got {value!r}. Name a method to begin anew from outcome.theta."
            )


def _check_callback(callback: object) -> None:
    if callback is not None and not callable(callback):
        raise InvalidType(
            f"callback of minimize must be a function of the progress. Got {callback!r}."
        )


def _stack(objective: Objective, given: Tensor) -> Tensor:
    """Return theta as the loop needs it: checked, two-dimensional, of the objective's dtype."""
    check_size(given, objective.blocks)
    if given.shape[-1] == 0:
        raise InvalidInput(
            f"theta of minimize must have at least one parameter. Got shape {tuple(given.shape)}."
        )
    if not bool(torch.isfinite(given).all()):
        raise InvalidInput("theta of minimize must be finite. Got NaN or infinity.")
    dtype = getattr(objective, "dtype", float_dtype(given))
    device = getattr(objective, "device", given.device)
    stack: Tensor = torch.atleast_2d(given).to(dtype=dtype, device=device)
    warn = getattr(objective, "warn_of_symmetry", None)
    if warn is not None:
        warn(stack)
    return stack


def _answer(loop: Loop | ScipySearch, given: Tensor, example: Any) -> Outcome:
    outcome = loop.outcome()
    found = outcome.theta if given.dim() == 2 else outcome.theta[0]
    return dataclasses.replace(outcome, theta=like(found, example))
