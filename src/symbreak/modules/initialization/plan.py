"""What will be drawn for each parameter, before anything is written."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from symbreak.initialization.rule import EntrywiseRule, Rule
from symbreak.modules.anatomy.reads import Reads
from symbreak.modules.anatomy.targets import Target
from symbreak.modules.initialization.defaults import FILLED, rule_of
from symbreak.modules.initialization.draw import Weight

_MOST_AXES_GUESSED = 2  # a parameter of an unknown layer with more may hold stacks or kernels


@dataclass
class Start:
    """How one parameter is started.

    Attributes
    ----------
    target : the parameter.
    weight, rule : what draws it, and the bias of its layer; None for what no rule draws.
    bias : the name of that bias, or "".
    value : the number that fills it, or None.
    scale : a factor of what the rule draws.
    text, expected : rule and spread in the table.
    notes : what else must be known.
    """

    target: Target
    weight: Weight | None = None
    rule: Rule | None = None
    bias: str = ""
    value: float | None = None
    scale: float = 1.0
    text: str = "-"
    expected: float = math.nan
    notes: list[str] = field(default_factory=list)

    @property
    def is_drawn(self) -> bool:
        """Whether a rule draws the parameter itself."""
        return self.weight is not None and self.target.trained

    def draw_(
        self, values: Tensor | None, bias: Tensor | None, seed: int, purpose: str = ""
    ) -> None:
        """Overwrite what a rule draws: numbers of the parameter's shape, and those of its bias.

        Parameters
        ----------
        values, bias : None for what is not wanted; the other gets the same numbers all the same.
        purpose : goes into the name of the stream, where it is not that of a start.
        """
        assert self.weight is not None
        assert self.rule is not None
        name = f"{self.weight.name}.{purpose}" if purpose else self.weight.name
        one, other = (None if each is None else each[None] for each in (values, bias))
        replace(self.weight, name=name).draw_(one, other, self.rule, seed, range(1), self.scale)
        if values is not None and self.target.role.padding is not None:
            values[self.target.role.padding] = 0.0


def planned(
    targets: Sequence[Target],
    rules: Mapping[str, Rule],
    reads: Mapping[int, Reads],
    fallback: Reads,
) -> dict[str, Start]:
    """Return the start of each parameter by its name."""
    starts = {target.name: Start(target) for target in targets}
    for start in starts.values():
        _plan_(start, rules, reads.get(id(start.target.owner), fallback))
    for start in starts.values():
        _pair_(start, starts)
    for start in starts.values():
        _say_(start)
    return starts


def described(rule: Rule) -> str:
    """Return the word of a rule and what differs from its defaults."""
    changed = [
        f"{each.name}={_short(getattr(rule, each.name))}"
        for each in dataclasses.fields(rule)
        if getattr(rule, each.name) != each.default
    ]
    return rule.name + (f"({', '.join(changed)})" if changed else "")


def _plan_(start: Start, rules: Mapping[str, Rule], reads: Reads) -> None:
    target, role = start.target, start.target.role
    size = tuple(target.tensor.shape)
    if not target.tensor.is_floating_point() or not target.tensor.numel():
        start.notes.append("keeps its values: no real numbers")
    elif role.kind == "unknown" and len(size) > _MOST_AXES_GUESSED:
        start.notes.append("keeps its values: no known role, see register_role")
    elif role.is_weight or role.kind == "bias token":
        start.weight = Weight(target.name, size, role, reads)
        start.rule = rule_of(role, rules, reads)
        start.text = described(start.rule)
        start.expected = start.rule.spread(start.weight.shape)
        if role.kind == "unknown":
            start.notes.append("taken as (out, in)")
    elif role.kind == "bias":
        start.value = 0.0
    elif role.kind == "size":
        start.text = "the size of what is drawn"
    elif role.kind in FILLED:
        start.value = FILLED[role.kind]
    else:
        start.notes.append("keeps its values: no known role")


def _pair_(start: Start, starts: Mapping[str, Start]) -> None:
    """Let the rule of a weight draw the bias of its layer."""
    weight, rule, leaf = start.weight, start.rule, start.target.role.bias
    bias = starts.get(start.target.name.removesuffix(start.target.leaf) + leaf) if leaf else None
    if weight is None or rule is None or bias is None or bias.target.role.kind != "bias":
        return
    if not weight.has_bias(tuple(bias.target.tensor.shape)):
        return
    start.bias, bias.value = bias.target.name, None
    own = getattr(rule, "bias", None)
    if isinstance(own, int | float):
        bias.text, bias.expected = f"{own:g}", 0.0
        return
    drawn = own if isinstance(own, EntrywiseRule) else rule
    bias.text = described(drawn)
    if isinstance(drawn, EntrywiseRule):
        bias.expected = drawn.spread(weight.shape)


def _say_(start: Start) -> None:
    target = start.target
    if start.value is not None:
        start.text, start.expected = f"{start.value:g}", 0.0
    if target.aliases:
        start.notes.append(f"tied: also {', '.join(target.aliases)}")
    if not target.trained:
        start.text, start.expected, start.value = "-", math.nan, None
        start.notes.append("keeps its values: frozen")


def _short(value: object) -> str:
    if isinstance(value, Rule):
        return described(value)
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
