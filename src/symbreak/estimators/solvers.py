"""From the parameters of an estimator to the options of `symbreak.minimize`, in one place.

scikit-learn's "lbfgs", "sgd" and "adam" are ours of nearly the same name. A step on all examples
ends by the gradient: max |entry| <= tol, or by a fall of J below 2.2e-9 of J, which is what SciPy's
L-BFGS-B goes by. Methods whose J may rise end when it has not fallen by tol for more than
n_iter_no_change iterations; with a validation part it is the score for all solvers, or the loss
beside it, and then a method on all examples waits longer unless a number is given.
"""

from __future__ import annotations

import math
from typing import Any

from symbreak.errors import InvalidInput, nearest
from symbreak.optimize.early_stopping import PATIENCE, patience_of
from symbreak.optimize.method import Method
from symbreak.optimize.methods import METHODS, find_method

VALUE_RTOL = 2.220446049250313e-09
# The option of a method that each parameter of an estimator is, where the method has it.
_PARAMETERS = {
    "learning_rate": "learning_rate_init",
    "momentum": "momentum",
    "nesterov": "nesterovs_momentum",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "eps": "epsilon",
    "shuffle": "shuffle",
}


def method_of_solver(solver: str) -> str:
    """Return the method of `minimize` that a solver is.

    Raises
    ------
    InvalidInput
        The word is unknown.
    """
    words = {one.sklearn_name: one.name for one in METHODS.values() if one.sklearn_name}
    word = words.get(solver, solver)
    if word in METHODS or word.startswith("scipy:"):
        return word
    known = (*words, *METHODS, "scipy:NAME")
    raise InvalidInput(
        f"solver must be one of {', '.join(known)}. Got {solver!r}.{nearest(solver, known)}"
    )


def is_stochastic(solver: str) -> bool:
    """Tell whether a solver works on mini-batches."""
    return _method(solver).is_on_minibatches


def method_options(estimator: Any, n_examples: int, order_seed: int) -> dict[str, Any]:
    """Return the options of the method itself, the estimator's `solver_options` over all."""
    method = _method(estimator.solver)
    options: dict[str, Any] = {
        name: getattr(estimator, parameter)
        for name, parameter in _PARAMETERS.items()
        if name in method.options
    }
    if method.is_on_minibatches:
        options |= {"batch_size": batch_size(estimator, n_examples), "seed": order_seed}
    if method.has_sklearn_schedule:
        options |= _schedule(estimator)
    return {**options, **(estimator.solver_options or {})}


def search_options(estimator: Any, validation: Any = None, spent: int = 0) -> dict[str, Any]:
    """Return the arguments of `minimize` that say how long a search goes on.

    Parameters
    ----------
    validation : the score, lower is better; None for none.
    spent : iterations of the search that is gone on with.
    """
    options: dict[str, Any] = {
        "max_iter": estimator.max_iter + spent,
        "gradient_rtol": 0.0,
        "gradient_atol": 0.0,
    }
    if not is_stochastic(estimator.solver):
        options["max_evaluations"] = estimator.max_fun
        options["gradient_atol"] = float(estimator.tol)
    if validation is not None:
        wait = _patience(estimator, patience_of(method_of_solver(estimator.solver)))
        options.update(validation=validation, patience=wait, patience_tol=float(estimator.tol))
    elif not _method(estimator.solver).may_rise:
        options["value_rtol"] = VALUE_RTOL
    elif not _is_adaptive(estimator):
        options.update(value_patience=_patience(estimator), patience_tol=float(estimator.tol))
    return options


def batch_size(estimator: Any, n_examples: int) -> int:
    """Return the examples of a mini-batch; "auto" is min(200, examples)."""
    size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    return min(size, n_examples)


def _method(solver: str) -> Method:
    return find_method(method_of_solver(solver))


def _is_adaptive(estimator: Any) -> bool:
    scheduled = _method(estimator.solver).has_sklearn_schedule
    return bool(scheduled and estimator.learning_rate == "adaptive")


def _schedule(estimator: Any) -> dict[str, Any]:
    """Return the schedule of a method that scikit-learn gives one; the others keep their rate."""
    word = estimator.learning_rate
    if word == "invscaling" and estimator.power_t == 0:
        return {"schedule": "constant"}
    return {
        "schedule": word,
        "power_t": estimator.power_t or 0.5,
        "tol": float(estimator.tol),
        "n_iter_no_change": _patience(estimator),
    }


def _patience(estimator: Any, auto: int = PATIENCE) -> int:
    """Return after how many iterations without change the search ends: one more is too many."""
    given = estimator.n_iter_no_change
    most = auto if isinstance(given, str) else given
    return 2**31 if math.isinf(most) else int(most) + 1
