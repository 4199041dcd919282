"""Which weights of a matrix are equal: the colours of the lecture's picture.

Classes: 0 for a weight equal to no other; k = 1, 2, ... for the k-th class of equal weights, in
order of first appearance; -k for a weight of that class with the other sign (a mirrored unit).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def equal_classes(Theta: NDArray[np.float64], rtol: float = 0.0) -> NDArray[np.int64]:
    """Return the class of each weight of Theta, counted from 1; see the conventions."""
    weights = np.asarray(Theta, dtype=np.float64).ravel()
    sizes = np.abs(weights)
    finite = sizes[np.isfinite(sizes)]
    gap = rtol * finite.max(initial=0.0)
    order = np.argsort(sizes, kind="stable")
    # Neighbours in size belong together; infinities are equal, what is no number is not.
    with np.errstate(invalid="ignore"):
        parted = ~((np.diff(sizes[order]) <= gap) | (sizes[order][1:] == sizes[order][:-1]))
    group = np.empty(len(weights), dtype=np.int64)
    group[order] = np.cumsum([0, *parted]) if len(weights) else []
    labels = np.zeros(len(weights), dtype=np.int64)
    found = 0
    for place in range(len(weights)):
        members = np.flatnonzero(group == group[place])
        if len(members) > 1 and labels[place] == 0:
            found += 1
            # Of signs: a product of weights would overflow, or vanish, before its sign is seen.
            signs = np.where(np.sign(weights[members]) * np.sign(weights[place]) < 0, -1, 1)
            labels[members] = found * signs
    return labels.reshape(np.shape(Theta))
