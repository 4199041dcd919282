"""What `MLPClassifierCV` and `MLPRegressorCV` share: choose on folds, then train on all rows.

    rows -> folds -> scores of every architecture and penalty -> the chosen ones -> many starts

The fit on all rows is that of `MLPClassifier` or `MLPRegressor`, with the settings that stand here
in the place of their parameters.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy.stats import rankdata
from sklearn.base import _fit_context, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from symbreak.errors import InvalidInput
from symbreak.estimators import outputs
from symbreak.estimators.base import BaseMLP
from symbreak.estimators.early_stopping import Examples
from symbreak.estimators.fold_fits import fits_of, judge_of
from symbreak.estimators.problem import Array, hidden_sizes
from symbreak.estimators.progress import with_callbacks
from symbreak.training.choosing import Choice, choose
from symbreak.training.combine import by_blocks
from symbreak.training.fold_fits import FoldFits
from symbreak.training.folds import Fold, splitter, weighing
from symbreak.training.seeds import Seeds, seeds_of
from symbreak.training.selection import ACTIVATIONS, ARCHITECTURES, Candidate, Layers, name_of


class CrossValidatedMLP(BaseMLP):
    """Chooses hidden layers and penalty on folds; see the two estimators."""

    solver = "lbfgs"
    solver_options: dict[str, Any] | None = None
    init_epsilon: float | None = None
    coefs_init = intercepts_init = callback = None
    warm_start = early_stopping = False
    combine = "average"
    standardize = "robust"
    max_fun = 15000

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Choose and train on X (m, features) and y (m,) or (m, outputs).

        sample_weight : (m,), in the training and in the scores.
        groups : (m,), which rows belong together; handed to the splitter.
        """
        X, y = self._checked_pair(X, y, True)
        self._learn_target(y, True, False)
        examples = Examples(outputs.dense(X), y, self._weights(X, y, sample_weight))
        seeds = seeds_of(self.random_state)
        self._choose(examples, folds_of(self, examples, groups, seeds.split), seeds)
        with warnings.catch_warnings():
            # The folds have shown what so many iterations are worth.
            warnings.filterwarnings("ignore", "Maximum iterations", ConvergenceWarning)
            self._train(self._problem(examples), seeds)
        return self

    def transform(self, X: Any, layer: int = -1) -> Array:
        """Return the activations of a hidden layer, (m, units).

        Where the linear model was chosen, what goes into the last layer is X itself, standardised.

        Parameters
        ----------
        X : (m, features).
        layer : 1 is the first hidden layer; negative numbers count from the last one.
        """
        check_is_fitted(self)
        if self._network.n_hidden or layer != -1:
            return super().transform(X, layer)
        return by_blocks(self._inputs(self._checked(X)), lambda rows: rows)

    @property
    def _architecture(self) -> tuple[Any, Any, Any]:
        return self.hidden_layer_sizes_, self.activation_, self.alpha_

    def _choose(self, examples: Examples, folds: Sequence[Fold], seeds: Seeds) -> None:
        """Set the attributes that tell of the choice.

        Raises
        ------
        InvalidInput
            No candidate has a finite score on every fold.
        KeyboardInterrupt
            Ctrl-C: nothing was chosen.
        """
        judge = judge_of(self, examples)

        def fits(layers: Layers, activation: Any) -> FoldFits:
            return fits_of(with_network(self, layers, activation), examples, folds, judge, seeds)

        choice = choose(
            fits,
            architectures(self.hidden_layer_sizes),
            ACTIVATIONS if _is_auto(self.activation) else [self.activation],
            _alphas(self.alphas),
            self._tell,
        )
        if choice is None:
            raise InvalidInput(
                "A network and a penalty must have a finite score on every fold. Got none that "
                "has; scale the data, or choose other penalties or another scoring."
            )
        self._set_choice(choice)

    def _set_choice(self, choice: Choice) -> None:
        one = choice.best
        self.alpha_, (self.hidden_layer_sizes_, self.activation_) = one.alpha, one.network
        self.alphas_ = np.array([other.alpha for other in choice.path])
        self.scores_path_ = np.array([other.scores for other in choice.path])
        self.best_index_, self.best_score_ = choice.taken, one.mean
        self.n_splits_ = choice.folds
        self.cv_results_ = _results(choice.candidates)

    def _tell(self, path: Sequence[Candidate]) -> None:
        if self.verbose:
            best = max(path, key=lambda one: one.mean)
            words = f"{len(path)} penalties, best {best.alpha:.3g} with score {best.mean:.6g}"
            sys.stdout.write(f"{name_of(*best.network)}: {words}\n")


