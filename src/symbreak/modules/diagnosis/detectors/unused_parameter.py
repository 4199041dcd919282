"""unused_parameter: a parameter that asks for a gradient and is used by no function.

Threshold: no function took it during the pass. Level: warning, since the branch may be used on
other data; distributed training in PyTorch stops at such parameters. Source: the check
`find_unused_parameters` of `torch.nn.parallel.DistributedDataParallel`.
"""

from __future__ import annotations

from collections.abc import Iterator

from symbreak.findings import Finding
from symbreak.modules.observation.observed import Observed

REMEDY = "Use it in forward, freeze it, or take it out of the module."


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield trained parameters that no function used."""
    for parameter in observed.parameters:
        if parameter.trained and parameter.role == "unused":
            evidence = f"none of its {parameter.value.numel()} entries was used on this batch"
            call = f"module.get_parameter({parameter.name!r}).requires_grad_(False)"
            yield Finding(
                "unused_parameter", "warning", parameter.name, (), None, evidence, REMEDY, call
            )
