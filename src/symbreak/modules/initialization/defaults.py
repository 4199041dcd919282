"""Which rule draws a parameter.

    kind               rule=None                          from
    weight, unknown    N(0, g^2 / fan_in)                 LeCun et al. 1998; He et al. 2015
    input weight       N(0, 1 / fan_in), each gate        LeCun et al. 1998
    recurrent weight   orthogonal, each gate              Saxe, McClelland and Ganguli 2014
    attention weight   N(0, 1 / fan_in), each projection  LeCun et al. 1998
    embedding          N(0, 1)                            what reads it expects numbers of size 1
    tied embedding     N(0, 1 / dimension)                it also is the weight of a layer
    bias token         N(0, 1 / dimension)                as PyTorch's, Glorot and Bengio 2010
    norm weight, bias  1, 0                               Ioffe and Szegedy 2015
    slope              0.25                               He et al. 2015, section 3
    bias               0; the forget gate of LSTM 1       Jozefowicz, Zaremba and Sutskever 2015

g is the gain of the activation that the layer reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symbreak.errors import InvalidType, choose
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import resolve
from symbreak.initialization.simple import Normal
from symbreak.initialization.structured import Orthogonal
from symbreak.initialization.variance_scaling import LecunNormal
from symbreak.modules.anatomy.reads import Reads
from symbreak.modules.anatomy.role import WEIGHTS, Role

FILLED = {"norm weight": 1.0, "norm bias": 0.0, "slope": 0.25}
DEFAULTS: dict[str, Rule] = {
    "weight": LecunNormal(gain="activation"),
    "unknown": LecunNormal(gain="activation"),
    "input weight": LecunNormal(),
    "recurrent weight": Orthogonal(),
    "attention weight": LecunNormal(),
    "embedding": Normal(std=1.0),
    "bias token": LecunNormal(),
}


def rules_by_kind(rule: str | Rule | Mapping[str, str | Rule] | None) -> dict[str, Rule]:
    """Return the rule of each kind: the user's, or the default.

    Raises
    ------
    InvalidInput, InvalidType
        A word or a kind is unknown, or it is no rule.
    """
    if rule is None:
        return dict(DEFAULTS)
    if isinstance(rule, Mapping):
        kinds = sorted(DEFAULTS)
        chosen = {choose("kind in rule", kind, kinds): resolve(each) for kind, each in rule.items()}
        return {**DEFAULTS, **chosen}
    return {**DEFAULTS, **dict.fromkeys(WEIGHTS, resolve(rule))}


def rule_of(role: Role, rules: Mapping[str, Rule], reads: Reads) -> Rule:
    """Return the rule of a parameter, gain="activation" replaced by the gain of what it reads."""
    rule: Any = role.rule or rules[role.kind]
    if getattr(rule, "gain", None) == "activation":
        rule = replace(rule, gain=reads.gain if role.reads_activation else 1.0)
    chosen: Rule = rule
    return chosen


def check_forget_bias(value: Any) -> float | None:
    """Return the bias of forget gates; None leaves it to the rule."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidType(
            f"forget_bias of initialize_module must be a number or None. Got {value!r}."
        )
    return float(value)
