"""The roles of layers that are not of `torch.nn`: the user says them, once for each class."""

from __future__ import annotations

import inspect

from torch import nn

from symbreak.errors import InvalidInput, InvalidType, choose
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import resolve
from symbreak.modules.anatomy.role import KINDS, Role

_REGISTERED: dict[tuple[type[nn.Module], str], Role] = {}
_AXES = ("out in", "in out", "stack out in", "stack in out")


def register_role(
    layer: type[nn.Module],
    parameter: str,
    kind: str = "weight",
    *,
    axes: str = "out in",
    parts: int = 1,
    bias: str = "",
    rule: str | Rule | None = None,
) -> None:
    """Say what a parameter of your own layer is, for `initialize_module` and `ModuleCost`.

    Parameters
    ----------
    layer : the class of the layer; its subclasses inherit the role.
    parameter : the name of the parameter there.
    kind : "weight", "input weight", "recurrent weight", "attention weight", "embedding", "bias",
        "norm weight" (starts at 1), "norm bias" (0), "slope" (0.25), "bias token" or "kept" (as
        the module has it).
    axes : "out in", "in out" (for x @ W), "stack out in" or "stack in out", where the first axis
        counts independent matrices, such as experts; further axes are a kernel.
    parts : independent matrices that stand one after the other on the first axis that is no stack,
        such as 3 for query, key and value.
    bias : the name of the bias of the same units, parts * out numbers.
    rule : a rule for this parameter; None for that of its kind.

    Raises
    ------
    InvalidInput, InvalidType
        An argument is not what it must be.

    Examples
    --------
    >>> import torch, symbreak as sb
    >>> class Experts(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.up = torch.nn.Parameter(torch.empty(8, 64, 256))  # x @ up[expert]
    >>> sb.register_role(Experts, "up", axes="stack in out")
    >>> sb.initialize_module(Experts()).rows[0].fan_in
    64.0
    """
    if not (inspect.isclass(layer) and issubclass(layer, nn.Module)):
        raise InvalidType(
            f"layer of register_role must be a class of torch.nn.Module. Got {layer!r}."
        )
    if not isinstance(parameter, str) or not parameter or "." in parameter:
        raise InvalidInput(
            "parameter of register_role must be the name of a parameter of the layer itself, "
            f"without a dot. Got {parameter!r}."
        )
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
        raise InvalidInput(f"parts of register_role must be a whole number above 0. Got {parts!r}.")
    _REGISTERED[layer, parameter] = Role(
        choose("kind of register_role", kind, KINDS),
        axes=tuple(choose("axes of register_role", axes, _AXES).split()),
        parts=parts,
        bias=bias,
        rule=None if rule is None else resolve(rule),
        reads_activation=kind == "weight",
    )


def registered(owner: nn.Module, leaf: str) -> Role | None:
    """Return the registered role of a parameter; that of the nearest class."""
    roles = (_REGISTERED.get((layer, leaf)) for layer in type(owner).__mro__)
    return next((role for role in roles if role is not None), None)


def check_fits(role: Role, name: str, shape: tuple[int, ...]) -> None:
    """Raise InvalidInput unless a parameter of this shape can have the role."""
    if not role.is_weight:
        return
    if len(shape) < len(role.axes):
        raise InvalidInput(
            f"{name} must have the axes {' '.join(role.axes)!r} that it was registered with. "
            f"Got shape {shape}."
        )
    if shape[1 if role.is_stack else 0] % role.parts:
        raise InvalidInput(
            f"{name} must hold the {role.parts} parts of one size that it was registered with. "
            f"Got shape {shape}."
        )
