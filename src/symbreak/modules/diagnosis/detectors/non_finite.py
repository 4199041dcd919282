"""non_finite: a NaN or an infinity in parameters, gradients, activations or the loss.

Threshold: one entry. Source: DeepLocalize (Wardat, Le and Rajan 2021) and SageMaker Debugger's
ExplodingTensor rule stop at the first one. It is permanent: NaN meets every later sum it enters.
Parameters are the cause where any are not finite, else the batch; what follows is not listed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from symbreak.findings import Finding
from symbreak.modules.containers import tensors_of
from symbreak.modules.diagnosis.writes import first_values
from symbreak.modules.observation.observed import Observed

BATCH = "Take those examples out, or have the module and the loss pass over them."
REMEDY = "Set the parameter anew from a rule that draws finite numbers."


def of_count(where: str, bad: int, count: int, what: str = "entries") -> Finding:
    """Return the finding for `bad` of `count` entries."""
    evidence = f"{bad} of {count} {what} are NaN or infinite"
    return Finding("non_finite", "error", where, (), True, evidence, REMEDY)


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield the first cause: parameters, else the batch, else gradients, a site and the loss."""
    sick = [(p, bad) for p in observed.parameters if (bad := _bad(p.value))]
    if sick:
        for p, bad in sick:
            sound = first_values(observed, p)
            finding = of_count(p.name, bad, p.value.numel())
            yield replace(finding, std=sound.std, value=sound.value)
        return
    effects = list(_effects(observed))
    cause = _of_batch(observed.batch) if effects else None
    yield from effects if cause is None else [cause]


def _of_batch(batch: Any) -> Finding | None:
    tensors = list(tensors_of(batch))
    bad, count = sum(map(_bad, tensors)), sum(tensor.numel() for tensor in tensors)
    if not bad:
        return None
    evidence = f"{bad} of {count} entries of the batch are NaN or infinite; so is J or its gradient"
    return Finding("non_finite", "error", "", (), None, evidence, BATCH)


def _effects(observed: Observed) -> Iterator[Finding]:
    """Yield gradients, the first site and the loss that are not finite."""
    for parameter in observed.parameters:
        if parameter.grad is not None and (bad := _bad(parameter.grad)):
            what = "entries of the gradient"
            yield of_count(parameter.name, bad, parameter.grad.numel(), what)
    for site in observed.sites:
        if bad := _bad(site.activations):
            # What comes after it is not finite because this is not.
            yield of_count(site.name, bad, site.activations.numel(), "activations")
            break
    if not math.isfinite(observed.loss_value):
        remedy = "Find the first site above that is not finite; else look at the loss and the data."
        yield Finding(
            "non_finite", "error", "", (), None, f"the loss is {observed.loss_value}", remedy
        )


def _bad(values: Tensor) -> int:
    if values.is_meta or not values.is_floating_point() or not values.numel():
        return 0
    if bool(torch.isfinite(values.detach().abs().amax())):
        return 0
    return int((~values.isfinite()).sum())
