"""The returned arrays in the shapes of the lecture, and how they were understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symbreak.backpropagation_check.answer import numbers_of
from symbreak.backpropagation_check.cause import WRONG_SHAPE, Cause
from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.stages import Stage


@dataclass
class Reading:
    """What was returned, stage by stage.

    Attributes
    ----------
    arrays : as (units, m), gradients as their Theta, J as (1, 1).
    mistakes : what is wrong with arrays that fit no layout.
    layout : how the arrays were understood, one sentence for each kind.
    precisions : "float16", "float32", "float64": those the arrays came in.
    """

    arrays: dict[Stage, Array] = field(default_factory=dict)
    mistakes: dict[Stage, Cause] = field(default_factory=dict)
    layout: list[str] = field(default_factory=list)
    precisions: set[str] = field(default_factory=set)

    def numbers(self, array: Any, what: str) -> Array:
        """Return an array in float64 and remember the precision it came in."""
        found, precision = numbers_of(array, what)
        self.precisions.add(precision)
        return found


def read_J(reading: Reading, value: Any, n_layers: int) -> None:
    """Read J, which is one number."""
    J, stage = reading.numbers(value, "J of my_function"), Stage("J", n_layers)
    if J.size == 1:
        reading.arrays[stage] = J.reshape(1, 1)
    else:
        said = f"J must be one number, but has shape {J.shape}"
        reading.mistakes[stage] = Cause(WRONG_SHAPE, said)


def misfit(theirs: Array, right: Array) -> float:
    """Return how far an array is from another, from 0 (equal) to 1; NaN counts as 1."""
    with np.errstate(all="ignore"):
        apart = float(np.sqrt(((theirs - right) ** 2).mean()))
        size = float(np.sqrt((right**2).mean()))
    if apart == 0.0:
        return 0.0
    return min(1.0, apart / size) if size > 0.0 and np.isfinite(apart) else 1.0
