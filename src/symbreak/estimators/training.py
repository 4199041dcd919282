"""One fit: from a problem to an outcome, anew, from old weights, or on from an old search.

Warm start: with the same data and the same starts a search that was stopped by a limit goes on,
its memory kept (moments, curvature pairs, rates, the order of epochs). Otherwise a new search
begins from the old weights.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import numpy as np

from symbreak.estimators.constant_network import warn_if_constant_network
from symbreak.estimators.fitted import FittedMixin, warn_if_unfinished
from symbreak.estimators.interruption import (
    check_goes_on,
    check_trained,
    is_of_search,
    tell_interrupted,
)
from symbreak.estimators.problem import Problem
from symbreak.estimators.progress import Teller
from symbreak.estimators.solvers import (
    is_stochastic,
    method_of_solver,
    method_options,
    search_options,
)
from symbreak.estimators.starting import starts_of
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, minimize
from symbreak.optimize.epochs import Epochs
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.status import PAUSES, Status
from symbreak.propagation.first_layer import is_sparse
from symbreak.training.seeds import Seeds

_MAY_CHANGE = ("max_iter", "max_fun", "verbose", "warm_start", "callback", "random_state")


class TrainingMixin(FittedMixin):
    """Trains an estimator.

    A search may go on if it was begun with the same data and settings, which `_begun_with` tells.
    `_epochs` holds the state of the optimiser between calls of `partial_fit`.
    """

    _parameter_constraints: ClassVar[dict[str, Any]]
    _begun_with: tuple[str, str] | None = None
    _epochs: Epochs | None = None

    def _train(
        self, problem: Problem, seeds: Seeds, *, validation: Any = None, anew: bool = True
    ) -> None:
        """Train on a problem and set the fitted attributes.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C came before the first iteration, or twice, or in a fit that is one of many.
        SearchInterrupted
            The fit is of a `StackedSearchCV`, and Ctrl-C came before its end.
        """
        check_goes_on()
        cost = problem.cost(self.n_starts)
        begun_with = fingerprint(problem), self._settings_of_search()
        goes_on = not anew and validation is None and self._may_go_on(begun_with)
        spent = int(self.outcome_.n_iterations.max()) if goes_on else 0
        tell = Teller.of(self)
        with DeferredInterrupt() as interrupt:
            if spent:
                outcome = self._gone_on(cost, spent, tell)
            else:
                theta = starts_of(self, cost, seeds) if anew else self._old_weights(problem)
                outcome = minimize(
                    cost,
                    theta,
                    method=method_of_solver(self.solver),
                    callback=tell,
                    **search_options(self, validation),
                    **method_options(self, problem.X.shape[0], seeds.order),
                )
            pressed = outcome.is_interrupted or interrupt.is_requested
            if pressed:
                check_trained(outcome, spent=spent)
            if isinstance(tell, Teller):
                tell.close(outcome, is_cut=pressed)
            self._set_fitted(problem, outcome, spent=spent)
            self._begun_with, self._epochs = begun_with, None
        if pressed or interrupt.is_requested:
            tell_interrupted(self, outcome, spent=spent)
        warn_if_unfinished(self)
        if validation is None and not is_of_search():
            warn_if_constant_network(self, problem)

    def _gone_on(self, cost: NetworkCost, spent: int, tell: Any) -> Outcome:
        """Return what the last search becomes when it goes on from where it stopped."""
        return minimize(
            cost,
            self.outcome_,
            max_iter=self.max_iter + spent,
            max_evaluations=None if is_stochastic(self.solver) else self.max_fun,
            callback=tell,
        )

    def _may_go_on(self, begun_with: tuple[str, str]) -> bool:
        """Tell whether the last search was of this kind, and was only paused."""
        outcome = self.outcome_
        paused = all(
            status in PAUSES and status is not Status.INTERRUPTED for status in outcome.status
        )
        same = self._begun_with == begun_with and outcome.search is not None
        return same and paused and not self._is_edited

    def _settings_of_search(self) -> str:
        """Return what must not change for a search to go on."""
        # `get_params` reads signatures, which takes a good part of a short fit.
        names = [name for name in self._parameter_constraints if name not in _MAY_CHANGE]
        return repr([(name, getattr(self, name)) for name in names])


def fingerprint(problem: Problem) -> str:
    """Return a digest of what is minimised, which tells the same data again."""
    digest = hashlib.blake2b(digest_size=16)
    settings = problem.network.to_settings(), problem.alpha, problem.scaling.dtype
    digest.update(repr(settings).encode())
    X = (problem.X.data, problem.X.indices) if is_sparse(problem.X) else (problem.X,)
    for array in (*X, problem.y, problem.sample_weight):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
