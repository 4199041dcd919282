"""Rows that J knows by their sum alone, such as output biases of an ensemble that is averaged.

One may be raised by what another is lowered, and J stays: they are one number, written as a sum.
Equal ones lose nothing by it, and drawing them apart would gain nothing. Rows that are used apart,
such as tokens that attention reads, change J then.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from symbreak.modules.cost.parameters import copied
from symbreak.modules.diagnosis.agreement import Group
from symbreak.modules.observation.observe import refined
from symbreak.modules.observation.observed import Observed, leading_axis
from symbreak.modules.observation.reruns import REFUSALS, Reruns

DRAWS = 2


def known_apart(observed: Observed, name: str, groups: Sequence[Group]) -> tuple[Group, ...]:
    """Return the groups of rows of a parameter that J does not know by their sum alone."""
    if observed.step is None or not groups:
        return tuple(groups)
    module, batch = refined(observed.module, observed.batch)
    is_fine = module is observed.module
    reruns = observed.reruns if is_fine else Reruns(module, observed.step, batch)
    return tuple(group for group in groups if not _is_known_by_its_sum(reruns, module, name, group))


def _is_known_by_its_sum(reruns: Reruns, module: nn.Module, name: str, group: Group) -> bool:
    """Tell whether J stays where rows of a parameter are moved and their signed sum is kept."""
    try:
        (before,) = reruns.values(1)
        after = [reruns.of(_moved(module, name, group, seed)).J for seed in range(DRAWS)]
    except REFUSALS:
        return False
    eps = torch.finfo(dict(module.named_parameters())[name].dtype).eps
    return all(abs(J - before) <= eps**0.5 * max(1.0, abs(before)) for J in after)


def _moved(module: nn.Module, name: str, group: Group, seed: int) -> nn.Module:
    own = copied(module)
    rows = dict(own.named_parameters())[name].detach()  # scripted parts know no get_parameter
    rows = rows.movedim(leading_axis(rows), 0)
    signs = rows.new_tensor([sign for _, sign in group]).reshape(-1, *[1] * (rows.dim() - 1))
    stream = torch.Generator().manual_seed(seed)
    noise: Tensor = torch.randn((len(group), *rows.shape[1:]), generator=stream, device="cpu")
    noise = noise.to(rows)
    rows[[unit for unit, _ in group]] += noise - signs * (signs * noise).mean(0)
    return own
