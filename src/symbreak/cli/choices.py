"""The names that the help lists.

`--help` must not wait for the library, so they stand here; tests hold them to its registries.
"""

from __future__ import annotations

from collections.abc import Sequence

ACTIVATIONS = (
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "softplus", "gelu", "silu",
)  # fmt: skip
LOSSES = (
    "cross_entropy", "binary_cross_entropy", "squared_error", "poisson", "absolute_error", "huber",
    "quantile",
)  # fmt: skip
RULES = (
    "zeros", "constant", "uniform", "normal", "truncated_normal", "glorot_uniform",
    "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "orthogonal",
    "nguyen_widrow", "torch_default", "sklearn_default",
)  # fmt: skip
DATASETS = ("digits", "iris", "wine", "breast-cancer", "diabetes")
# With the other names of a method in brackets.
ON_ALL_EXAMPLES = (
    "l-bfgs", "bfgs (or fminunc)", "conjugate-gradient (or fmincg)", "newton-cg",
    "levenberg-marquardt", "rprop", "gradient-descent",
)  # fmt: skip
ON_BATCHES = ("sgd", "adam", "adamw")
ELEMENTWISE = ("rprop", "adam", "adamw")
WITH_LEARNING_RATE = ("gradient-descent", "sgd", "adam", "adamw")
WITH_MOMENTUM = ("gradient-descent", "sgd")


def listed(words: Sequence[str], last: str = "or", **notes: str) -> str:
    """Return "a, b or c".

    Parameters
    ----------
    notes : what to say in brackets behind a word.
    """
    told = [f"{word} ({notes[word]})" if word in notes else word for word in words]
    return f" {last} ".join(filter(None, (", ".join(told[:-1]), told[-1])))
