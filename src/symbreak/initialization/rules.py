"""All rules by name: `sb.rules.Uniform(epsilon=0.12)`, or the word "uniform" for its defaults."""

from __future__ import annotations

from symbreak.errors import InvalidType, choose
from symbreak.initialization.framework_defaults import SklearnDefault, TorchDefault
from symbreak.initialization.rule import EntrywiseRule, Rule
from symbreak.initialization.simple import Constant, Normal, TruncatedNormal, Uniform, Zeros
from symbreak.initialization.structured import NguyenWidrow, Orthogonal
from symbreak.initialization.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)

__all__ = [
    "BY_NAME",
    "Constant",
    "EntrywiseRule",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "NguyenWidrow",
    "Normal",
    "Orthogonal",
    "Rule",
    "SklearnDefault",
    "TorchDefault",
    "TruncatedNormal",
    "Uniform",
    "Zeros",
    "resolve",
]

BY_NAME: dict[str, type[Rule]] = {
    rule.name: rule
    for rule in (
        Zeros,
        Constant,
        Uniform,
        Normal,
        TruncatedNormal,
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LecunUniform,
        LecunNormal,
        Orthogonal,
        NguyenWidrow,
        TorchDefault,
        SklearnDefault,
    )
}


def resolve(rule: str | Rule) -> Rule:
    """Return the rule that a word stands for, with its default parameters; a rule is kept.

    Raises
    ------
    InvalidInput
        The word is unknown; the nearest valid one is named.
    InvalidType
        Neither a word nor a rule.
    """
    if isinstance(rule, Rule):
        return rule
    if isinstance(rule, str):
        return BY_NAME[choose("rule", rule, BY_NAME)]()
    if isinstance(rule, type) and issubclass(rule, Rule):
        raise InvalidType(
            f"rule must be a rule, not its class. Got {rule.__name__}: "
            f"write {rule.__name__}() with brackets."
        )
    raise InvalidType(
        f"rule must be a word such as 'uniform' or a rule such as Uniform(epsilon=0.12). "
        f"Got {rule!r}."
    )


def __dir__() -> list[str]:
    return sorted(__all__)
