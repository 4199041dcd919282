"""vanishing_signal: what tells samples apart, or the gradient, shrinks from layer to layer.

Threshold, level and source: see `symbreak.modules.diagnosis.detectors.signal` (growth below 1e-3).
"""

from __future__ import annotations

from collections.abc import Iterator

from symbreak.findings import Finding
from symbreak.modules.diagnosis.detectors.signal import LIMIT, backward_trend, forward_trend
from symbreak.modules.observation.observed import Observed

REMEDY = (
    "Draw the weights with the gain of the activation (for relu He's rule; initialize_module does "
    "so, for all of a module that was never trained), or normalise between the layers."
)


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for the forward signal and one for the gradient."""
    for direction, trend in (
        ("forward signal", forward_trend(observed)),
        ("gradient", backward_trend(observed)),
    ):
        if trend is not None and trend.growth < 1 / LIMIT:
            evidence = f"the {direction} changes by a factor of {trend}"
            where = trend.names[-1]
            yield Finding("vanishing_signal", "warning", where, (), None, evidence, REMEDY)