def with_network(estimator: Any, layers: Layers, activation: Any) -> Any:
    """Return a copy that has one network, and no penalty yet."""
    one = copy.copy(estimator)
    one.hidden_layer_sizes_, one.activation_, one.alpha_ = layers, activation, 0.0
    return one


def architectures(given: Any) -> tuple[Layers, ...]:
    """Return the hidden layers that are compared: a list of such, or one alone."""
    if _is_auto(given):
        return ARCHITECTURES
    is_list = isinstance(given, Iterable) and any(isinstance(one, Iterable) for one in given)
    return tuple(dict.fromkeys(hidden_sizes(one) for one in (given if is_list else [given])))


def folds_of(estimator: Any, examples: Examples, groups: Any, seed: int) -> list[Fold]:
    """Return (rows to train on, rows to score on) of each fold.

    Parameters
    ----------
    groups : (m,), which rows stay together; None for each by itself.
    seed : of the shuffling, where `cv` is a number.
    """
    X, y, weight = examples
    cv = estimator.cv
    if cv is None or isinstance(cv, Integral):
        kinds = {"binary", "multiclass"}
        is_stratified = is_classifier(estimator) and type_of_target(y) in kinds
        n = None if cv is None else int(cv)
        cv = splitter(y, is_stratified=is_stratified, groups=groups, seed=seed, n=n)
    folds = weighing([tuple(fold) for fold in check_cv(cv, y).split(X, y, groups)], weight)
    if not folds:
        raise InvalidInput(
            "cv must give at least one fold with rows that weigh something. Got none."
        )
    return folds


def _alphas(given: Any) -> tuple[float, ...] | None:
    """Return the penalties in rising order, each once; None where the search finds its own."""
    if _is_auto(given):
        return None
    alphas = np.unique(np.asarray(given, dtype=np.float64))
    if not alphas.size or not (np.isfinite(alphas).all() and alphas[0] >= 0.0):
        raise InvalidInput(
            f"alphas must be 'auto' or numbers from 0 on, at least one. Got {given!r}."
        )
    return tuple(alphas.tolist())


def _results(candidates: Sequence[Candidate]) -> dict[str, Any]:
    """Return the scores of all candidates, as the searches of scikit-learn name them."""
    scores = np.array([one.scores for one in candidates])
    means = np.array([one.mean for one in candidates])
    params = [
        {
            "hidden_layer_sizes": one.hidden_layer_sizes,
            "activation": one.activation,
            "alpha": one.alpha,
        }
        for one in candidates
    ]
    with np.errstate(invalid="ignore"):  # of folds without a finite score
        spread = scores.std(axis=1)
    return {
        "params": params,
        "param_hidden_layer_sizes": [one["hidden_layer_sizes"] for one in params],
        "param_activation": [one["activation"] for one in params],
        "param_alpha": np.array([one["alpha"] for one in params]),
        **{f"split{fold}_test_score": column for fold, column in enumerate(scores.T)},
        "mean_test_score": means,
        "std_test_score": spread,
        "rank_test_score": rankdata(-means, method="min").astype(np.int32),
    }


def _is_auto(given: Any) -> bool:
    return isinstance(given, str) and given == "auto"
