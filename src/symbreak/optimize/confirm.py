"""The outcome of a search: J, gradient and convergence, evaluated once more where it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import Floats
from symbreak.optimize.protocols import Point
from symbreak.optimize.status import Status
from symbreak.optimize.stopping import GradientTest


def confirmed_outcome(
    objective: Objective,
    theta: Tensor,
    test: GradientTest,
    status: Sequence[Status],
    *,
    start_norm: Floats,
    start_value: Floats,
    **known: Any,
) -> Outcome:
    """Return the outcome at theta (starts, n), "converged" only where the test holds there.

    Parameters
    ----------
    status : how each search ended.
    start_norm, start_value : (starts,), the largest |entry| of the gradient and J at the starts.
    **known : the other attributes of the outcome.
    """
    there = Point.at(objective, theta)
    arrived = test.holds_later(there.norm, there.value, start_norm, start_value)
    return Outcome(
        theta=theta,
        value=np.where(there.is_finite, there.value, np.inf),
        gradient_norm=np.where(there.is_finite, there.norm, np.inf),
        status=tuple(map(_confirmed, status, arrived)),
        **known,
    )


def _confirmed(status: Status, arrived: bool) -> Status:
    """Say "converged" exactly where the test holds at the returned point."""
    if status in (Status.STATIONARY_START, Status.NON_FINITE_START):
        return status
    if arrived:
        return Status.CONVERGED
    return Status.PRECISION_LIMIT if status is Status.CONVERGED else status
