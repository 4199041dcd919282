"""What a known mistake is."""

from __future__ import annotations

from dataclasses import dataclass

from symbreak.backpropagation_check.stages import Formula


@dataclass(frozen=True)
class Mistake:
    """A wrong formula, the fixed word for it and the sentence that names it.

    Attributes
    ----------
    word : such as "delta_without_slope"; of two mistakes at once both words, with "+" between.
    sentence : such as "delta({l}) lacks the factor g'(z({l}))"; {l} is the layer, {below} and
        {above} the ones beside it, {L} the last, {Theta} the name of the matrix of the layer.
    formula : what is computed; it raises NotApplicable or gives another shape where the mistake
        cannot be made.
    """

    word: str
    sentence: str
    formula: Formula

    def said_of(self, layer: int, n_layers: int) -> str:
        """Return the sentence for one layer."""
        return self.sentence.format(l=layer, below=layer - 1, above=layer + 1, L=n_layers)


class NotApplicable(Exception):
    """The mistake cannot be made in this net or this layer."""


def require(condition: bool) -> None:
    """Raise NotApplicable unless `condition` holds."""
    if not condition:
        raise NotApplicable
