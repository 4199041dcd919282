"""The full step, always: for directions that carry their own length."""

from __future__ import annotations

import numpy as np

from symbreak.optimize.parts import Floats, Mask


class FixedStep:
    """Step 1; accepted wherever J and its gradient are finite, failed elsewhere."""

    def __init__(self) -> None:
        self.steps: Floats = np.empty(0)

    def start(self, n_rows: int, eps: float) -> None:  # noqa: ARG002 - no rounding to judge
        """Set every step to 1."""
        self.steps = np.ones(n_rows)

    def begin(self, rows: Mask, value: Floats, slope: Floats, is_first: Mask) -> None:
        """Nothing is to be prepared."""

    def judge(self, value: Floats, slope: Floats) -> tuple[Mask, Mask]:
        """Accept what is finite."""
        finite = np.isfinite(value) & np.isfinite(slope)
        return finite, ~finite

    def keep(self, rows: Mask) -> None:
        """Drop all but `rows`."""
        self.steps = self.steps[rows]
