"""uninitialized: memory that was allocated and never written (`to_empty`, `skip_init`, meta).

Thresholds
    - one entry above sqrt(largest number of the dtype), where a square overflows (1.8e19 in
      float32 and bfloat16, 256 in float16): error. The rules of `torch.nn.init` draw a few standard
      deviations at most. A random word of 32 bits exceeds it with probability 1/4.
    - 1 % of entries denormal (not in float16, where honest weights are): error in a start. A
      pointer read as float32 or float64 is denormal; a normal draw is so with probability 1e-38.
    - the parameter is on the meta device, without memory: error.
Source: our own, from what allocators leave behind; the complaint is common (nanochat#686,
transformers#44575). Fresh memory that happens to hold zeros, or the weights of a freed tensor,
cannot be told from an intended value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch

from symbreak.findings import Finding
from symbreak.modules.diagnosis.tensor_stats import TensorStats, stats_of
from symbreak.modules.diagnosis.writes import first_values
from symbreak.modules.observation.observed import Observed

DENORMAL_SHARE = 0.01
REMEDY = "Load this parameter, or write it by the rule of its role; leave the others as they are."


def largest_sound(dtype: torch.dtype) -> float:
    """Return the size above which an entry is taken for memory that was never written."""
    return math.sqrt(torch.finfo(dtype).max)


def of_stats(where: str, stats: TensorStats) -> Finding | None:
    """Return the finding for one tensor, or None where it looks written."""
    evidence = _evidence(stats)
    if not evidence:
        return None
    return Finding("uninitialized", "error", where, (), None, evidence, REMEDY)


def _evidence(stats: TensorStats) -> str:
    if stats.meta:
        return "it is on the meta device: it has a shape and no memory"
    limit = largest_sound(stats.dtype)
    if stats.largest > limit:
        return f"an entry of {stats.largest:.3g}, above {limit:.3g}, whose square overflows"
    if stats.denormal and stats.denormal >= DENORMAL_SHARE * stats.count:
        return f"{stats.denormal} of {stats.count} entries are denormal"
    return ""


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield parameters whose content looks like memory that nobody wrote."""
    for parameter in observed.parameters:
        if parameter.value.is_floating_point():
            finding = of_stats(parameter.name, stats_of(parameter.value))
            if finding is not None:
                yield replace(finding, **vars(first_values(observed, parameter)))
