"""Units that do not take part: dead, saturated, constant.

dead_units: units of relu and its kin that give zero on every sample, so that nothing moves them.

Threshold: the value is exactly 0 on all samples of the batch (TheDeepChecker: the 95th
percentile below 1e-5; SageMaker Debugger: active on less than 1 %). Levels: note; warning from
half of the layer on (both tools); error if it is the whole layer, which then lets no gradient
through. Fewer than `FEWEST` samples say nothing about single units, one sample nothing at all.
Units are what a layer gave to the function or what a layer reads of it; the rest are margins and
penalties of a loss, where zero is a constraint that is satisfied. Source: Lu, Shin, Su and
Karniadakis 2019 (1903.06733): a whole dead layer is dead for ever; a single unit may be alive on
other data.

saturated_units: sigmoid and tanh units that sit on their flat ends, where the slope is near 0.

Threshold: |z| > 5 on at least 95 % of the samples (DeepDiagnosis: |z| > 5; the slope of tanh
there is below 2e-4, of sigmoid below 7e-3 against 1/4). Levels: note; warning from half of the
layer on (SageMaker Debugger and DeepDiagnosis); error if no unit of the layer has a slope above
the rounding of the dtype on any sample: z beyond about 9 for tanh and 17 for sigmoid in float32,
as in SageMaker Debugger's SaturatedActivation rule.

constant_units: units that give the same number for every sample: nothing of the input is in
them.

Threshold: largest minus least value over the samples within 16 roundings of the largest. Levels:
note; warning where no gradient arrives at half of the layer or more (the share of SageMaker
Debugger's rules). A zero head is constant too, and moves at once. A layer whose weights all are
zero is a note: gates and control branches begin so (adaLN-zero, ControlNet), and whether they stay
so `no_gradient` finds out by real updates. Left out: rows of embeddings and
registers, whose samples are not those of the batch, and units of relu (see dead_units). Source: our
own; cf. torchtest's output_varies.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from symbreak.findings import Finding
from symbreak.modules.observation.observed import (
    CONV,
    LINEAR,
    RECURRENT,
    NonlinearCall,
    Observed,
    Site,
)

WHOLE_LAYER = 0.5  # SageMaker Debugger: a layer is dead or saturated when half of its units are
ROUNDINGS = 16  # a sum that should be equal for two samples differs by a few roundings
RECTIFIERS = ("relu", "relu_", "relu6", "threshold", "threshold_", "hardtanh", "hardtanh_")
FEWEST = 8
DEAD_REMEDY = (
    "Draw their incoming weights anew around zero and their biases at zero or slightly above."
)
FLAT = 5.0
SHARE_OF_SAMPLES = 0.95
SATURATED_REMEDY = (
    "Draw the incoming weights with a smaller spread, or standardise what the layer reads."
)
KINDS = (LINEAR, CONV, RECURRENT)
CONSTANT_REMEDY = (
    "Draw their incoming weights at random; if those are, look at what the layer reads."
)


def detect_dead(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for each call of a relu with units that are zero on every sample."""
    for call in observed.calls:
        if call.function in RECTIFIERS and call.after.numel() and (call.site or call.read):
            yield from _dead(observed, call)


def _dead(observed: Observed, call: NonlinearCall) -> Iterator[Finding]:
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
    yield Finding("dead_units", level, where, chosen, permanent, evidence, DEAD_REMEDY, axis=axis)


def detect_saturated(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for each call of tanh or sigmoid with saturated units."""
    for call in observed.calls:
        if call.function.rstrip("_") in ("tanh", "sigmoid") and call.before.numel():
            yield from _saturated(observed, call)


def _saturated(observed: Observed, call: NonlinearCall) -> Iterator[Finding]:
    saturated = (call.before.abs() > FLAT).double().mean(dim=1) >= SHARE_OF_SAMPLES
    units, n_saturated = len(saturated), int(saturated.sum())
    if not n_saturated:
        return
    flat = bool((_slope(call) <= torch.finfo(call.before.dtype).eps).all())
    share = n_saturated / units
    evidence = (
        f"{n_saturated} of {units} units of {call.function} have |z| > {FLAT:g} on at least "
        f"{SHARE_OF_SAMPLES:.0%} of the samples; median |z| of theirs "
        f"{float(call.before[saturated].abs().double().median()):.3g}"
    )
    where = call.site or call.name
    level = level_of(share, stuck=flat)
    permanent = True if flat and share == 1 else None
    chosen, axis = indices(saturated), observed.axis_of(where)
    yield Finding(
        "saturated_units", level, where, chosen, permanent, evidence, SATURATED_REMEDY, axis=axis
    )


def _slope(call: NonlinearCall) -> Tensor:
    """Return the derivative, in a form that does not cancel; largest 1."""
    z = call.before.double()
    if call.function.startswith("tanh"):
        return 1 / torch.cosh(z.clamp(-300, 300)) ** 2
    return 4 * torch.sigmoid(z) * torch.sigmoid(-z)


def detect_constant(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for each site with constant units, or two where some still move."""
    for site in observed.sites:
        if site.kind in KINDS and site.activations.shape[1] > 1:
            yield from _constant(observed, site, zero=_is_zero(observed, site))


def _is_zero(observed: Observed, site: Site) -> bool:
    """Return whether the site multiplies what it reads by nothing but zeros."""
    weights = [
        p.value for p in observed.parameters if p.name in site.parameters and p.value.dim() > 1
    ]
    return bool(weights) and not any(bool(value.any()) for value in weights)


def _constant(observed: Observed, site: Site, zero: bool) -> Iterator[Finding]:
    constant = unchanging(site.activations)
    reached = (site.deltas != 0).any(dim=1)
    stuck = constant & ~reached
    worst = "note" if zero else level_of(float(stuck.double().mean()), stuck=False)
    for level, chosen, moved in (
        (worst, stuck, "no gradient arrives"),
        ("note", constant & reached, "a gradient arrives, so they will move"),
    ):
        if units := indices(chosen):
            values = site.activations[chosen, 0].double()
            evidence = (
                f"{len(units)} of {len(constant)} units are equal on all "
                f"{site.activations.shape[1]} samples, from {float(values.min()):.3g} to "
                f"{float(values.max()):.3g}; {moved}"
            )
            # `False` would promise too much: the gradient may leave the input's weights at zero.
            axis = observed.axis_of(site.name, site.kind)
            yield Finding(
                "constant_units",
                level,
                site.name,
                units,
                None,
                evidence,
                CONSTANT_REMEDY,
                axis=axis,
            )


def indices(mask: Tensor) -> tuple[int, ...]:
    """Return the indices at which a vector of booleans is true."""
    return tuple(int(i) for i in mask.nonzero().flatten())


def level_of(share: float, stuck: bool) -> str:
    """Return "error" if the whole layer is `stuck`, "warning" from half of it on, else "note"."""
    if stuck and share == 1:
        return "error"
    return "warning" if share >= WHOLE_LAYER else "note"


def variation(values: Tensor) -> Tensor:
    """Return the standard deviation over samples of every unit; values is (units, samples)."""
    return values.double().std(dim=1, correction=0)


def unchanging(values: Tensor) -> Tensor:
    """Return which units are the same for all samples, up to rounding; values (units, samples)."""
    wide = values.double()
    rounding = ROUNDINGS * torch.finfo(values.dtype).eps
    return (wide.amax(1) - wide.amin(1)) <= rounding * wide.abs().amax(1)
