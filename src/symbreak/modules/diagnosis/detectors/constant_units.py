"""constant_units: units that give the same number for every sample: nothing of the input is in
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

from symbreak.findings import Finding
from symbreak.modules.diagnosis.detectors.layers import indices, level_of, unchanging
from symbreak.modules.observation.observed import CONV, LINEAR, RECURRENT, Observed, Site

KINDS = (LINEAR, CONV, RECURRENT)
REMEDY = "Draw their incoming weights at random; if those are, look at what the layer reads."


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield one finding for each site with constant units, or two where some still move."""
    for site in observed.sites:
        if site.kind in KINDS and site.activations.shape[1] > 1:
            yield from _of_site(observed, site, zero=_zero(observed, site))


def _zero(observed: Observed, site: Site) -> bool:
    """Return whether the site multiplies what it reads by nothing but zeros."""
    weights = [
        p.value for p in observed.parameters if p.name in site.parameters and p.value.dim() > 1
    ]
    return bool(weights) and not any(bool(value.any()) for value in weights)


def _of_site(observed: Observed, site: Site, zero: bool) -> Iterator[Finding]:
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
                "constant_units", level, site.name, units, None, evidence, REMEDY, axis=axis
            )
