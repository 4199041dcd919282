"""Activations and deltas of units, as they come: one record for each call, one site for each place.

A delta comes with the backward pass, through a hook on the very tensor of the call; the hook lives
and dies with the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from symbreak.modules.observation.observed import Site

ByUnits = Callable[[Tensor], Tensor]


@dataclass
class _Record:
    activations: Tensor
    parameters: tuple[str, ...]
    deltas: Tensor | None = None


class Records:
    """Collects what units gave out and what came back."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], list[_Record]] = {}

    def add(
        self,
        name: str,
        kind: str,
        output: Tensor,
        by_units: ByUnits,
        parameters: tuple[str, ...] = (),
    ) -> None:
        """Record one call; `by_units` brings a tensor like `output` to (units, samples)."""
        if not output.is_floating_point():
            return
        record = _Record(by_units(output.detach()).clone(), parameters)
        self._records.setdefault((name, kind), []).append(record)
        if output.requires_grad:

            def arrived(delta: Tensor) -> None:
                record.deltas = by_units(delta.detach()).clone()

            output.register_hook(arrived)

    def sites(self) -> tuple[Site, ...]:
        """Return one site for each place; calls with another number of units drop out."""
        return tuple(_site(*key, records) for key, records in self._records.items())


def _site(name: str, kind: str, records: list[_Record]) -> Site:
    alike = [r for r in records if len(r.activations) == len(records[0].activations)]
    deltas = [torch.zeros_like(r.activations) if r.deltas is None else r.deltas for r in alike]
    activations = torch.cat([r.activations for r in alike], dim=1)
    parameters = tuple(dict.fromkeys(name for r in alike for name in r.parameters))
    return Site(name, kind, activations, torch.cat(deltas, dim=1), parameters)


def along(axis: int) -> ByUnits:
    """Return what brings a tensor to (units, samples), the units along `axis`."""
    return lambda tensor: tensor.movedim(axis, 0).reshape(tensor.shape[axis], -1)
