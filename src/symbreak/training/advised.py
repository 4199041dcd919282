"""What advice is made from, and what it is."""

from __future__ import annotations

from dataclasses import dataclass

from symbreak.training.comparison import Comparison


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a training; None for what is not.

    Attributes
    ----------
    comparison : the losses beside each other.
    is_constant : whether the network is no better than the best constant (`learnt_nothing`).
    constant_units, hidden_units : how many are constant over the training rows, of how many.
    penalty_share : of J, at the start that leads.
    penalty_is_chosen : whether cross-validation chose the penalty.
    choice_is_cut : whether its time was spent before all networks were compared.
    linear_was_compared : whether cross-validation saw a network without a hidden layer.
    n_starts, n_lowest : starts, and those that reached the lowest J.
    is_converged : whether the lowest J converged; None where its end is as good as that.
    lowest_ended : how the start with the lowest J ended, in words.
    needs_more_starts : see `Restarts`.
    n_diverged, n_never_began : starts that diverged, and those where J is not finite at once.
    has_moved : whether a start that diverged has a better point than where it began.
    is_never_lower : whether no start came below its first J.
    is_impatient : whether patience ended every start after at most one iteration.
    spread_of_inputs : how far the scales of the columns of X, or their means, lie apart.
    is_linear : whether the network has no hidden layer.
    """

    comparison: Comparison | None = None
    is_constant: bool = False
    constant_units: int = 0
    hidden_units: int = 0
    penalty_share: float = 0.0
    penalty_is_chosen: bool = False
    choice_is_cut: bool = False
    linear_was_compared: bool = False
    n_starts: int = 1
    n_lowest: int = 1
    is_converged: bool | None = True
    lowest_ended: str = ""
    needs_more_starts: bool = False
    n_diverged: int = 0
    n_never_began: int = 0
    has_moved: bool = False
    is_never_lower: bool = False
    is_impatient: bool = False
    spread_of_inputs: float = 1.0
    is_linear: bool = False


@dataclass(frozen=True)
class Advice:
    """One thing that a training asks for.

    Attributes
    ----------
    kind : see the module.
    title : a few words.
    sentence : what was found, with its figures.
    remedy : a word of `symbreak.training.remedies`, "" where nothing is known to help.
    """

    kind: str
    title: str
    sentence: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {"kind": self.kind, "title": self.title, "sentence": self.sentence,
                "remedy": self.remedy}  # fmt: skip
