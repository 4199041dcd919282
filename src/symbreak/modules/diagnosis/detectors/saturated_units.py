"""saturated_units: sigmoid and tanh units that sit on their flat ends, where the slope is near 0.

Threshold: |z| > 5 on at least 95 % of the samples (DeepDiagnosis: |z| > 5; the slope of tanh
there is below 2e-4, of sigmoid below 7e-3 against 1/4). Levels: note; warning from half of the
layer on (SageMaker Debugger and DeepDiagnosis); error if no unit of the layer has a slope above
the rounding of the dtype on any sample: z beyond about 9 for tanh and 17 for sigmoid in float32,
as in SageMaker Debugger's SaturatedActivation rule.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from symbreak.findings import Finding
from symbreak.modules.diagnosis.detectors.layers import indices, level_of
from symbreak.modules.observation.observed import NonlinearCall, Observed

LIMIT = 5.0
SHARE_OF_SAMPLES = 0.95
REMEDY = "Draw the incoming weights with a smaller spread, or standardise what the layer reads."


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for each call of tanh or sigmoid with saturated units."""
    for call in observed.calls:
        if call.function.rstrip("_") in ("tanh", "sigmoid") and call.before.numel():
            yield from _of_call(observed, call)


def _of_call(observed: Observed, call: NonlinearCall) -> Iterator[Finding]:
    saturated = (call.before.abs() > LIMIT).double().mean(dim=1) >= SHARE_OF_SAMPLES
    units, n_saturated = len(saturated), int(saturated.sum())
    if not n_saturated:
        return
    flat = bool((_slope(call) <= torch.finfo(call.before.dtype).eps).all())
    share = n_saturated / units
    evidence = (
        f"{n_saturated} of {units} units of {call.function} have |z| > {LIMIT:g} on at least "
        f"{SHARE_OF_SAMPLES:.0%} of the samples; median |z| of theirs "
        f"{float(call.before[saturated].abs().double().median()):.3g}"
    )
    where = call.site or call.name
    level = level_of(share, stuck=flat)
    permanent = True if flat and share == 1 else None
    chosen, axis = indices(saturated), observed.axis_of(where)
    yield Finding("saturated_units", level, where, chosen, permanent, evidence, REMEDY, axis=axis)


def _slope(call: NonlinearCall) -> Tensor:
    """Return the derivative, in a form that does not cancel; largest 1."""
    z = call.before.double()
    if call.function.startswith("tanh"):
        return 1 / torch.cosh(z.clamp(-300, 300)) ** 2
    return 4 * torch.sigmoid(z) * torch.sigmoid(-z)
