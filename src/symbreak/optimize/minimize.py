"""`minimize`: J(theta) from many starts at once, by a method named by a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from symbreak.arrays import (
    Array,
    as_array,
    as_numpy,
    as_tensor,
    cast,
    contiguous,
    float_word,
    is_tensor,
    is_torchs,
    like,
    namespace,
    word_of,
)
from symbreak.errors import InvalidInput
from symbreak.objectives.capabilities import (
    HasDevice,
    HasDtype,
    HasStarts,
    HasSymmetry,
    offered,
)
from symbreak.objectives.contract import Objective
from symbreak.objectives.function import as_objective
from symbreak.objectives.stacks import Stacked
from symbreak.optimize.early_stopping import Stalling, Validation, patience_of
from symbreak.optimize.loop import Loop
from symbreak.optimize.methods import method_of
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import limits_of
from symbreak.optimize.scipy_options import is_scipy, refuse_beside_scipy
from symbreak.optimize.search import Progress, Search, Watch
from symbreak.optimize.search_options import SearchOptions
from symbreak.optimize.stopping import GradientTest, Limits
from symbreak.optimize.successive_halving import Racing
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
    value_atol: float = 0.0,
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
        "scipy:BFGS" and the like, with its options, and `bounds`, n pairs (low, high), for those
        that take them; see `symbreak.optimize.scipy_options`.
    max_iter, max_evaluations : accepted steps, and evaluations of J with gradient, of each start.
    max_seconds : wall-clock time of this call; it is looked at after every tick, or burst of ticks.
    gradient_rtol : converged when the largest |entry| of the gradient is at most this, or this
        share of its value at the start where that was below 1.
    gradient_atol : or at most this number.
    value_rtol, step_rtol : end a start when a step lowers J, or moves theta, by no more than this
        share; 0 never does. Neither is called convergence.
    value_atol : end a start when a step lowers J by no more than this number; 0 never does. At a
        kink where J is 0, as that of |x|, neither the gradient nor that share is ever small.
    target_value : end a start when its J is at most this.
    validation : the `NetworkCost` of other examples, or a function theta (starts, n) -> scores
        (starts,), lower is better; it gets tensors where theta was given as one. Each start then
        ends when its score has not improved for `patience` accepted steps, and the point with the
        best score is returned. A score that many points share, such as a share of right answers,
        should bring a loss, (starts, 2): it decides between equal scores, and where it falls, that
        is an improvement too. It decides alone where a score is NaN.
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
    An objective of your own is called with theta of the kind that was given; with tensors where its
    `dtype` or its `device` is one of PyTorch.

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
    asked = SearchOptions(
        method=method,
        limits=Limits(
            max_iter, max_evaluations, max_seconds, target_value, value_rtol, step_rtol, value_atol
        ),
        gradient_rtol=gradient_rtol,
        gradient_atol=gradient_atol,
        validation=validation,
        patience=patience,
        value_patience=value_patience,
        patience_tol=patience_tol,
        racing=Racing.of(racing),
        callback=callback,
        options=options,
    )  # fmt: skip
    if isinstance(theta, Outcome):
        return _begin(objective, theta.theta, asked) if method else _go_on(objective, theta, asked)
    return _begin(objective, theta, asked)


def _begin(objective: Any, theta: Any, asked: SearchOptions) -> Outcome:
    given = _as_given(theta)
    objective = as_objective(objective, given)
    stack = _stack(objective, given)
    eps = float(limits_of(stack).eps)
    test = GradientTest(asked.gradient_rtol, asked.gradient_atol, eps)
    search = _search(objective, stack, test, asked, given)
    search.run(_told(asked.callback, given))
    return _answer(search.outcome(), theta)


def _search(
    objective: Objective, stack: Array, test: GradientTest, asked: SearchOptions, given: Array
) -> Search:
    if is_scipy(asked.method):
        refuse_beside_scipy(
            asked.method, validation=asked.validation, racing=asked.racing,
            value_patience=asked.value_patience,
        )  # fmt: skip
        # It brings scipy.optimize, half a second that searches of our own need not wait for.
        from symbreak.optimize.scipy_search import ScipySearch

        return ScipySearch(asked.method, objective, stack, test, asked.limits, asked.options)
    method = "l-bfgs" if asked.method is None else asked.method
    stepper = method_of(method, asked.options)
    validation = stalling = None
    if asked.validation is not None:
        wait = patience_of(method) if asked.patience is None else asked.patience
        validation = Validation(
            asked.validation, wait, stack, asked.patience_tol, as_tensors=is_tensor(given)
        )
        asked = replace(asked, patience=wait)
    if asked.value_patience is not None:
        stalling = Stalling(asked.value_patience, asked.patience_tol, len(stack))
    return Loop(
        objective, stack, stepper, test, asked.limits,
        validation=validation, racing=asked.racing, stalling=stalling, began_with=asked,
    )  # fmt: skip


def _go_on(objective: Any, outcome: Outcome, asked: SearchOptions) -> Outcome:
    if outcome.search is None:
        raise InvalidInput(
            "method of minimize must be named to begin anew from an outcome that cannot be gone on "
            "from, such as that of a method of SciPy. Got None."
        )
    asked.check_going_on(outcome.search.began_with, minimize)
    given = _as_given(outcome.theta)
    objective = as_objective(objective, given)
    check_size(given, objective.blocks)
    its = offered(objective, HasStarts)
    if its is not None and its.starts != len(outcome.value):
        raise InvalidInput(
            f"objective of minimize must be for {len(outcome.value)} starts, as the outcome is. "
            f"Got one for {its.starts}."
        )
    search = Loop.resumed(outcome.search, objective, asked.limits)
    search.run(_told(asked.callback, given))
    return _answer(search.outcome(), outcome.theta)


def _as_given(theta: Any) -> Array:
    """Return theta as an array of the kind that was given: a tensor, or NumPy."""
    return as_tensor(theta, "theta") if is_tensor(theta) else as_array(theta, "theta")


def _stack(objective: Objective, given: Array) -> Array:
    """Return theta as the loop needs it: checked, two-dimensional, of the objective's dtype."""
    check_size(given, objective.blocks)
    if given.shape[-1] == 0:
        raise InvalidInput(
            f"theta of minimize must have at least one parameter. Got shape {tuple(given.shape)}."
        )
    xp = namespace(given)
    if not bool(xp.all(xp.isfinite(given))):
        raise InvalidInput("theta of minimize must be finite. Got NaN or infinity.")
    if isinstance(objective, Stacked):
        # Of the kind that it computes in, so that no tick has to change it.
        stack = objective.stack(as_array(given, "theta"))
    else:
        stack = _stack_for_another(objective, given)
    knowing = offered(objective, HasSymmetry)
    if knowing is not None:
        knowing.warn_of_symmetry(stack)
    return stack


