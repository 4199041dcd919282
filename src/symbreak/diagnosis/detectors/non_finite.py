"""non_finite: a NaN or an infinity in parameters, gradients, activations or the loss.

Threshold: one entry. Source: DeepLocalize (Wardat, Le and Rajan 2021) and SageMaker Debugger's
ExplodingTensor rule stop at the first one. It is permanent: NaN meets every later sum it enters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from symbreak.diagnosis.finding import Finding
from symbreak.observation.observed import Observed

REMEDY = "Set the parameter anew from a rule that draws finite numbers."


def of_count(where: str, bad: int, count: int, what: str = "entries") -> Finding:
    """Return the finding for `bad` of `count` entries."""
    evidence = f"{bad} of {count} {what} are NaN or infinite"
    return Finding("non_finite", "error", where, (), True, evidence, REMEDY)


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield parameters, then gradients, then the first site and the loss that are not finite."""
    for parameter in observed.parameters:
        if bad := _bad(parameter.value):
            yield of_count(parameter.name, bad, parameter.value.numel())
        elif parameter.grad is not None and (bad := _bad(parameter.grad)):
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
