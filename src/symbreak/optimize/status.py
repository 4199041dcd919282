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
    PRECISION_LIMIT = (
        "no lower point can be told apart along steepest descent; this is as low as the dtype "
        "resolves, float64 may reach lower"
    )
    DIVERGED = "the steps led to a value that is not finite; lower the learning rate"
    NON_FINITE_START = "J or its gradient is not finite at the start; draw a smaller start"
    STOPPED = "stopped by the callback"
    INTERRUPTED = "interrupted; the best point so far is kept"

    def __str__(self) -> str:
        return self.value
