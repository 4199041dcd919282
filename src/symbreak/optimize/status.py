"""How the search from one start ended; the text names the cause and the next action."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The ending of one start. `str(status)` is the sentence for people."""

    RUNNING = "still running"
    CONVERGED = "converged: the gradient at the returned point is below the tolerance"
    STATIONARY_START = (
        "stationary start: the gradient is zero at the start itself, so nothing moved; "
        "draw the start at random unless the start is the minimum"
    )
    MAX_ITERATIONS = "stopped at max_iter; raise max_iter to go on"
    MAX_EVALUATIONS = "stopped at max_evaluations; raise max_evaluations to go on"
    MAX_SECONDS = "stopped at max_seconds; going on from the outcome has as long again"
    TARGET_REACHED = "stopped at target_value, which J has reached"
    VALUE_TOLERANCE = (
        "the last step lowered J by no more than value_rtol or value_atol; "
        "begin anew from outcome.theta with lower ones if the gradient is still too large"
    )
    STEP_TOLERANCE = (
        "the last step moved theta by less than step_rtol; "
        "begin anew from outcome.theta with a lower step_rtol if the gradient is still too large"
    )
    NO_IMPROVEMENT = (
        "neither the validation score nor a loss beside it has improved for `patience` steps; "
        "the point with the best score is returned"
    )
    STALLED = (
        "J has not fallen by patience_tol for `value_patience` steps; "
        "lower patience_tol or raise value_patience to go further"
    )
    SMALL_RATE = (
        "the adaptive learning rate has fallen to 1e-6, and J does not fall any more; "
        "lower tol or raise n_iter_no_change of the schedule to go further"
    )
    DROPPED = "dropped from the race: other starts were lower after equally many evaluations"
    PRECISION_LIMIT = (
        "no lower point can be told apart along steepest descent; this is as low as the dtype "
        "resolves, float64 may reach lower"
    )
    DIVERGED = "the steps led to a value that is not finite; lower the learning rate"
    NON_FINITE_START = "J or its gradient is not finite at the start; draw a smaller start"
    FAILED = (
        "the method ended by itself where the gradient test does not hold; "
        "see messages of the outcome, or try another method"
    )
    STOPPED = "stopped by the callback"
    INTERRUPTED = "interrupted; the best point so far is kept"

    def __str__(self) -> str:
        return self.value

    @property
    def word(self) -> str:
        """The status in a table or in data: "max iterations"."""
        return self.name.lower().replace("_", " ")


# A search that ended for one of these can be continued.
PAUSES = frozenset(
    {
        Status.MAX_ITERATIONS,
        Status.MAX_EVALUATIONS,
        Status.MAX_SECONDS,
        Status.STOPPED,
        Status.INTERRUPTED,
    }
)
