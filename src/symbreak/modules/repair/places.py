"""Where the incoming weights of a unit lie.

units                        parameters and entries of unit u
features of Linear           weight[u], bias[u]
packed projection [a:b]      in_proj_weight[a + u], in_proj_bias[a + u]
channels of Conv             weight[u], bias[u]; transposed: weight[group's inputs, u in group]
of a layer of your own       its one weight and the bias of it, as its registered role tells
hidden units of RNN, cells   row u of each gate of weight_ih, weight_hh, bias_ih, bias_hh
heads of MultiheadAttention  the rows of query, key and value of head u
experts in a list            all parameters of member u
dimensions of an embedding   weight[:, u], the padding row left out
rows of a parameter itself   parameter[u] along the axis that the finding names
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from symbreak.errors import InvalidInput
from symbreak.findings import Finding
from symbreak.modules.anatomy.roles import role_of
from symbreak.modules.anatomy.targets import own_targets, weight_of

_PACKED = re.compile(r"(.*)\[(\d+):(\d+)\]")
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
            "A place to repair must be a layer of torch.nn or of a registered role, a list of "
            f"experts or a parameter. Got {finding.where!r}: draw the weights of its units "
            f"{list(finding.units)} anew yourself."
        )
    return parts


def _parts(
    module: nn.Module, known: dict[str, nn.Parameter], finding: Finding, unit: int
) -> Iterator[Part]:
    where = finding.where
    cell = _CELL.fullmatch(where)
    if packed := _PACKED.fullmatch(where):
        row = (int(packed[2]) + unit,)
        yield Part(packed[1], row)
        yield Part(packed[1].replace("weight", "bias"), row)
    elif (cell := _CELL.fullmatch(where)) and joined(
        cell[1] or "", f"weight_ih_{cell[2]}"
    ) in known:
        yield from _recurrent(module, known, (cell[1] or "", f"_{cell[2]}"), unit)
    elif where in known:
        yield Part(where, _along(finding.axis, unit))
    elif joined(where, "weight_ih") in known:
        yield from _recurrent(module, known, (where, ""), unit)
    else:
        yield from _of_layer(where, submodule(module, where), finding, unit)


def _of_layer(where: str, owner: nn.Module | None, finding: Finding, unit: int) -> Iterator[Part]:
    if isinstance(owner, nn.MultiheadAttention):
        yield from _head(where, owner, unit)
    elif isinstance(owner, nn.ModuleList | nn.ModuleDict):
        name, member = list(owner.named_children())[unit]
        for each, _ in member.named_parameters():
            yield Part(joined(joined(where, name), each), ())
    elif owner is not None and (weight := weight_of(owner)) is not None:
        yield Part(joined(where, weight.leaf), weight.unit(unit))
        yield Part(joined(where, weight.role.bias or "bias"), (unit,))
    elif isinstance(getattr(owner, "weight", None), Tensor):
        yield Part(joined(where, "weight"), _along(finding.axis, unit))
        yield Part(joined(where, "bias"), (unit,))


def _along(axis: int | None, unit: int) -> tuple[Any, ...]:
    return (*[slice(None)] * (axis or 0), unit)


def _recurrent(
    module: nn.Module, known: dict[str, nn.Parameter], place: tuple[str, str], unit: int
) -> Iterator[Part]:
    where, suffix = place
    projection, weight = joined(where, f"weight_hr{suffix}"), f"weight_ih{suffix}"
    if projection in known:
        yield Part(projection, (unit,))
        return
    shape = tuple(known[joined(where, weight)].shape)
    rows = role_of(module.get_submodule(where), weight, shape).unit(shape, unit)
    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        yield Part(joined(where, kind + suffix), rows)


def _head(where: str, owner: nn.MultiheadAttention, unit: int) -> Iterator[Part]:
    for target in own_targets(owner):
        role = target.role
        if role.kind == "attention weight":
            width = role.weight_shape(tuple(target.tensor.shape)).units_out
            size = width // owner.num_heads
            for part in range(role.parts):
                first = part * width + unit * size
                yield Part(joined(where, target.leaf), (slice(first, first + size),))
                first += role.bias_part * width
                yield Part(joined(where, role.bias), (slice(first, first + size),))


def joined(where: str, leaf: str) -> str:
    """Return the qualified name of what stands in `where`."""
    return f"{where}.{leaf}" if where else leaf


def submodule(module: nn.Module, name: str) -> nn.Module | None:
    """Return the part of this name, None where there is none."""
    try:
        return module.get_submodule(name)
    except AttributeError:
        return None
