"""`MLPClassifier`: classes in, probabilities out.

y            outputs                 loss
two classes  1, the probability of   binary_cross_entropy
             the second class
more         1 for each, soft-max    cross_entropy
indicator    1 for each label        binary_cross_entropy
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)

from symbreak.errors import InvalidInput
from symbreak.estimators import outputs
from symbreak.estimators.base import BaseMLP, has_partial_fit
from symbreak.estimators.parameters import CLASSIFIER, CONSTRAINTS
from symbreak.estimators.plain_input import check_fitted
from symbreak.estimators.problem import Array
from symbreak.estimators.progress import with_callbacks
from symbreak.training.combine import checked_finite
from symbreak.training.uncertainty import both_answers, disagreement


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multi-layer perceptron for classes, a replacement for scikit-learn's of the same name.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, \
    power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, \
    nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, \
    n_iter_no_change, max_fun : as in scikit-learn. `activation` may be any of `symbreak.Network`,
        one for each hidden layer; `solver` any method of `symbreak.minimize`; `alpha` one number
        for each layer; early stopping works with every solver. `n_iter_no_change` "auto" is
        scikit-learn's 10, and 50 for early stopping with solvers on all examples at once, whose
        iterations are far less than an epoch; a number is taken as it is.
    init : the rule of the starts, a word or a rule; None is scikit-learn's own.
    init_epsilon : the half-width of the uniform rule, or the epsilon of `init`.
    coefs_init, intercepts_init : weights for the first start, shaped as `coefs_` and `intercepts_`.
    n_starts : how many starts are trained, all at once.
    combine : "average" of their predictions, "best" by the validation score, "lowest-cost", or
        "all" (every start kept, the lowest J predicts).
    standardize : train on standardised X; "robust" by median and quartiles in columns with heavy
        tails.
    class_weight : "balanced" or a dictionary, as elsewhere in scikit-learn.
    loss : "log_loss".
    scoring : the validation score; None is accuracy.
    solver_options : further options of the method.
    callback : called with a `Progress`; anything true stops.
    dtype, device : of the computation; None is that of X, and the CPU. `device` is also where a
        fitted estimator predicts, and may be set anew.

    Attributes
    ----------
    classes_, coefs_, intercepts_, loss_, best_loss_, loss_curve_, validation_scores_, \
    best_validation_score_, n_iter_, n_layers_, n_outputs_, out_activation_, t_ : as in
        scikit-learn, of the start that leads.
    thetas_ : (kept, n), the starts that predict.
    starts_ : table of all starts. outcome_ : the `Outcome` of the search.
    training_ : the record of the fit, of which all these are a part; see `symbreak.training`.

    Examples
    --------
    >>> import symbreak as sb
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = sb.MLPClassifier((2,), "tanh", solver="lbfgs", n_starts=50, alpha=0.0,
    ...                        combine="lowest-cost", random_state=0)
    >>> net.fit(X, y).predict(X)
    array([0, 1, 1, 0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**CONSTRAINTS, **CLASSIFIER}

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
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
        loss: str = "log_loss",
        class_weight: Any = None,
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
        self.class_weight = class_weight
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
        """Train on X (m, features) and y (m,) or (m, labels).

        X_val, y_val : other examples. They turn early stopping on, as `early_stopping=True` does
        with a part of X: training ends when neither their score has risen nor their loss fallen
        for `n_iter_no_change` iterations, and the weights with the best score come back, among
        equal scores those with the lowest loss.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch on these data; `classes` names all classes in the first call."""
        if self.class_weight == "balanced":
            raise InvalidInput(
                "class_weight of partial_fit must be a dictionary or None. Got 'balanced', which "
                "needs all data at once; compute the weights with compute_class_weight."
            )
        if _check_partial_fit_first_call(self, classes):
            self._set_classes(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, None, None, incremental=True)

    def predict(self, X: Any) -> Array:
        """Return the classes (m,), or the labels' 0 and 1 (m, labels)."""
        check_fitted(self)
        return self._decoded(checked_finite(self._predicted(self._checked(X))))

    def predict_proba(self, X: Any) -> Array:
        """Return probabilities (m, classes), or (m, labels); those of classes are never 0."""
        check_fitted(self)
        if self._target_kind.startswith("multilabel"):
            return checked_finite(self._predicted(self._checked(X)))
        logs = self.predict_log_proba(X)
        # 1 - p would round to 0 long before its logarithm is lost.
        return np.asarray(np.maximum(np.exp(logs), np.finfo(logs.dtype).tiny))

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities, finite also where those round to 0."""
        check_fitted(self)
        X = self._inputs(self._checked(X))
        logs = checked_finite(outputs.log_probabilities(self._network, self._predicting, X))
        if self._network.loss.target_is_index:
            return logs
        if not self._is_binary:
            return logs[1]
        if len(self.classes_) == 1:  # which is certain
            return np.zeros((len(X), 1), dtype=logs.dtype)
        return np.column_stack([logs[0], logs[1]])

    def disagreement(self, X: Any) -> Array:
        """Return how much the kept starts disagree about the class, (m,), in nats.

        The mutual information of label and start: 0 where all say the same, sure or not, and at
        most log(classes). It is large where rows that would settle the class are missing; of
        labels that are noise all starts are equally unsure. Those of several labels are added.
        Sources: Houlsby et al. 2011; Lakshminarayanan et al. 2017.

        Raises
        ------
        InvalidInput
            One start alone is kept.
        """
        p = self.predict_starts(X)
        if len(p) == 1:
            raise InvalidInput(
                "disagreement must be between several kept starts. Got one; fit with n_starts=16 "
                "and combine='average'."
            )
        return disagreement(p if self._network.loss.target_is_index else both_answers(p))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the share of rows whose class, or all of whose labels, are right."""
        if sample_weight is None and _are_integers(y):
            # In a search over small nets, what scikit-learn's metric asks of y outlasts the fit.
            predicted = self.predict(X)
            if _are_integers(predicted) and len(predicted) == len(y):
                return float(np.mean(predicted == y))
        return float(super().score(X, y, sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @property
    def _is_binary(self) -> bool:
        return bool(self._target_kind == "binary")

    def _learn_target(self, y: Array, anew: bool, incremental: bool) -> None:
        # Of more classes than half the rows it warns.
        if not _are_integers(y) or 2 * len(np.unique(y)) > len(y):
            check_classification_targets(y)
        if y.ndim > 1 and type_of_target(y) == "multiclass-multioutput":
            raise ValueError("Multioutput target data is not supported with label binarization")
        if not hasattr(self, "classes_") or (anew and not incremental):
            self._set_classes(y)
            return
        classes = unique_labels(y)
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {classes}."
            )

    def _set_classes(self, y: Any) -> None:
        self.classes_ = np.unique(y) if _are_integers(y) else unique_labels(y)
        kind = type_of_target(y, input_name="y") if np.ndim(y) > 1 else ""
        if not kind.startswith("multilabel"):
            kind = "binary" if len(self.classes_) <= 2 else "multiclass"
        self._target_kind = kind

    def _encoded(self, y: Array) -> Array:
        if self._target_kind.startswith("multilabel"):
            return outputs.dense(y)
        index = np.searchsorted(self.classes_, y)
        return index.reshape(-1, 1) if self._is_binary else index

    def _decoded(self, output: Array) -> Array:
        if self._target_kind.startswith("multilabel"):
            return (output > 0.5).astype(int)
        if self._is_binary:
            yes = (output[:, 0] > 0.5).astype(int)
            return np.asarray(self.classes_[np.minimum(yes, len(self.classes_) - 1)])
        return np.asarray(self.classes_[output.argmax(1)])

    def _weights(self, X: Any, y: Any, sample_weight: Any) -> Array | None:
        weight = super()._weights(X, y, sample_weight)
        if self.class_weight is None:
            return weight
        if isinstance(self.class_weight, str) and np.ndim(y) == 1:
            # A weight of 2 balances like a repeated row.
            classes, index = np.unique(y, return_inverse=True)
            by_class = compute_class_weight(
                self.class_weight, classes=classes, y=y, sample_weight=weight
            )[index]
        else:
            by_class = compute_sample_weight(self.class_weight, y)
        return np.asarray(by_class if weight is None else weight * by_class)

    def _stratified_by(self, y: Array) -> Array | None:
        if self._target_kind.startswith("multilabel"):
            return None
        return (y == self.classes_[-1]).astype(str) if self._is_binary else y


def _are_integers(y: Any) -> bool:
    """Tell whether labels (m,) are integers, which no question need be asked of."""
    return isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "iu"
