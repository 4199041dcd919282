"""Rules on how the starts ended: each reads the facts and gives advice, or None."""

from __future__ import annotations

from symbreak.text import pluralize
from symbreak.training.advised import Advice, Facts


def lost_starts(facts: Facts) -> Advice | None:
    """Return what to do where starts diverged, or began where J is not finite."""
    sentences = []
    if facts.n_diverged:
        keeps = "it keeps" if facts.n_diverged == 1 else "each keeps"
        what = "its best point before that" if facts.has_moved else "where it began, untrained"
        sentences.append(f"{pluralize(facts.n_diverged, 'start')} diverged; {keeps} {what}.")
    if facts.n_never_began:
        starts = pluralize(facts.n_never_began, "start")
        sentences.append(f"{starts} began where J is not finite.")
    if not sentences:
        return None
    return Advice("lost_starts", "Look at what diverged", " ".join(sentences), "smaller_steps")


def never_lower(facts: Facts) -> Advice | None:
    """Return what to do where no step led down."""
    if not facts.is_never_lower:
        return None
    words = "No start came below its first J."
    return Advice("never_lower", "Take smaller steps", words, "lower_rate")


def no_patience(facts: Facts) -> Advice | None:
    """Return what to do where early stopping ended the search at once."""
    if not facts.is_impatient:
        return None
    words = (
        "No validation score rose after the first iteration, so the weights are nearly those of "
        "the start."
    )
    return Advice("no_patience", "Wait longer", words, "more_patience")


def not_converged(facts: Facts) -> Advice | None:
    """Return what to do where the lowest J is on its way.

    A penalty that was chosen is the best for so many iterations: with more another may be.
    """
    if facts.is_converged is not False or facts.penalty_is_chosen:
        return None
    ended = f": {facts.lowest_ended}" if facts.lowest_ended else ""
    words = f"The lowest J has not converged{ended}."
    return Advice("not_converged", "Let the best start go on", words, "go_on")


def more_starts(facts: Facts) -> Advice | None:
    """Return what to do where more starts may find a lower J."""
    if not facts.needs_more_starts:
        return None
    words = "The lowest J was reached once, and new values are likely."
    return Advice("more_starts", "Use more starts", words, "more_starts")
