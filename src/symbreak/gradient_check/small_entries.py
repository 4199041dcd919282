"""Entries that are small beside their block, each held to a bar of its own.

What is relative to the largest derivative of a block says nothing of one that is a million times
smaller. Such an entry is measured along itself, at many steps that are extrapolated: its bar is
what the extrapolation still moves and what rounding does, of J and of the gradient itself.

Conventions
-----------
size  : max(|a|, |n|) of an entry
floor : SEEN bars; an entry no larger than that may be wrong by a part of its size that matters
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symbreak.gradient_check.directional import FINE, Directional, Mask
from symbreak.gradient_check.lines import Indices, single
from symbreak.gradient_check.probes import Array

SEEN = 4.0  # bars: what is larger is not wrong by more than a quarter of it


@dataclass(frozen=True)
class Closely:
    """What a close look at some entries showed, (entries,) each.

    Attributes
    ----------
    numerical, bar : the derivative and its error; of an entry on a kink the number between the two
        sides that is nearest; of one that could not be told, an infinite bar.
    is_wrong : whether the analytic derivative lies outside all that differences say.
    """

    numerical: Array
    bar: Array
    is_wrong: Mask


def count_below(analytic: Array, floor: float) -> int:
    """Return how many entries are no larger than `floor`, without being exactly zero."""
    return int(((np.abs(analytic) <= floor) & (analytic != 0.0)).sum())


def look_closely(directional: Directional, indices: Indices, rounding: float) -> Closely:
    """Look at single entries of theta.

    Parameters
    ----------
    rounding : what rounding may do to an entry of the gradient.
    """
    comparison = directional.compare([single(int(index)) for index in indices], FINE)
    numerical = np.where(comparison.at_kink, comparison.nearest, comparison.numerical)
    bar = np.where(comparison.at_kink, comparison.sides, comparison.bar) + rounding
    with np.errstate(invalid="ignore"):
        is_apart = np.abs(comparison.analytic - numerical) > bar
    is_wrong = is_apart & (comparison.is_wrong | comparison.at_kink)
    is_told = np.isfinite(numerical) & (is_wrong | ~is_apart)
    return Closely(
        np.where(np.isfinite(numerical), numerical, comparison.analytic),
        np.where(is_told, bar, np.inf),
        is_wrong,
    )
