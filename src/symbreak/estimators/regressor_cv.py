"""`MLPRegressorCV`: hidden layers and penalty chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from symbreak.estimators.cross_validated import CrossValidatedMLP, with_network
from symbreak.estimators.early_stopping import Examples
from symbreak.estimators.fold_fits import fitted_on
from symbreak.estimators.held_out import held_out
from symbreak.estimators.parameters import CROSS_VALIDATED, REGRESSOR
from symbreak.estimators.plain_input import check_fitted
from symbreak.estimators.problem import Array
from symbreak.estimators.regressor import MLPRegressor
from symbreak.training.choosing import Choice
from symbreak.training.folds import Fold
from symbreak.training.seeds import Seeds
from symbreak.training.selection import chosen_by
from symbreak.training.uncertainty import apart


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
    held_out_ : what the folds tell of errors, which `predict(X, return_std=True)` and
        `predict_interval` read; see `symbreak.training.uncertainty.HeldOut`.
    coefs_, training_, ... : as in `MLPRegressor`, of the training on all rows.

    Examples
    --------
    >>> import symbreak as sb
    >>> from sklearn.datasets import make_friedman1
    >>> X, y = make_friedman1(200, noise=0.5, random_state=0)
    >>> net = sb.MLPRegressorCV(random_state=0).fit(X, y)
    >>> X, y = make_friedman1(1000, noise=0.5, random_state=1)
    >>> net.score(X, y) > 0.9
    True
    >>> lower, upper = net.predict_interval(X, coverage=0.9).T
    >>> bool(0.85 < ((lower <= y) & (y <= upper)).mean() < 0.95)
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

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return predictions, and on request how far y is from them.

        Parameters
        ----------
        X : (m, features).
        return_std : also return the standard deviation of a new y around its prediction: noise and
            the doubt of the starts together, as the errors on held-out rows say, in the units of
            y. The doubt alone is `predict_starts(X).std(axis=0)`.

        Returns
        -------
        y : (m,), or (m, outputs).
        std : of the same shape; with `return_std` alone.
        """
        predicted = super().predict(X)
        if not return_std:
            return predicted
        X = self._inputs(self._checked(X))
        std = self.held_out_.std(self._network, self._predicting, X)
        return predicted, self._scaling.undo_size(std).reshape(predicted.shape)

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Return intervals that a new y lies in with a given chance.

        The prediction and, on both sides, a quantile of the errors on held-out rows (Barber et al.
        2021), scaled by the size that an error at x is expected to have. Rows are taken to be
        exchangeable; y may have any law. With several outputs the chance is that of each one.

        Parameters
        ----------
        X : (m, features).
        coverage : above 0 and below 1; with n held-out rows at most n / (n + 1).

        Returns
        -------
        (m, 2), lower and upper ends in the units of y, or (m, 2, outputs).

        Raises
        ------
        InvalidInput
            The coverage is no such number, or more than so many rows allow.
        """
        check_fitted(self)
        X = self._inputs(self._checked(X))
        ends = self.held_out_.interval(self._network, self._predicting, X, coverage)
        ends = self._scaling.undo(ends)
        if not self._network.loss.fits_any_number:
            ends = np.maximum(ends, 0.0)  # as y itself
        return ends[..., 0] if ends.shape[-1] == 1 else ends

    def _judge_errors(
        self, choice: Choice, examples: Examples, folds: Sequence[Fold], seeds: Seeds
    ) -> None:
        rows = [held for _, held in folds]

        def fitted(fold: int) -> Any:
            one = chosen_by(choice.candidates, apart(rows, fold))
            view = with_network(self, *one.network)
            return fitted_on(view, examples, folds[fold], one.alpha, seeds)

        views = [fitted(fold) for fold in range(len(folds))]
        scaling = with_network(self, *choice.best.network)._problem(examples).scaling
        self.held_out_ = held_out(views, folds, examples, scaling)
