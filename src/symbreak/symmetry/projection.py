"""The symmetric set of a partition of the hidden units, and the projection onto it.

Conventions
-----------
A partition gives every hidden unit a label; units of one layer with the same label shall be one
unit. Inputs, outputs and the constant unit are alone in their class. With c(i) the class of unit i,

    (P Theta(l))[i, j] = mean of Theta(l)[i', j'] over c(i') = c(i), c(j') = c(j).

P is linear, P² = P and <P u, v> = <u, P v>: the orthogonal projection onto the theta whose "same
colour" entries are equal. Such a theta has a symmetric gradient, P grad J(theta) = grad J(theta),
so J∘P, whose gradient is P grad J(P theta), agrees with J there; it differs from J only in that
rounding cannot lead out of the set.

The mean is taken as x + mean(x' - x) with x one of the class: equal entries come back bit by bit.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from symbreak.arrays import (
    Array,
    alike,
    as_array,
    cast,
    float_word,
    like,
    namespace,
    picked,
    sums,
    word_of,
)
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives.network_cost import NetworkCost
from symbreak.parameters import Block, check_size

Labels = Sequence[npt.ArrayLike]
Integers = npt.NDArray[np.int64]


def one_unit_per_layer(network: Network) -> tuple[Integers, ...]:
    """Return the coarsest labels: all units of a hidden layer are one unit."""
    return tuple(np.zeros(units, dtype=np.int64) for units in network.layers[1:-1])


def project(network: Network, theta: Any, labels: Labels) -> Any:
    """Return P theta: the nearest theta in which equal labels are equal units.

    Parameters
    ----------
    theta : (starts, n) or (n,); a theta or a gradient, NumPy or torch.
    labels : for each hidden layer an array (units,) of integers, or (1, units) as
        `symbreak.units.identical_units` gives for one start.

    Returns
    -------
    A fresh array of the shape and kind of theta.

    Raises
    ------
    InvalidInput
        Labels that do not fit the network, or theta of another size.

    Examples
    --------
    >>> net = Network((1, 2, 1))                        # Theta1 is 2 x 2, Theta2 is 1 x 3
    >>> project(net, np.array([1.0, 2, 3, 4, 5, 6, 8]), [[0, 0]])
    array([2., 3., 2., 3., 5., 7., 7.])
    """
    given = _checked(theta, network.blocks)
    return like(_Classes(network, labels).mean(given), theta)


def spread(network: Network, theta: Any, labels: Labels) -> Any:
    """Return how far theta is from the symmetric set, max |theta - P theta| / max |theta|.

    Parameters
    ----------
    theta, labels : as for `project`.

    Returns
    -------
    (starts,), or () for a plain vector; 0 where theta is 0.
    """
    given = _checked(theta, network.blocks)
    xp, smallest = namespace(given), float(np.finfo(word_of(given.dtype)).tiny)
    away = xp.abs(given - _Classes(network, labels).mean(given))
    largest = xp.clip(xp.max(xp.abs(given), axis=-1), min=smallest)
    return like(xp.max(away, axis=-1) / largest, theta)


def _checked(theta: Any, blocks: Sequence[Block]) -> Array:
    """Return theta in the kind and dtype to compute in."""
    given = as_array(theta, "theta")
    check_size(given, blocks)
    return cast(given, float_word(given))


class SymmetricCost:
    """The objective J(P theta) with its gradient P grad J(P theta).

    From a symmetric theta it gives the optimiser what exact arithmetic would: J itself and a
    gradient that is the same, bit by bit, for equal units. Elementwise updates then keep equal
    units equal. A method that combines vectors by matrix products, as L-BFGS does, leaves rounding
    in theta, to which J∘P is blind, so that it does not grow: what was found is P theta.

    Parameters
    ----------
    cost : the `NetworkCost`.
    labels : as for `project`; one partition for all starts.
    """

    def __init__(self, cost: NetworkCost, labels: Labels) -> None:
        self.cost = cost
        self.network = cost.network
        self._classes = _Classes(cost.network, labels)

    @property
    def blocks(self) -> Sequence[Block]:
        """Theta1, Theta2, ..."""
        return self.cost.blocks

    def __call__(self, theta: Any, *, out: Array | None = None) -> tuple[Any, Any]:
        """Return J(P theta) and its gradient, as `NetworkCost` does."""
        J, gradient = self.cost(self._projected(theta), out=out)
        averaged = self._projected(gradient)
        if out is None:
            return J, averaged
        out[...] = alike(averaged, out)
        return J, out

    def value(self, theta: Any) -> Any:
        """Return J(P theta)."""
        return self.cost.value(self._projected(theta))

    def take(self, starts: Any) -> SymmetricCost:
        """Return the objective of these starts."""
        return self._with(self.cost.take(starts))

    def batch(self, rows: Any) -> SymmetricCost:
        """Return the objective on these examples."""
        return self._with(self.cost.batch(rows))

    def _with(self, cost: NetworkCost) -> SymmetricCost:
        other = copy.copy(self)
        other.cost = cost
        return other

    def _projected(self, theta: Any) -> Any:
        return like(self._classes.mean(_checked(theta, self.blocks)), theta)


class _Classes:
    """The entries of theta in their "same colour" classes.

    Attributes
    ----------
    of_entry : (n,), the class of each entry.
    first : (classes,), one entry of each class.
    counts : (classes,), its number of entries.
    """

    def __init__(self, network: Network, labels: Labels) -> None:
        colours = _entry_colours(_unit_labels(network, labels))
        _, self.first, self.of_entry, self.counts = np.unique(
            colours, return_index=True, return_inverse=True, return_counts=True
        )

    def mean(self, theta: Array) -> Array:
        """Return theta (..., n) with every entry replaced by the mean of its class."""
        first = picked(theta, self.first, -1)
        difference = theta - picked(first, self.of_entry, -1)
        total = sums(difference, self.of_entry, len(self.first))
        counts = cast(alike(self.counts, theta), word_of(theta.dtype))
        return picked(first + total / counts, self.of_entry, -1)


def _entry_colours(units: Sequence[Integers]) -> Integers:
    """Return a number for every entry of theta, equal where the entries shall be equal."""
    colours, used = [], 0
    for below, above in pairwise(units):
        columns = np.concatenate([[0], 1 + below])  # the constant unit is a class of its own
        width = int(columns.max()) + 1
        colours.append((used + above[:, None] * width + columns).reshape(-1))
        used += (int(above.max()) + 1) * width
    return np.concatenate(colours)


def _unit_labels(network: Network, labels: Labels) -> list[Integers]:
    """Return the labels of all layers, inputs and outputs included, counted from 0."""
    given = [np.asarray(layer) for layer in labels]
    hidden = [layer[0] if layer.ndim == 2 and len(layer) == 1 else layer for layer in given]
    wanted = [(units,) for units in network.layers[1:-1]]
    found = [layer.shape for layer in hidden]
    if found != wanted or any(layer.dtype.kind not in "iu" for layer in hidden):
        raise InvalidInput(
            f"labels must be one array of integers for each hidden layer, of shapes {wanted}. "
            f"Got shapes {found} of {[str(layer.dtype) for layer in hidden]}."
        )
    numbered = [np.unique(layer, return_inverse=True)[1].reshape(-1) for layer in hidden]
    return [np.arange(network.n_features), *numbered, np.arange(network.n_outputs)]
