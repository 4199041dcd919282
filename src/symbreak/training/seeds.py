"""Three seeds out of one `random_state`: of the starts, of the order of the examples, of splits.

Equal integers give equal seeds; a `RandomState` moves on.
"""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np


class Seeds(NamedTuple):
    """The seeds of one fit."""

    starts: int
    order: int
    split: int


def seeds_of(random_state: Any) -> Seeds:
    """Return the seeds of a `random_state` of scikit-learn's kinds."""
    is_number = isinstance(random_state, Integral)
    return _seeds_of_number(int(random_state)) if is_number else _drawn_seeds(random_state)


def _drawn_seeds(random_state: Any) -> Seeds:
    from sklearn.utils import check_random_state

    drawn = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=3)
    return Seeds(*map(int, drawn))


# The fits of a search have one number, and a generator takes some time to make.
_seeds_of_number = lru_cache(_drawn_seeds)
