"""initial_loss: J at the start is far from what a prediction that knows nothing gives.

The value of knowing nothing is the least loss of a few constant outputs c:
    targets are classes (whole numbers):  c = -ln C, log-probabilities of C equal classes;
        cross-entropy, which a constant shift does not change, and nll_loss give ln C
    targets are numbers:  c = 0 and c = mean of the targets, which for squared error gives their
        variance, for binary cross-entropy on logits ln 2
Threshold: J above 2 x or below half of it: warning. Source: TheDeepChecker (Ben Braiek and Khomh
2023), off by 100 % or more; below half, targets leak into the inputs or the loss is scaled.
Silent where all targets are one number or class (the generator's step of a GAN: there is nothing to
know), a step was given, the output is no tensor, or the loss of a constant cannot be had.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from symbreak.findings import Finding
from symbreak.modules.observation.observed import Observed

FACTOR = 2.0
REMEDY = (
    "If it is too high, shrink the last layer's weights and set its bias to the mean of the "
    "targets (for classes the log of their shares), or standardise the targets; if too low, look "
    "for targets among the inputs."
)


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield a finding where the loss is off by the factor or more."""
    nothing = value_of_knowing_nothing(observed.loss, observed.output, observed.targets)
    if nothing is None or not math.isfinite(observed.loss_value) or nothing <= 0:
        return
    ratio = observed.loss_value / nothing
    if not 1 / FACTOR <= ratio <= FACTOR:
        evidence = (
            f"the loss is {observed.loss_value:.4g}, {ratio:.3g} x the {nothing:.4g} of a constant "
            "prediction"
        )
        yield Finding("initial_loss", "warning", "", (), None, evidence, REMEDY)


def value_of_knowing_nothing(
    loss: Callable[[Any, Any], Any] | None, output: Any, targets: Any
) -> float | None:
    """Return the least loss of the constant outputs, None where it cannot be had.

    Parameters
    ----------
    loss : takes (output, targets) and returns a scalar.
    output : (samples, ...), what the module returned.
    targets : classes as whole numbers, or numbers.
    """
    if loss is None or not isinstance(output, Tensor) or not isinstance(targets, Tensor):
        return None
    if targets.numel() > 1 and bool((targets == targets.flatten()[0]).all()):
        return None
    values = [_loss_of(loss, constant, targets) for constant in _constants(output, targets)]
    finite = [value for value in values if math.isfinite(value)]
    return min(finite, default=None)


def _constants(output: Tensor, targets: Tensor) -> Iterator[Tensor]:
    if not output.is_floating_point() or not output.numel():
        return
    if targets.is_floating_point():
        yield torch.zeros_like(output)
        if targets.shape == output.shape:
            yield targets.to(output.dtype).mean(dim=0, keepdim=True).expand_as(output).contiguous()
    elif output.dim() > 1:
        yield torch.full_like(output, -math.log(output.shape[1]))


def _loss_of(loss: Callable[[Any, Any], Any], constant: Tensor, targets: Tensor) -> float:
    try:
        with torch.no_grad():
            return float(loss(constant, targets))
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError):
        # A person's loss may ask more of the output than a constant has.
        return math.nan
