"""Experts in a list: parts of a ModuleList that are built alike and get the same input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from symbreak.modules.hooks import is_scripted, is_transformed
from symbreak.modules.observation.observed import EXPERTS, Site
from symbreak.modules.observation.recorder import first_tensor
from symbreak.modules.observation.records import Records


@dataclass
class _Call:
    argument: Tensor
    output: Tensor
    records: Records


class ExpertLists:
    """Watches the members of every list of parts."""

    def __init__(self, module: nn.Module) -> None:
        self._lists = {
            name: dict(part.named_children())
            for name, part in module.named_modules()
            if isinstance(part, nn.ModuleList | nn.ModuleDict) and _alike(list(part.children()))
            if not any(map(is_scripted, part.children()))
        }
        self._calls: dict[tuple[str, int], list[_Call]] = {}

    def hooks(self) -> Iterator[RemovableHandle]:
        """Register hooks that record what members get and give."""
        for name, members in self._lists.items():
            for k, member in enumerate(members.values()):

                def called(
                    _part: nn.Module, args: Any, kwargs: Any, output: Any, key: Any = (name, k)
                ) -> None:
                    argument, out = first_tensor((*args, *kwargs.values())), first_tensor(output)
                    if argument is not None and out is not None and not is_transformed():
                        records = Records()
                        records.add(str(key), EXPERTS, out, lambda t: t.reshape(1, -1))
                        self._calls.setdefault(key, []).append(_Call(argument, out, records))

                yield member.register_forward_hook(called, with_kwargs=True)

    def sites(self) -> Iterator[Site]:
        """Yield a site for every list whose members stand side by side."""
        for name, members in self._lists.items():
            calls = [self._calls.get((name, k), []) for k in range(len(members))]
            if calls[0] and all(len(c) == len(calls[0]) for c in calls) and _parallel(calls):
                seen = [[c.records.sites()[0] for c in member] for member in calls]
                yield Site(
                    name,
                    EXPERTS,
                    torch.stack([torch.cat([s.activations[0] for s in m]) for m in seen]),
                    torch.stack([torch.cat([s.deltas[0] for s in m]) for m in seen]),
                    tuple(
                        f"{name}.{key}.{p}" if name else f"{key}.{p}"
                        for key, member in members.items()
                        for p, _ in member.named_parameters()
                    ),
                )


def _alike(members: list[nn.Module]) -> bool:
    if len(members) < 2:
        return False
    forms = [[(n, p.shape) for n, p in member.named_parameters()] for member in members]
    kinds = {type(member) for member in members}
    distinct = len({id(m) for m in members}) == len(members)
    return distinct and len(kinds) == 1 and bool(forms[0]) and all(f == forms[0] for f in forms)


def _parallel(calls: list[list[_Call]]) -> bool:
    outputs = {id(call.output) for member in calls for call in member}
    for at_once in zip(*calls, strict=True):
        first = at_once[0]
        for call in at_once:
            if id(call.argument) in outputs or call.output.shape != first.output.shape:
                return False
            same = call.argument is first.argument
            if not same and not (
                call.argument.shape == first.argument.shape
                and torch.equal(call.argument, first.argument)
            ):
                return False
    return True