def _stack_for_another(objective: Objective, given: Array) -> Array:
    """Return theta as a stack for an objective that is not ours.

    Of the kind that was given; a tensor where its dtype or its device is one of PyTorch.
    """
    own, at = offered(objective, HasDtype), offered(objective, HasDevice)
    word = float_word(given) if own is None else word_of(own.dtype)
    if (own is not None and is_torchs(own.dtype)) or (at is not None and at.device != "cpu"):
        given = as_tensor(given, "theta")
    if at is not None and is_tensor(given):
        given = given.to(at.device)
    stack = cast(given, word)
    return contiguous(stack if stack.ndim == 2 else stack[None, :])


def _told(
    callback: Callable[[Progress], Any] | None, given: Array
) -> Callable[[Progress], Any] | None:
    """Return the callback as the search calls it, which is told of the kind that was given."""
    if callback is None:
        return None

    def told(progress: Progress) -> Any:
        places = progress.places
        if places is not None:
            theta = places.theta
            theta = as_tensor(theta, "theta") if is_tensor(given) else as_numpy(theta)
            places = places._replace(theta=theta)
        return callback(replace(progress, places=places))

    return Watch(told) if isinstance(callback, Watch) else told


def _answer(outcome: Outcome, theta: Any) -> Outcome:
    found = outcome.theta if np.ndim(theta) == 2 else outcome.theta[0, ...]
    return replace(outcome, theta=like(found, theta))
