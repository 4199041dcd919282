"""The fitted attributes, all assigned here, from the record of a training.

    outcome of a search -> `Training`: kept starts, lead -> weights, numbers and curves

`training_` is that record. The training data are not in it: they are the user's, and files would
grow by them.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from symbreak import arrays
from symbreak.errors import InvalidInput, MissingOptionalPackage
from symbreak.estimators.interruption import is_of_search, warn_at_caller
from symbreak.estimators.plain_input import check_fitted
from symbreak.estimators.problem import NON_FINITE, Array, Problem
from symbreak.estimators.solvers import is_stochastic
from symbreak.estimators.starting import matrices_of, theta_of
from symbreak.optimize import Outcome
from symbreak.optimize.status import Status
from symbreak.text import pluralize
from symbreak.training import Training

WITHOUT_VALIDATION = (
    "combine='best' means the best validation score, and this fit has none: the start with the "
    "lowest J was taken. Say combine='lowest-cost' for that, or fit with early_stopping=True or "
    "X_val and y_val; 'best' without a validation will be an error."
)
ON_THE_CPU = 'A fitted estimator predicts on the CPU after set_params(device="cpu").'


class FittedMixin:
    """What a fit leaves behind; the parameters it reads are those of the estimators."""

    combine: str
    solver: str
    n_starts: int
    max_iter: int
    max_fun: int
    tol: float
    device: Any

    training_: Training
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    best_loss_: float | None
    t_: int

    @property
    def outcome_(self) -> Outcome:
        """What became of the starts."""
        return self.training_.outcome

    @property
    def kept_(self) -> Array:
        """The starts that are kept, (kept,), the one that leads first."""
        return np.array(self.training_.ranked)

    @property
    def starts_(self) -> dict[str, Array]:
        """The table of all starts, columns (starts,) by name."""
        check_fitted(self)
        outcome = self.outcome_
        start = np.arange(len(outcome.value))
        table = {
            "start": start,
            "loss": outcome.value,
            "gradient_norm": outcome.gradient_norm,
            "n_iter": outcome.n_iterations,
            "n_evaluations": outcome.n_evaluations,
            "status": np.array([status.word for status in outcome.status]),
            "kept": np.isin(start, self.kept_),
        }
        if outcome.validation is not None:
            table["validation_score"] = -outcome.validation
        return table

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "thetas_")

    @property
    def _predicting(self) -> arrays.Array:
        """The thetas whose mean predicts, (starts, n); a single one as `coefs_` stand."""
        if len(self.thetas_) == 1 or self.training_.combine == "all":
            return self._lead[None]
        return self._placed(self.thetas_)

    @property
    def _lead(self) -> arrays.Array:
        """Theta of the start that leads, (n,), as `coefs_` and `intercepts_` stand."""
        return self._placed(theta_of(self.coefs_, self.intercepts_))

    def _placed(self, thetas: Array) -> arrays.Array:
        """Return fitted weights where `device` says now, which need not be where they were fitted.

        Raises
        ------
        InvalidInput, MissingOptionalPackage
            That device is not to be had.
        """
        try:
            return self._scaling.placed(thetas, self.device)
        except (InvalidInput, MissingOptionalPackage) as error:
            raise type(error)(f"{str(error).removesuffix('.')}. {ON_THE_CPU}") from error

    @property
    def _is_edited(self) -> bool:
        """Whether `coefs_` or `intercepts_` were changed after the fit."""
        now = theta_of(self.coefs_, self.intercepts_)
        return not np.array_equal(now, self.outcome_.theta[self.training_.lead])

    @property
    def _no_improvement_count(self) -> int:
        """How many epochs at the end of training did not improve by tol."""
        scores = self.validation_scores_
        falling = self.loss_curve_ if scores is None else [-score for score in scores]
        best, count = math.inf, 0
        for value in falling:
            count = 0 if value <= best - self.tol else count + 1
            best = min(best, value)
        return count

    def _old_weights(self, problem: Problem) -> Array:
        """Return where the last fit ended, (n_starts, n), the lead as `coefs_` stand.

        Raises
        ------
        ValueError
            The architecture or the number of starts is another.
        """
        theta = np.array(self.outcome_.theta, dtype=problem.scaling.dtype)
        if theta.shape != (self.n_starts, problem.network.n_parameters):
            raise ValueError(
                "warm_start must go on with the same layers and n_starts. Got others; "
                "fit with warm_start=False."
            )
        theta[self.training_.lead] = theta_of(self.coefs_, self.intercepts_)
        return theta

    def _view(self, problem: Problem) -> Self:
        """Return a copy without a fit, which predicts with the weights that it is given."""
        view = copy.copy(self)
        for name in ("feature_names_in_", "training_"):
            view.__dict__.pop(name, None)
        view._network, view._scaling = problem.network, problem.scaling
        return view

    def _set_weights(self, thetas: Array) -> None:
        """Predict with thetas (kept, n), the one that leads first."""
        network = self._network
        self.thetas_ = thetas
        self.coefs_, self.intercepts_ = matrices_of(network, thetas[0])
        self.n_layers_ = len(network.layers)
        self.n_outputs_ = network.n_outputs
        self.out_activation_ = network.loss.sklearn_link

    def _set_fitted(
        self, problem: Problem, outcome: Outcome, *, spent: int = 0, earlier: Sequence[float] = ()
    ) -> None:
        """Set all fitted attributes.

        Parameters
        ----------
        outcome : of a search on the problem's cost, theta (starts, n).
        spent : iterations before this fit, where a search was gone on with.
        earlier : the losses before, where epochs go on.

        Raises
        ------
        ValueError
            No start ended with finite weights.
        """
        theta = arrays.as_numpy(outcome.theta).astype(problem.scaling.dtype, copy=False)
        training = _recorded(problem, replace(outcome, theta=theta), self.combine)
        self._network, self._scaling = problem.network, problem.scaling
        self._set_weights(theta[list(training.ranked)])
        self.training_ = training
        self.n_iter_ = int(outcome.n_iterations[training.lead]) - spent
        seen = self.n_iter_ * problem.X.shape[0] if is_stochastic(self.solver) else 0
        self.t_ = seen + (self.t_ if spent or earlier else 0)
        self._set_curves(training, earlier)

    def _set_curves(self, training: Training, earlier: Sequence[float]) -> None:
        outcome, lead = training.outcome, training.lead
        until = slice(1, int(outcome.n_iterations[lead]) + 1)
        self.loss_ = float(outcome.value[lead])
        self.loss_curve_ = [*earlier, *outcome.history[until, lead].tolist()]
        self.best_loss_ = min([*earlier, self.loss_])
        self.validation_scores_ = self.best_validation_score_ = None
        if outcome.validation_history is not None:
            self.validation_scores_ = (-outcome.validation_history[until, lead]).tolist()
            scores = training.validation[lead]
            self.best_validation_score_ = math.nan if scores is None else scores.score
            self.best_loss_ = None


def warn_if_unfinished(estimator: Any) -> None:
    """Warn, as scikit-learn does, where a kept start was stopped by a limit, or diverged."""
    outcome, kept = estimator.outcome_, estimator.training_.kept
    limits = {Status.MAX_ITERATIONS, Status.MAX_EVALUATIONS}
    stopped = [start for start in kept if outcome.status[start] in limits]
    if stopped:
        warnings.warn(
            f"Maximum iterations ({estimator.max_iter}) or evaluations ({estimator.max_fun}) "
            f"reached and the optimization of {len(stopped)} of {len(kept)} kept starts "
            "has not converged yet; raise max_iter or scale the data.",
            ConvergenceWarning,
            stacklevel=3,
        )
    diverged = [start for start in kept if outcome.status[start] is Status.DIVERGED]
    if diverged:
        after = pluralize(int(outcome.n_iterations[diverged].min()), "iteration")
        rate = "lower learning_rate_init or " if is_stochastic(estimator.solver) else ""
        warnings.warn(
            f"J diverged after {after} in {len(diverged)} of {len(kept)} kept starts "
            f"and the best point before was kept; {rate}standardise the data.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _recorded(problem: Problem, outcome: Outcome, combine: str) -> Training:
    is_best_of_nothing = combine == "best" and outcome.validation is None
    way = "lowest-cost" if is_best_of_nothing else combine
    try:
        training = Training.of(
            problem.network, outcome, way, seconds={"train": outcome.seconds},
            # One of many is compared with others, and nobody is advised on it.
            spread_of_inputs=1.0 if is_of_search() else problem.spread_of_inputs,
        )  # fmt: skip
    except InvalidInput as error:
        raise ValueError(NON_FINITE) from error
    if is_best_of_nothing:
        warn_at_caller(WITHOUT_VALIDATION, DeprecationWarning)
    return training
