"""Which units agree: equal, or equal with all signs flipped, in everything that was seen of them.

Conventions
-----------
rows : (units, samples), several of them (activations, deltas); units i, j agree with sign s when
    rms(a_i - s a_j) <= tolerance * max(rms(a_i), rms(a_j)) + 8 eps max over the layer of rms(a)
    holds for each of them. A unit that gives nothing agrees with every other that gives nothing.
group : ((unit, sign), ...), the first with sign +1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Group = tuple[tuple[int, int], ...]
_KEYS = 2  # random projections of each kind of rows by which units are sorted
_WIDE = 6.0  # a projection differs rarely by more than so many times the rms difference
# What rounding leaves of equality within one pass.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5, torch.bfloat16: 3e-2, torch.float16: 4e-3}

# Half precision has too few digits to show small differences: there only equal bits count.
EXACT = {**TOLERANCE, torch.bfloat16: 0.0, torch.float16: 0.0}


def agreeing_groups(rows: Sequence[Tensor], tolerance: float) -> tuple[Group, ...]:
    """Return the groups of two and more units that agree, the cost being units * samples."""
    wide = [_wide(r) for r in rows]
    groups = []
    for bucket in _buckets(wide, tolerance):
        groups.extend(_split(bucket, wide, tolerance))
    return tuple(sorted(groups))


def still_agreeing(group: Group, rows: Sequence[Tensor], tolerance: float) -> tuple[Group, ...]:
    """Return the parts of a group that agree in other rows, with the signs of the group."""
    wide = [_wide(r) for r in rows]
    units = [unit for unit, _ in group]
    signs = torch.tensor([float(sign) for _, sign in group], device="cpu").to(wide[0])[:, None]
    parts = _split(list(range(len(group))), [r[units] * signs for r in wide], tolerance, (1,))
    return tuple(tuple(group[k] for k, _ in part) for part in parts)


def _wide(rows: Tensor) -> Tensor:
    # Half precision cannot hold the squares; accelerators may lack float64.
    return rows if rows.dtype == torch.float64 else rows.float()


def _buckets(rows: Sequence[Tensor], tolerance: float) -> list[list[int]]:
    """Return sets of units that may agree, by their sorted projections without sign."""
    labels = torch.zeros(len(rows[0]), dtype=torch.long, device="cpu")
    generator = torch.Generator().manual_seed(0)
    for r in rows:
        size = (r.square().mean(1).sqrt() * tolerance + _floor(r)).double().cpu()
        for _ in range(_KEYS):
            weights = torch.randn(r.shape[1], generator=generator, device="cpu").to(r)
            key = ((r @ weights).abs() / max(r.shape[1], 1) ** 0.5).double().cpu()
            labels = _refined(labels, key, _WIDE * size)
    order = torch.argsort(labels, stable=True)
    counts = torch.unique_consecutive(labels[order], return_counts=True)[1]
    return [part.tolist() for part in order.split(counts.tolist()) if len(part) > 1]


def _refined(labels: Tensor, key: Tensor, reach: Tensor) -> Tensor:
    order = torch.argsort(key, stable=True)
    order = order[torch.argsort(labels[order], stable=True)]
    sorted_key, sorted_labels, sorted_reach = key[order], labels[order], reach[order]
    near = torch.maximum(sorted_reach[1:], sorted_reach[:-1])
    apart = (sorted_key.diff() > near) | (sorted_labels.diff() != 0)
    fresh = torch.empty_like(labels)
    fresh[order] = torch.cat([torch.zeros_like(labels[:1]), apart.long().cumsum(0)])
    return fresh


def _split(
    bucket: list[int], rows: Sequence[Tensor], tolerance: float, signs: tuple[int, ...] = (1, -1)
) -> list[Group]:
    floors = [_floor(r) for r in rows]
    left = torch.tensor(bucket, device=rows[0].device)
    groups = []
    while len(left) > 1:
        first, rest = left[0], left[1:]
        group = [(int(first), 1)]
        free = torch.ones_like(rest, dtype=torch.bool)
        for sign in signs:
            agree = free.clone()
            for r, floor in zip(rows, floors, strict=True):
                agree &= _agree(r[rest], sign * r[first], tolerance, floor)
            group.extend((unit, sign) for unit in rest[agree].tolist())
            free &= ~agree
        if len(group) > 1:
            groups.append(tuple(sorted(group)))
        left = rest[free]
    return groups


def _agree(many: Tensor, one: Tensor, tolerance: float, floor: float) -> Tensor:
    size = torch.maximum(many.square().mean(1), one.square().mean()).sqrt()
    return (many - one).square().mean(1).sqrt() <= tolerance * size + floor


def _floor(rows: Tensor) -> float:
    if rows.numel() == 0:
        return 0.0
    return 8 * torch.finfo(rows.dtype).eps * float(rows.square().mean(1).sqrt().max())
