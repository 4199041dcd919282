"""A start for every parameter of a module, in place.

    weight <- scale * rule(fans, gain), bias <- the rule's bias, norms <- 1 and 0, ...

See `role` for the fans, `roles` for what is what, `defaults` for the rules, `draw` for the streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from symbreak.deprecation import once_positional
from symbreak.errors import InvalidInput
from symbreak.initialization.rule import Rule
from symbreak.initialization.streams import check_seed
from symbreak.initialization.warning import warn_symmetric
from symbreak.modules.anatomy.reads import layers_read, reads_of
from symbreak.modules.anatomy.targets import Target, check_module, targets_of
from symbreak.modules.initialization.defaults import check_forget_bias, rules_by_kind
from symbreak.modules.initialization.lsuv import rescale_
from symbreak.modules.initialization.plan import Start, planned
from symbreak.modules.initialization.residual import residual_scales
from symbreak.modules.initialization.table import InitializationTable, InitializedParameter

_RESCALED = (nn.Linear, nn.Bilinear, _ConvNd)


@once_positional("seed")
def initialize_module(
    module: nn.Module,
    rule: str | Rule | Mapping[str, str | Rule] | None = None,
    *,
    seed: int | None = 0,
    activation: Any = None,
    forget_bias: float | None = 1.0,
    residual: str | Sequence[str] = (),
    residual_factor: float | None = None,
    batch: Any = None,
) -> InitializationTable:
    """Start every parameter of a module by a rule that fits its role; in place.

    Parameters
    ----------
    module : any `torch.nn.Module`. Frozen parameters (requires_grad=False) and buffers stay.
    rule : a word or a rule for all weights; or one for each role, {"weight": "he_normal",
        "recurrent weight": "orthogonal"}; None for a sound one for each role: gain / sqrt(fan_in).
    seed : not negative; None takes a fresh one, which the table tells. What a parameter gets
        depends on the seed, its name and its shape (a bias: those of its weight), on nothing else.
    activation : what hidden layers read where the order of `nn.Sequential` does not tell: a word
        such as "relu", or a module such as `torch.nn.Mish()`.
    forget_bias : the bias of LSTM's forget gates; None leaves it to the rule.
    residual : names, with * and ?, of the weights that end a residual branch. They are multiplied
        by 1 / sqrt(how many there are), as in GPT-2.
    residual_factor : another factor for these, such as 0 for blocks that start as the identity.
    batch : a batch for LSUV: a tensor, a tuple of arguments or a dictionary of them. The weights of
        linear and convolutional layers are rescaled so that each output has variance 1 on it.

    Returns
    -------
    InitializationTable
        A row for each parameter: role, fans, rule, expected and measured spread.

    Raises
    ------
    InvalidInput, InvalidType
        An argument is not what it must be. The module is as before.

    Warns
    -----
    SymmetryWarning
        The rule starts all units of several layers equal.

    Examples
    --------
    >>> import symbreak as sb, torch
    >>> net = torch.nn.Sequential(
    ...     torch.nn.Linear(30, 50), torch.nn.ReLU(), torch.nn.Linear(50, 1))
    >>> table = sb.initialize_module(net, seed=1)
    >>> [round(row.expected * row.fan_in**0.5, 3) for row in table.rows if row.role == "weight"]
    [1.0, 1.414]
    """
    module = check_module(module)
    rules = rules_by_kind(rule)
    fallback = reads_of(activation)
    forget_bias = check_forget_bias(forget_bias)
    seed = check_seed("seed of initialize_module", seed)
    starts = planned(targets_of(module), rules, layers_read(module, fallback), fallback)
    drawn = {name: start for name, start in starts.items() if start.is_drawn}
    for name, scale in residual_scales(residual, residual_factor, drawn).items():
        starts[name].scale = scale
        starts[name].notes.append(f"x {scale:.4g}: ends a residual branch")
    _warn_of_symmetry(drawn.values())
    before = {} if batch is None else {each: each.clone() for each in _values(module)}
    for start in starts.values():
        _start_(start, starts, seed)
    _open_forget_gates_(starts, forget_bias)
    _size_(starts)
    if batch is not None:
        _rescale_(module, drawn, batch, before)
    return InitializationTable(seed, tuple(_row(start) for start in starts.values()))


def _values(module: nn.Module) -> Iterable[Tensor]:
    return (parameter.detach() for parameter in module.parameters())


def _start_(start: Start, starts: Mapping[str, Start], seed: int) -> None:
    """Write one parameter, and the bias that its rule draws."""
    target = start.target
    if start.value is not None:
        _write_(start, torch.full_like(target.tensor, start.value))
    if start.weight is None or start.rule is None:
        return
    partner = starts.get(start.bias)
    values = target.tensor.clone() if target.trained else None
    bias = partner.target.tensor.clone() if partner and partner.target.trained else None
    start.draw_(values, bias, seed)
    if values is not None:
        _write_(start, values)
    if bias is not None and partner is not None:
        _write_(partner, bias)


def _write_(start: Start, values: Tensor) -> None:
    if start.target.parametrized:
        start.notes.append(start.target.write_(values))
    else:
        start.target.tensor.copy_(values)


def _open_forget_gates_(starts: Mapping[str, Start], value: float | None) -> None:
    """Set the second gate of LSTM's bias_ih; the gates are input, forget, cell, output."""
    for start in starts.values():
        owner, target = start.target.owner, start.target
        is_lstm = isinstance(owner, nn.LSTM | nn.LSTMCell) and target.leaf.startswith("bias_ih")
        if value is None or not is_lstm or not target.trained:
            continue
        size = int(owner.hidden_size)  # type: ignore[arg-type]
        values = target.tensor.clone()
        values[size : 2 * size] = value
        _write_(start, values)
        start.text, start.expected = f"{start.text}, forget gate {value:g}", float("nan")


