"""Where theta starts: rules, random streams, and `initialize`, which puts them together."""

from __future__ import annotations

import warnings

from symbreak.activations import ACTIVATIONS
from symbreak.initialization import rules
from symbreak.initialization.gains import activation_gain
from symbreak.initialization.initialize import initialize, layer_shapes
from symbreak.initialization.rule import EntrywiseRule, Rule
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Stream

__all__ = [
    "EntrywiseRule",
    "LayerShape",
    "Rule",
    "Stream",
    "activation_gain",
    "initialize",
    "layer_shapes",
    "rules",
]


def __getattr__(name: str) -> dict[str, float]:
    if name != "GAINS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        "symbreak.initialization.GAINS is now the gain of each activation of "
        "symbreak.activations.ACTIVATIONS; use activation_gain(name).",
        DeprecationWarning,
        stacklevel=2,
    )
    return {word: activation.gain for word, activation in ACTIVATIONS.items()}
