"""Why a stage is wrong: a fixed word for programs, a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbreak.backpropagation_check.stages import Stage

# Words beside those of the known mistakes.
UNKNOWN = "unknown"
FOLLOWS = "follows"
BEHIND_WRONG = "behind_wrong_stage"
ZERO_EVERYWHERE = "zero"
WRONG_SHAPE = "wrong_shape"
WITHOUT_BIAS = "gradient_without_bias"
BIAS_ROW_KEPT = "delta_bias_row_kept"
OTHERS = (
    UNKNOWN, FOLLOWS, BEHIND_WRONG, ZERO_EVERYWHERE, WRONG_SHAPE, WITHOUT_BIAS, BIAS_ROW_KEPT,
)  # fmt: skip
# Words of known mistakes that a shape, too, can show.
WRONG_ORDER = "gradients_in_wrong_order"
TRANSPOSED = "gradient_transposed"


@dataclass(frozen=True)
class Cause:
    """A cause; two of the same word, stage and extent are one, whatever they say.

    Attributes
    ----------
    mistake : the word of a known mistake, or one of those above.
    said : the sentence.
    origin : the stage where the mistake is made, if it is known.
    extent : "every layer" or "every hidden layer" where it is made in more than one, else "".
    """

    mistake: str
    said: str = field(compare=False)
    origin: Stage | None = None
    extent: str = ""