def _size_(starts: Mapping[str, Start]) -> None:
    """Let an old `weight_norm` give what was drawn: g = |v| over the axes where g has one entry."""
    for start in starts.values():
        target, g = start.target, start.target.tensor
        if target.role.kind == "size" and target.trained:
            v = getattr(target.owner, f"{target.leaf[:-2]}_v").detach()
            axes = [axis for axis, length in enumerate(g.shape) if length == 1]
            g.copy_(torch.linalg.vector_norm(v, dim=axes, keepdim=True))


def _warn_of_symmetry(drawn: Iterable[Start]) -> None:
    names = [start.target.name for start in drawn if start.rule and start.rule.symmetric]
    if len(names) > 1:
        warn_symmetric(
            f"The rule starts all units of a layer equal, in {len(names)} weights from {names[0]} "
            f"to {names[-1]}. Use a random rule such as 'glorot_uniform'."
        )


def _rescale_(
    module: nn.Module, drawn: Mapping[str, Start], batch: Any, before: Mapping[Tensor, Tensor]
) -> None:
    """Rescale what can be by the batch; on an error put everything back."""
    able = {start.target.owner: name for name, start in drawn.items() if _can_be_rescaled(start)}
    try:
        factors = rescale_(module, able, batch)
    except InvalidInput:
        for values, old in before.items():
            values.copy_(old)
        raise
    for name, start in drawn.items():
        if name in factors:
            start.expected = float("nan")
            start.notes.append(f"x {factors[name]:.4g}: unit variance on the batch")
        else:
            start.notes.append("not rescaled by the batch")


def _can_be_rescaled(start: Start) -> bool:
    target = start.target
    is_plain = not target.parametrized and not target.aliases
    return isinstance(target.owner, _RESCALED) and target.leaf == "weight" and is_plain


def _row(start: Start) -> InitializedParameter:
    target, values = start.target, start.target.tensor
    size = tuple(values.shape)
    shape = start.weight.shape if start.weight else None
    return InitializedParameter(
        parameter=target.name,
        shape=size,
        role=target.role.kind,
        fan_in=shape.fan_in if shape else float("nan"),
        fan_out=shape.fan_out if shape else float("nan"),
        rule=start.text,
        expected=start.scale * start.expected,
        measured=_spread(target, values),
        note="; ".join(start.notes),
    )


def _spread(target: Target, values: Tensor) -> float:
    if not values.is_floating_point():
        return float("nan")
    if target.role.padding is not None:
        kept = torch.arange(len(values), device=values.device) != target.role.padding
        values = values[kept]
    return float(values.double().std(correction=0)) if values.numel() else float("nan")
