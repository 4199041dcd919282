"""Racing: drop starts that a stated rule says are unlikely to win (off by default).

Successive halving (Jamieson & Talwalkar 2016): after `first`, factor · first, factor² · first, ...
evaluations for each start, only the best 1 / factor of those still in the race go on. Every start
has had equally many evaluations when it is compared, so none is favoured by a cheaper line search.
It is a rule of thumb: a start that is behind can still have the lower minimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from symbreak.checks import check_above, check_positive_integer
from symbreak.errors import InvalidInput
from symbreak.optimize.per_start import Floats, Mask


@dataclass(frozen=True)
class Racing:
    """When starts are compared, and how many go on.

    Parameters
    ----------
    first : evaluations for each start before the first comparison.
    factor : at each comparison the best 1 / factor of the starts in the race go on.
    """

    first: int = 20
    factor: float = 2.0

    def __post_init__(self) -> None:
        check_positive_integer("first of Racing", self.first)
        check_above("factor of Racing", self.factor, 1)

    @classmethod
    def of(cls, given: object) -> Racing | None:
        """Return the racing that True, False, None or a `Racing` stands for."""
        if given is None or given is False:
            return None
        racing = cls() if given is True else given
        if not isinstance(racing, cls):
            raise InvalidInput(
                f"racing of minimize must be True, False or a Racing of symbreak.optimize. "
                f"Got {given!r}."
            )
        return racing

    def is_rung(self, evaluations: int) -> bool:
        """Whether starts are compared after so many evaluations."""
        rung = self.first
        while rung < evaluations:
            rung = max(rung + 1, round(rung * self.factor))
        return rung == evaluations

    def losers(self, score: Floats, in_race: Mask) -> Mask:
        """Return which starts of the race are dropped; `score` (starts,), lower is better."""
        racing = np.flatnonzero(in_race)
        kept = max(1, math.ceil(len(racing) / self.factor))
        order = racing[np.argsort(score[racing], kind="stable")]
        dropped = np.zeros(len(score), dtype=bool)
        dropped[order[kept:]] = True
        return dropped
