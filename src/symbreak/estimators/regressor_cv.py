"""`MLPRegressorCV`: hidden layers and penalty chosen by cross-validation."""

from __future__ import annotations

from typing import Any, ClassVar

from symbreak.estimators.cross_validated import CrossValidatedMLP
from symbreak.estimators.parameters import CROSS_VALIDATED, REGRESSOR
from symbreak.estimators.regressor import MLPRegressor


class MLPRegressorCV(CrossValidatedMLP, MLPRegressor):
    """A multi-layer perceptron for numbers, its hidden layers and penalty by cross-validation.

    X and y are standardised; predictions are in the units of y.

    Parameters
    ----------
    loss : as in `MLPRegressor`.
    scoring : a scorer; None is minus the mean loss, for the squared error half of it, of
        standardised y.
    hidden_layer_sizes, activation, alphas, cv, ... : as in `MLPClassifierCV`, without class_weight.

    Attributes
    ----------
    alpha_, hidden_layer_sizes_, activation_, alphas_, scores_path_, cv_results_, ... : as in
        `MLPClassifierCV`.
    coefs_, training_, ... : as in `MLPRegressor`, of the training on all rows.

    Examples
    --------
    >>> import symbreak as sb
    >>> from sklearn.datasets import make_friedman1
    >>> X, y = make_friedman1(200, noise=0.5, random_state=0)
    >>> net = sb.MLPRegressorCV(random_state=0).fit(X, y)
    >>> net.score(*make_friedman1(1000, random_state=1)) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**CROSS_VALIDATED, **REGRESSOR}

    def __init__(
        self,
        hidden_layer_sizes: Any = "auto",
        activation: Any = "auto",
        *,
        alphas: Any = "auto",
        cv: Any = None,
        scoring: Any = None,
        n_starts: int = 16,
        screening_starts: int = 4,
        loss: Any = "squared_error",
        init: Any = "glorot_uniform",
        max_iter: int = 1000,
        tol: float = 1e-4,
        random_state: Any = None,
        verbose: Any = False,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.n_starts = n_starts
        self.screening_starts = screening_starts
        self.loss = loss
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.dtype = dtype
        self.device = device
