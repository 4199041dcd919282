"""The ranges of the parameters, for scikit-learn's validation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from symbreak.activations import ACTIVATIONS, Activation, sklearn_words
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import BY_NAME
from symbreak.losses import LOSSES, Loss
from symbreak.training.combine import COMBINES

_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_COUNT = Interval(Integral, 1, None, closed="left")


class Words(StrOptions):  # type: ignore[misc]
    """The words of a registry as it is when a parameter is checked; scikit-learn has no types."""

    def __init__(self, words: Callable[[], set[str]]) -> None:
        super().__init__(words())
        self._words = words

    def is_satisfied_by(self, val: Any) -> bool:
        """Tell whether it is one of the words."""
        return isinstance(val, str) and val in self._words()


def _activation_words() -> set[str]:
    return {*ACTIVATIONS, *sklearn_words()}


def _losses_of_numbers() -> set[str]:
    return {name for name, loss in LOSSES.items() if not loss.is_classification}


CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", _COUNT],
    "activation": [Words(_activation_words), Activation, "array-like"],
    "solver": [str],
    "alpha": [_NOT_NEGATIVE, "array-like"],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_NOT_NEGATIVE],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [_NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [StrOptions({"auto"}), _COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    "init": [StrOptions(set(BY_NAME)), Rule, None],
    "init_epsilon": [_POSITIVE, None],
    "coefs_init": [list, tuple, None],
    "intercepts_init": [list, tuple, None],
    "n_starts": [_COUNT],
    "combine": [StrOptions({*COMBINES, "all"})],
    "standardize": ["boolean", StrOptions({"robust"})],
    "solver_options": [dict, None],
    "scoring": [str, callable, None],
    "callback": [callable, None],
    "dtype": [StrOptions({"float32", "float64"}), type, np.dtype, None],
    "device": "no_validation",
}

CLASSIFIER: dict[str, Any] = {
    "loss": [StrOptions({"log_loss"})],
    "class_weight": [StrOptions({"balanced"}), dict, list, None],
}
REGRESSOR: dict[str, Any] = {
    "loss": [Words(_losses_of_numbers), Loss],
}
# Of those that choose: what is not among these is settled.
CROSS_VALIDATED: dict[str, Any] = {
    "hidden_layer_sizes": [StrOptions({"auto"}), *CONSTRAINTS["hidden_layer_sizes"]],
    "activation": [StrOptions({"auto"}), *CONSTRAINTS["activation"]],
    "alphas": [StrOptions({"auto"}), "array-like"],
    "cv": ["cv_object"],
    "screening_starts": [_COUNT],
    **{
        name: CONSTRAINTS[name]
        for name in (
            "scoring",
            "n_starts",
            "init",
            "max_iter",
            "tol",
            "random_state",
            "verbose",
            "dtype",
            "device",
        )
    },
}


def validate(estimator: Any) -> None:
    """Validate the parameters of an estimator; not each time those that are the defaults.

    Raises
    ------
    InvalidParameterError
        One is out of its range.
    """
    kind: Any = type(estimator)
    defaults = _valid_defaults(kind)
    given = {name: getattr(estimator, name) for name in kind._get_param_names()}
    _validate(kind, {name: x for name, x in given.items() if x is not defaults.get(name, kind)})


@cache
def _valid_defaults(kind: Any) -> Mapping[str, Any]:
    """Return the defaults of a class of estimators; none if one of them is out of its range."""
    parameters = inspect.signature(kind).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    try:
        _validate(kind, defaults)
    except InvalidParameterError:
        return {}
    return defaults


def _validate(kind: Any, parameters: Mapping[str, Any]) -> None:
    validate_parameter_constraints(
        kind._parameter_constraints, parameters, caller_name=kind.__name__
    )
