"""What may be wrong, one idea a file, each with its threshold and the source of it.

`DETECTORS` maps a kind to its `detect(observed)`, a pure function that yields findings. How to add
one stands in CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbreak.findings import Finding
from symbreak.modules.diagnosis.detectors import (
    identical_tensors,
    inactive_units,
    initial_loss,
    lost_updates,
    no_gradient,
    non_finite,
    signal,
    twins,
    uninitialized,
    wrong_scale,
)
from symbreak.modules.observation.observed import Observed

Detector = Callable[[Observed], Iterator[Finding]]

DETECTORS: dict[str, Detector] = {
    "identical_units": twins.detect,  # and mirrored_units
    "non_finite": non_finite.detect,
    "uninitialized": uninitialized.detect,
    "no_gradient": no_gradient.detect,
    "unused_parameter": no_gradient.detect_unused,
    "dead_units": inactive_units.detect_dead,
    "saturated_units": inactive_units.detect_saturated,
    "constant_units": inactive_units.detect_constant,
    "identical_tensors": identical_tensors.detect,
    "vanishing_signal": signal.detect_vanishing,
    "exploding_signal": signal.detect_exploding,
    "wrong_scale": wrong_scale.detect,
    "initial_loss": initial_loss.detect,
    "lost_updates": lost_updates.detect,
}
