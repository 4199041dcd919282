"""Where theta starts: rules, random streams, and `initialize`, which puts them together."""

from __future__ import annotations

from symbreak.initialization import rules
from symbreak.initialization.gains import GAINS, activation_gain
from symbreak.initialization.initialize import initialize, layer_shapes
from symbreak.initialization.rule import EntrywiseRule, Rule
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Stream

__all__ = [
    "GAINS",
    "EntrywiseRule",
    "LayerShape",
    "Rule",
    "Stream",
    "activation_gain",
    "initialize",
    "layer_shapes",
    "rules",
]
