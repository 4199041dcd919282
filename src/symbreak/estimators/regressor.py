"""`MLPRegressor`: numbers in, numbers out, one or several."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from symbreak.estimators.base import BaseMLP, has_partial_fit
from symbreak.estimators.parameters import CONSTRAINTS, REGRESSOR
from symbreak.estimators.plain_input import check_fitted, is_plain_target
from symbreak.estimators.problem import Array
from symbreak.estimators.progress import with_callbacks
from symbreak.training.combine import checked_finite
from symbreak.training.scores import number_scores


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multi-layer perceptron for numbers, a replacement for scikit-learn's of the same name.

    Parameters
    ----------
    loss : "squared_error", "poisson", "absolute_error", "huber", "quantile", or a loss object such
        as `symbreak.losses.Huber(2.0)`.
    hidden_layer_sizes, activation, solver, ... : as in `MLPClassifier`, without class_weight.
    standardize : train on standardised X and y; predictions are in the units of y. A y for
        "poisson" stays as it is.
    scoring : the validation score; None is R².

    Attributes
    ----------
    coefs_, intercepts_, loss_, ... : as in `MLPClassifier`.

    Notes
    -----
    J sums over outputs, and so does its gradient. scikit-learn reports half the mean over outputs
    while its gradient is that of the sum.

    Examples
    --------
    >>> import symbreak as sb
    >>> X = [[0.0], [1.0], [2.0], [3.0]]
    >>> net = sb.MLPRegressor((3,), "tanh", solver="lbfgs", standardize=True, random_state=0)
    >>> net.fit(X, [0.0, 2.0, 4.0, 6.0]).predict(X).round(1)
    array([0., 2., 4., 6.])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**CONSTRAINTS, **REGRESSOR}

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
        solver: str = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = "auto",
        max_fun: int = 15000,
        init: Any = None,
        init_epsilon: float | None = None,
        coefs_init: Any = None,
        intercepts_init: Any = None,
        n_starts: int = 1,
        combine: str = "average",
        standardize: Any = False,
        scoring: Any = None,
        solver_options: dict[str, Any] | None = None,
        callback: Any = None,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.init = init
        self.init_epsilon = init_epsilon
        self.coefs_init = coefs_init
        self.intercepts_init = intercepts_init
        self.n_starts = n_starts
        self.combine = combine
        self.standardize = standardize
        self.scoring = scoring
        self.solver_options = solver_options
        self.callback = callback
        self.dtype = dtype
        self.device = device

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None
    ) -> Self:
        """Train on X (m, features) and y (m,) or (m, outputs).

        X_val, y_val : other examples. They turn early stopping on, as `early_stopping=True` does
        with a part of X: training ends when neither their score has risen nor their loss fallen
        for `n_iter_no_change` iterations, and the weights with the best score come back, among
        equal scores those with the lowest loss.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on these data."""
        return self._fit(X, y, sample_weight, None, None, incremental=True)

    def predict(self, X: Any) -> Array:
        """Return predictions (m,), or (m, outputs)."""
        check_fitted(self)
        return checked_finite(self._decoded(self._predicted(self._checked(X))))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R² of the predictions for X, the mean over outputs.

        sample_weight : (m,), or None for equal ones.
        """
        predicted = self.predict(X)
        m = len(predicted)
        if sample_weight is None and predicted.shape == (m,) and m > 1 and is_plain_target(y, m):
            return number_scores(y, predicted).score
        return float(r2_score(y, predicted, sample_weight=sample_weight))

    def _checked_pair(self, X: Any, y: Any, reset: bool, **options: Any) -> tuple[Any, Any]:
        return super()._checked_pair(X, y, reset, y_numeric=True, **options)

    def _encoded(self, y: Array) -> Array:
        return y.reshape(len(y), -1)

    def _decoded(self, output: Array) -> Array:
        found = self._scaling.undo(output)
        return np.asarray(found[:, 0] if found.shape[1] == 1 else found)
