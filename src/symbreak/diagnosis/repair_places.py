"""Where the incoming weights of a unit lie.

units                        parameters and entries of unit u
features of Linear           weight[u], bias[u]
packed projection [a:b]      in_proj_weight[a + u], in_proj_bias[a + u]
channels of Conv             weight[u], bias[u]; transposed: weight[group's inputs, u in group]
hidden units of RNN, cells   row u of each gate of weight_ih, weight_hh, bias_ih, bias_hh
heads of MultiheadAttention  the rows of query, key and value of head u
experts in a list            all parameters of member u
dimensions of an embedding   weight[:, u], the padding row left out
rows of a parameter itself   parameter[u]; parameter[:, u] where a product sums over axis 0
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from symbreak.diagnosis.finding import Finding
from symbreak.errors import InvalidInput

_PACKED = re.compile(r"(.*)\[(\d+):(\d+)\]")
_REGISTER = " rows are "  # how evidence speaks of rows of a table, all axes but the last
_CELL = re.compile(r"(?:(.*)\.)?(l\d+(?:_reverse)?)")


@dataclass(frozen=True)
class Part:
    """Entries of one parameter: `parameter[index]`."""

    parameter: str
    index: tuple[Any, ...]


def incoming(module: nn.Module, finding: Finding, unit: int) -> tuple[Part, ...]:
    """Return the parts that make the unit's own value; those that do not exist are left out.

    Raises
    ------
    InvalidInput
        The place of the finding is none of those above.
    """
    known = dict(module.named_parameters())
    parts = tuple(p for p in _parts(module, known, finding, unit) if p.parameter in known)
    if not parts:
        raise InvalidInput(
            "A place to repair must be a layer of torch.nn, a list of experts or a parameter. "
            f"Got {finding.where!r}: draw the weights of its units {list(finding.units)} anew "
            "yourself."
        )
    return parts


def _parts(
    module: nn.Module, known: dict[str, nn.Parameter], finding: Finding, unit: int
) -> Iterator[Part]:
    where = finding.where
    if packed := _PACKED.fullmatch(where):
        row = (int(packed[2]) + unit,)
        yield Part(packed[1], row)
        yield Part(packed[1].replace("weight", "bias"), row)
    elif (cell := _CELL.fullmatch(where)) and isinstance(
        owner := submodule(module, cell[1] or ""), nn.RNNBase
    ):
        yield from _recurrent(cell[1] or "", f"_{cell[2]}", owner, unit)
    elif where in known:
        yield Part(where, _rows(known[where], finding, unit))
    else:
        yield from _of_layer(where, submodule(module, where), unit)


def _of_layer(where: str, owner: nn.Module | None, unit: int) -> Iterator[Part]:
    weight, bias = joined(where, "weight"), joined(where, "bias")
    if isinstance(owner, nn.RNNCellBase):
        yield from _recurrent(where, "", owner, unit)
    elif isinstance(owner, nn.MultiheadAttention):
        yield from _head(where, owner, unit)
    elif isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        rows = [row for row in range(owner.num_embeddings) if row != owner.padding_idx]
        yield Part(weight, (rows, unit))
    elif isinstance(owner, nn.ModuleList | nn.ModuleDict):
        name, member = list(owner.named_children())[unit]
        for each, _ in member.named_parameters():
            yield Part(joined(joined(where, name), each), ())
    elif isinstance(owner, _ConvNd) and owner.transposed:
        ins, outs = owner.in_channels // owner.groups, owner.out_channels // owner.groups
        group, channel = divmod(unit, outs)
        yield Part(weight, (slice(group * ins, (group + 1) * ins), channel))
        yield Part(bias, (unit,))
    elif owner is not None:
        yield Part(weight, (unit,))
        yield Part(bias, (unit,))


def _recurrent(where: str, suffix: str, owner: Any, unit: int) -> Iterator[Part]:
    if getattr(owner, "proj_size", 0):
        yield Part(joined(where, f"weight_hr{suffix}"), (unit,))
        return
    rows = slice(unit, None, owner.hidden_size)  # the unit in each gate
    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        yield Part(joined(where, kind + suffix), (rows,))


def _head(where: str, owner: nn.MultiheadAttention, unit: int) -> Iterator[Part]:
    width, size = owner.embed_dim, owner.head_dim
    for part, letter in enumerate("qkv"):
        first = part * width + unit * size
        packed = (slice(first, first + size),)
        yield Part(joined(where, "in_proj_weight"), packed)
        yield Part(joined(where, "in_proj_bias"), packed)
        alone = (slice(unit * size, (unit + 1) * size),)
        yield Part(joined(where, f"{letter}_proj_weight"), alone)


def _rows(parameter: Tensor, finding: Finding, unit: int) -> tuple[Any, ...]:
    """Return the row or the column of the unit: that in which the units of the finding agree."""
    if _REGISTER in finding.evidence:
        return tuple(int(i) for i in np.unravel_index(unit, parameter.shape[:-1]))
    units = [u for u in finding.units if isinstance(u, int)]
    if parameter.dim() == 2 and max(units) < parameter.shape[1]:
        columns = parameter.detach()[:, units].abs().T
        rows = parameter.detach()[units].abs() if max(units) < len(parameter) else None
        if _equal(columns) and (rows is None or not _equal(rows)):
            return (slice(None), unit)
    return (unit,)


def _equal(rows: Tensor) -> bool:
    return bool(torch.allclose(rows, rows[:1].expand_as(rows)))


def joined(where: str, leaf: str) -> str:
    """Return the qualified name of what stands in `where`."""
    return f"{where}.{leaf}" if where else leaf


def submodule(module: nn.Module, name: str) -> nn.Module | None:
    """Return the part of this name, None where there is none."""
    try:
        return module.get_submodule(name)
    except AttributeError:
        return None
