"""Known mistakes of back-propagation, each a formula that can be put in place of the right one.

`MISTAKES[kind]` are tried in their order; those of `LAST_RESORT` only after the mistakes of earlier
stages that were not returned, which explain the same numbers better.
"""

from symbreak.backpropagation_check.mistakes.backward import DELTA
from symbreak.backpropagation_check.mistakes.cost import COST
from symbreak.backpropagation_check.mistakes.forward import ACTIVATION, WEIGHTED_INPUT
from symbreak.backpropagation_check.mistakes.gradients import GRADIENT, GRADIENT_LAST
from symbreak.backpropagation_check.mistakes.mistake import Mistake

MISTAKES: dict[str, tuple[Mistake, ...]] = {
    "z": WEIGHTED_INPUT,
    "a": ACTIVATION,
    "J": COST,
    "delta": DELTA,
    "gradients": GRADIENT,
}
LAST_RESORT: dict[str, tuple[Mistake, ...]] = {"gradients": GRADIENT_LAST}

__all__ = ["LAST_RESORT", "MISTAKES", "Mistake"]
