"""What both estimators share: validation of input, weights, early stopping, methods on hidden."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from symbreak.checks import is_integer
from symbreak.errors import InvalidInput
from symbreak.estimators import outputs, persistence
from symbreak.estimators.early_stopping import (
    Examples,
    ValidationScore,
    check_labels,
    split,
    warn_if_constant,
    warn_if_undefined,
)
from symbreak.estimators.epochs import EpochsMixin
from symbreak.estimators.problem import Array, Problem, Scaling, problem_of
from symbreak.estimators.progress import CallbackSupportMixin
from symbreak.estimators.solvers import is_stochastic, method_of_solver
from symbreak.text import pluralize
from symbreak.training.combine import by_blocks, combined_prediction
from symbreak.training.seeds import seeds_of

_FLOATS = (np.float64, np.float32)


class BaseMLP(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    CallbackSupportMixin,  # type: ignore[misc]
    EpochsMixin,
    BaseEstimator,  # type: ignore[misc]
):
    """A multi-layer perceptron with scikit-learn's interface; see the two estimators."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    _estimator_type: ClassVar[str]

    @classmethod
    @cache
    def _get_param_names(cls) -> Any:
        """Return the names of the parameters; a fit of a search is asked for them several times."""
        return super()._get_param_names()

    def transform(self, X: Any, layer: int = -1) -> Array:
        """Return the activations of a hidden layer, (m, units).

        Parameters
        ----------
        X : (m, features).
        layer : 1 is the first hidden layer; negative numbers count from the last one.
        """
        check_is_fitted(self)
        X = self._checked(X)
        n_hidden = self._network.n_hidden
        is_whole = is_integer(layer, -n_hidden)
        wanted = layer if not is_whole or layer > 0 else n_hidden + 1 + layer
        if not is_whole or not 1 <= wanted <= n_hidden:
            raise InvalidInput(
                f"layer of transform must be a hidden layer, 1 to {n_hidden} or -{n_hidden} to -1. "
                f"Got {layer!r} of a network with {pluralize(n_hidden, 'hidden layer')}."
            )
        if wanted != n_hidden and _get_output_config("transform", self)["dense"] != "default":
            raise InvalidInput(
                "layer of transform must be the last hidden one where set_output names the "
                f"columns. Got {layer}; call set_output(transform='default') first."
            )
        network, theta = self._network, self._lead
        return by_blocks(self._inputs(X), lambda rows: network.hidden(theta, rows, wanted))

    @property
    def _n_features_out(self) -> int:
        """Say how many columns `transform` gives, for the names of its columns."""
        return int(self._network.layers[-2])

    def predict_starts(self, X: Any) -> Array:
        """Return the network outputs of every kept start, (kept, m, outputs).

        Probabilities for a classifier, numbers for a regressor.
        """
        check_is_fitted(self)
        network, X = self._network, self._inputs(self._checked(X))
        theta = self._placed(self.thetas_)
        return self._scaling.undo(by_blocks(X, lambda rows: network.predict(theta, rows)))

    def check_gradient_(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Any:
        """Check the gradient of J on these data at the fitted weights; see `check_gradient`."""
        from symbreak.gradient_check import check_gradient

        check_is_fitted(self)
        X, y = self._checked_pair(X, y, False)
        weight, X = self._weights(X, y, sample_weight), outputs.dense(X)
        problem = self._problem(Examples(X, y, weight), self._scaling)
        return check_gradient(problem.cost(), self._predicting[:1], **options)

    @property
    def symmetry_(self) -> Any:
        """The symmetries of the fitted weights; see `symmetries`."""
        from symbreak.symmetry import symmetries

        check_is_fitted(self)
        return symmetries(self._network, self._predicting[0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator: arrays and plain settings, no code."""
        check_is_fitted(self)
        persistence.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read an estimator that `save` wrote; executes no code from the file."""
        loaded: Self = persistence.load(cls, path)
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        return persistence.plain_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(persistence.full_state(state))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any, incremental: bool = False
    ) -> Self:
        method_of_solver(self.solver)
        anew = not hasattr(self, "thetas_") or not (self.warm_start or incremental)
        X, y = self._checked_pair(X, y, anew)
        self._learn_target(y, anew, incremental)
        weight = self._weights(X, y, sample_weight)
        X = outputs.dense(X)
        seeds = seeds_of(self.random_state)
        known = None if anew else self._scaling
        if incremental:
            if self.early_stopping:
                raise ValueError("partial_fit does not support early_stopping=True")
            self._train_epoch(self._problem(Examples(X, y, weight), known), seeds, anew=anew)
            return self
        examples, held = self._parts(Examples(X, y, weight), X_val, y_val, seeds.split)
        problem = self._problem(examples, known)
        score = None if held is None else ValidationScore(self, problem, held)
        self._train(problem, seeds, validation=score, anew=anew)
        if held is not None:
            warn_if_undefined(self)
            warn_if_constant(self, held)
        return self

    @property
    def _architecture(self) -> tuple[Any, Any, Any]:
        """The hidden layers, their activation and the penalty that are trained."""
        return self.hidden_layer_sizes, self.activation, self.alpha

    def _problem(self, examples: Examples, known: Scaling | None = None) -> Problem:
        """Return what the parameters pose on these examples; see `problem_of`."""
        X, y, weight = examples
        return problem_of(self, X, self._encoded(y), weight, known=known)

    def _parts(
        self, examples: Examples, X_val: Any, y_val: Any, seed: int
    ) -> tuple[Examples, Examples | None]:
        """Return training and validation examples, the latter None without early stopping."""
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val of fit must be given both or neither. Got one.")
        if X_val is not None:
            X_val, y_val = self._checked_pair(X_val, y_val, False)
            if hasattr(self, "classes_") and y_val.ndim == 1:
                check_labels(self.classes_, y_val)
            return examples, Examples(outputs.dense(X_val), y_val, None)
        if not self.early_stopping:
            return examples, None
        fraction = self.validation_fraction
        train_part, held = split(examples, fraction, seed, self._stratified_by(examples.y))
        return train_part, held

    def _predicted(self, X: Any) -> Array:
        """Return the mean prediction after the link, (m, outputs), of rows that are checked."""
        return combined_prediction(self._network, self._predicting, self._inputs(X))

    def _inputs(self, X: Any) -> outputs.Inputs:
        return outputs.Inputs(X, self._scaling, self.device)

    def _checked(self, X: Any) -> Any:
        return validate_data(self, X, accept_sparse=["csr", "csc"], dtype=_FLOATS, reset=False)

    def _checked_pair(self, X: Any, y: Any, reset: bool, **options: Any) -> tuple[Any, Any]:
        from sklearn.utils.validation import column_or_1d

        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=_FLOATS,
            reset=reset, **options,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _weights(self, X: Any, y: Any, sample_weight: Any) -> Array | None:  # noqa: ARG002
        if sample_weight is None:
            return None
        return np.asarray(_check_sample_weight(sample_weight, X))

    def _learn_target(self, y: Array, anew: bool, incremental: bool) -> None:
        """Learn what the targets are; a regressor has nothing to learn."""

    def _encoded(self, y: Array) -> Array:
        raise NotImplementedError

    def _decoded(self, output: Array) -> Array:
        raise NotImplementedError

    def _stratified_by(self, y: Array) -> Array | None:  # noqa: ARG002
        return None


def has_partial_fit(estimator: Any) -> bool:
    """Tell whether a solver can be fed examples in parts."""
    if not is_stochastic(estimator.solver):
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True
