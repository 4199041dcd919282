"""Which hidden units are one unit: equal in every weight that leads in and out.

Conventions
-----------
Unit i of hidden layer l has the incoming weights Theta(l)[i, :] (bias included) and the outgoing
weights Theta(l+1)[:, 1 + i]. Two units with both equal compute the same a and get the same delta,
so each gradient step changes both alike: they stay one unit (the problem of symmetric weights).
Equality here is exact. Labels: units of one layer with the same label are one unit.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy
from symbreak.initialization.warning import warn_symmetric
from symbreak.network import Network

Labels = NDArray[np.int64]


def identical_units(network: Network, theta: Any) -> tuple[Labels, ...]:
    """Return for every hidden layer the label of each unit, per start.

    Parameters
    ----------
    theta : (starts, n) or (n,).

    Returns
    -------
    One integer array (starts, units) for each hidden layer (a plain vector is one start); labels
    count from 0 in order of first appearance.
    """
    stack = np.atleast_2d(as_numpy(theta))
    thetas = network.thetas(stack)
    return tuple(
        np.stack([_row_labels(rows) for rows in _in_and_out(incoming, outgoing)])
        for incoming, outgoing in pairwise(thetas)
    )


def distinct_units(network: Network, theta: Any) -> tuple[Labels, ...]:
    """Return for every hidden layer the number of distinct units of each start, (starts,)."""
    return tuple(labels.max(axis=1) + 1 for labels in identical_units(network, theta))


def warn_of_symmetry(network: Network, theta: Any) -> None:
    """Emit one `SymmetryWarning` when a start has a hidden layer whose units are all one unit."""
    symmetric = []
    thetas = network.thetas(np.atleast_2d(as_numpy(theta)))
    for layer, (incoming, outgoing) in enumerate(pairwise(thetas), start=1):
        units = network.layers[layer]
        is_one = _are_equal(incoming) & _are_equal(outgoing[:, :, 1:].swapaxes(1, 2))
        if units > 1 and is_one.any():
            symmetric.append(
                f"hidden layer {layer} has 1 distinct unit of {units} in {is_one.sum()} of "
                f"{len(is_one)} start{'s' if len(is_one) > 1 else ''}"
            )
    if symmetric:
        warn_symmetric(
            f"Symmetric start: {'; '.join(symmetric)}. Equal units get equal gradients and stay "
            "one unit, even while J falls; draw the start at random, for example by the rule "
            "'glorot_uniform'."
        )


def _are_equal(rows: Any) -> NDArray[np.bool_]:
    """Whether all rows (starts, rows, entries) of a start are the same, (starts,)."""
    return np.asarray((rows == rows[:, :1]).all(axis=(1, 2)))


def _in_and_out(incoming: Any, outgoing: Any) -> Any:
    """(starts, units, weights in and out of each unit)."""
    return np.concatenate([incoming, outgoing[:, :, 1:].swapaxes(1, 2)], axis=2)


def _row_labels(rows: Any) -> Labels:
    # Adding 0.0 makes -0.0 equal to 0.0 byte for byte.
    keys = [row.tobytes() for row in np.ascontiguousarray(rows) + 0.0]
    first = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([first[key] for key in keys], dtype=np.int64)
