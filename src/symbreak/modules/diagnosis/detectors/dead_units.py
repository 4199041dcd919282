"""dead_units: units of relu and its kin that give zero on every sample, so that nothing moves them.

Threshold: the value is exactly 0 on all samples of the batch (TheDeepChecker: the 95th
percentile below 1e-5; SageMaker Debugger: active on less than 1 %). Levels: note; warning from
half of the layer on (both tools); error if it is the whole layer, which then lets no gradient
through. Fewer than `FEWEST` samples say nothing about single units, one sample nothing at all.
Units are what a layer gave to the function or what a layer reads of it; the rest are margins and
penalties of a loss, where zero is a constraint that is satisfied. Source: Lu, Shin, Su and
Karniadakis 2019 (1903.06733): a whole dead layer is dead for ever; a single unit may be alive on
other data.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbreak.findings import Finding
from symbreak.modules.diagnosis.detectors.layers import indices, level_of
from symbreak.modules.observation.observed import NonlinearCall, Observed

FUNCTIONS = ("relu", "relu_", "relu6", "threshold", "threshold_", "hardtanh", "hardtanh_")
FEWEST = 8
REMEDY = "Draw their incoming weights anew around zero and their biases at zero or slightly above."


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for each call of a relu with units that are zero on every sample."""
    for call in observed.calls:
        if call.function in FUNCTIONS and call.after.numel() and (call.site or call.read):
            yield from _of_call(observed, call)


def _of_call(observed: Observed, call: NonlinearCall) -> Iterator[Finding]:
    # hardtanh passes negative numbers on; it is dead only where it is flat, at zero for relu6.
    dead = ((call.after == 0) & (call.before <= 0)).all(dim=1)
    units, samples = call.after.shape
    n_dead = int(dead.sum())
    if not n_dead or samples == 1 or (samples < FEWEST and n_dead < units):
        return
    share = n_dead / units
    evidence = (
        f"{n_dead} of {units} units of {call.function} are zero on all {samples} samples; "
        f"largest argument {float(call.before[dead].max()):.3g}"
    )
    permanent = True if share == 1 else None
    level = level_of(share, stuck=True)
    where = call.site or call.name
    chosen, axis = indices(dead), observed.axis_of(where)
    yield Finding("dead_units", level, where, chosen, permanent, evidence, REMEDY, axis=axis)
