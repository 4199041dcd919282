"""Weights that end a residual branch are drawn smaller, so that the sum does not grow with depth.

    x_(k+1) = x_k + branch_k(x_k),  k = 1 ... N:    the last weight of each branch times 1 / sqrt(N)

N branches of size 1 add a variance of 1 in all. (Radford, Wu, Child, Luan, Amodei and Sutskever
2019, "Language models are unsupervised multitask learners", section 2.3; a transformer of n blocks
has N = 2 n.) A factor of 0 starts every block as the identity (Goyal et al. 2017, section 5.1;
Zhang, Dauphin and Ma 2019, Fixup).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from symbreak.checks import check_finite
from symbreak.errors import InvalidInput, InvalidType, nearest


def residual_scales(patterns: Any, factor: Any, weights: Iterable[str]) -> dict[str, float]:
    """Return the factor of each weight that ends a residual branch.

    Raises
    ------
    InvalidInput, InvalidType
        A pattern fits no weight, or the factor is no number.
    """
    if factor is not None:
        check_finite("residual_factor of initialize_module", factor)
    names = list(weights)
    wanted = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(wanted, list | tuple) or not all(isinstance(each, str) for each in wanted):
        raise InvalidType(
            "residual of initialize_module must be names of weights, such as "
            f'("*.out_proj.weight", "*.linear2.weight"). Got {patterns!r}.'
        )
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise InvalidInput(
                f"Each name in residual of initialize_module must fit a weight that is drawn. "
                f"Got {pattern!r}.{nearest(pattern, names)}"
            )
    ends = [name for name in names if any(fnmatchcase(name, pattern) for pattern in wanted)]
    if not ends:
        return {}
    return dict.fromkeys(ends, 1.0 / math.sqrt(len(ends)) if factor is None else float(factor))
