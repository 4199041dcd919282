"""What `minimize` returns: the best point of every start and how its search ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import is_tensor
from symbreak.optimize.multistart_summary import Restarts, restarts
from symbreak.optimize.status import Status
from symbreak.pickles import Pickled
from symbreak.text import pluralize


@dataclass(frozen=True)
class Outcome(Pickled):
    """The result of many searches.

    Attributes
    ----------
    theta : (starts, n), or (n,) when a plain vector was given; of the kind that was given.
    value : (starts,) float64, J at theta (infinite where the start was not finite).
    gradient_norm : (starts,), the largest |entry| of the gradient at theta; with bounds, of the
        projected one, which is zero at a minimum on a bound too.
    status : one `Status` for each start.
    n_iterations, n_evaluations : (starts,), accepted steps and evaluations of J with gradient.
    best_iteration : (starts,), the accepted steps after which theta was seen, fewer than
        n_iterations where the search went on to worse points. J at theta is `history` there, or
        lower where theta is a trial of that step which was not taken.
    history : (iterations + 1, starts), J at every accepted point, NaN after a start has ended.
    seconds : wall-clock time of the search, of this call if it went on from another.
    validation : (starts,), the best validation score of each start (theta is where it was seen);
        None without validation.
    validation_loss : (starts,), the loss beside that score, infinite where the validation gives
        none; None without validation.
    validation_history : (iterations + 1, starts), the score at every accepted point that was
        scored, NaN elsewhere; None without validation.
    search : what `minimize(objective, outcome)` goes on from.
    iteration_is : what an iteration is, an "update" of theta, or for methods on mini-batches an
        "epoch": `epochs_per_evaluation` passes over the examples.
    messages : for methods of scipy one for each start, what scipy said where it ended by itself.
    """

    theta: Any
    value: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    status: tuple[Status, ...]
    n_iterations: NDArray[np.int64]
    n_evaluations: NDArray[np.int64]
    best_iteration: NDArray[np.int64]
    history: NDArray[np.float64]
    seconds: float
    validation: NDArray[np.float64] | None = None
    validation_history: NDArray[np.float64] | None = None
    validation_loss: NDArray[np.float64] | None = None
    search: Any = field(default=None, repr=False, compare=False)
    messages: tuple[str, ...] = ()
    iteration_is: str = "update"

    @property
    def converged(self) -> NDArray[np.bool_]:
        """(starts,): whether the gradient test holds at the returned point."""
        return np.array([status is Status.CONVERGED for status in self.status])

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C ended a start."""
        return Status.INTERRUPTED in self.status

    @property
    def best(self) -> int:
        """The index of the start with the lowest J."""
        return int(np.argmin(self.value))

    @property
    def restarts(self) -> Restarts:
        """What the starts show together; another tolerance: `multistart_summary.restarts`."""
        return restarts(self)

    @property
    def _holds_tensors(self) -> bool:
        # Theta is of the kind that was given; the search computes where the objective does.
        return is_tensor(self.theta) or is_tensor(getattr(self.search, "theta", None))

    def __str__(self) -> str:
        lines = [
            f"{pluralize(len(self.value), 'start')}, {int(self.converged.sum())} converged, best J "
            f"{self.value[self.best]:.6g} from start {self.best}, {self.seconds:.2f} s",
            f"{'start':>5}  {'J':>12}  {'max |g|':>9}  {'iterations':>10}  status",
        ]
        lines += [
            f"{start:>5}  {self.value[start]:>12.6g}  {self.gradient_norm[start]:>9.2e}  "
            f"{self.n_iterations[start]:>10}  {self.status[start].word}"
            for start in np.argsort(self.value, kind="stable")
        ]
        return "\n".join(lines)
