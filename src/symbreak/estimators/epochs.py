"""`partial_fit`: one epoch at a time on whatever data come, the state of the optimiser kept."""

from __future__ import annotations

import numpy as np

from symbreak.arrays import at_surface
from symbreak.estimators.problem import Problem
from symbreak.estimators.progress import Teller
from symbreak.estimators.solvers import method_of_solver, method_options
from symbreak.estimators.starting import starts_of
from symbreak.estimators.training import TrainingMixin
from symbreak.optimize import Progress
from symbreak.optimize.epochs import Epochs
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.training.seeds import Seeds

ENDED_WHOLE = "Ctrl-C: the epoch was made to its end, and the estimator holds what it learnt."


class EpochsMixin(TrainingMixin):
    """Trains an estimator epoch by epoch."""

    def _train_epoch(self, problem: Problem, seeds: Seeds, *, anew: bool) -> None:
        """Train for one epoch on a problem and set the fitted attributes.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C; where it was pressed once, after the epoch.
        """
        with DeferredInterrupt() as interrupt:
            self._epoch(problem, seeds, anew=anew)
        # The calls stand in a loop of the user's, which ends here.
        if interrupt.is_requested:
            raise KeyboardInterrupt(ENDED_WHOLE)

    def _epoch(self, problem: Problem, seeds: Seeds, *, anew: bool) -> None:
        cost = problem.cost(self.n_starts)
        theta = starts_of(self, cost, seeds) if anew else self._old_weights(problem)
        if anew or self._epochs is None:
            options = method_options(self, len(problem.X), seeds.order)
            self._epochs = Epochs(method_of_solver(self.solver), options)
        outcome = self._epochs.run(cost, at_surface(theta, device=cost.device))
        self._set_fitted(problem, outcome, earlier=[] if anew else self.loss_curve_)
        tell = Teller.of(self)
        if tell is not None:
            n, median = len(self.loss_curve_), float(np.median(outcome.value))
            tell(Progress(n, self.loss_, median, 0, len(outcome.value), outcome.seconds))
