"""The set of theta that a certificate speaks of, and the nearest theta in it.

Conventions
-----------
W = Theta[:, 1:]; unit i is of class C (size p, sign s_i), unit j below of D (size q, sign s_j).
The set is linear; a Theta ruled by sums is in it when on each block C x D

    R_i = sum_j s_j W_ij = s_i T / p,    K_j = sum_i s_i W_ij = s_j T / q,   T = sum s_i W_ij s_j,

0 for units of sign 0 (no condition on K_j where g'(0) = 0 silences unit j). The projection takes

    W_ij - s_j (R_i - s_i T / p) / q - s_i (K_j - s_j T / q) / p.

A Theta ruled by multisets is in it when the entries s_i W_ij s_j that were equal at the certified
theta are equal. Biases: s_i b_i is equal on C, 0 where the sign is 0. Under soft-max the mean of
the last Theta over the outputs is free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbreak.network import Network
from symbreak.symmetry.classes import AtZero, Classes, Floats, Integers, renumbered
from symbreak.symmetry.weights import centred


@dataclass(frozen=True)
class Side:
    """The units of one layer of one start."""

    labels: Integers
    signs: Integers
    blocks: bool = False

    @property
    def n_classes(self) -> int:
        return int(self.labels.max()) + 1

    @property
    def counts(self) -> Integers:
        """The size of the class of each unit, (units,)."""
        return np.bincount(self.labels)[self.labels]

    @property
    def is_tied(self) -> npt.NDArray[np.bool_]:
        """Whether a unit is one with others, or nothing, (units,)."""
        return np.asarray((self.counts > 1) | (self.signs == 0))

    def take(self, units: npt.NDArray[np.bool_]) -> Side:
        """Return the part of these units, whole classes of them."""
        return Side(renumbered(self.labels[units]), self.signs[units], self.blocks)

    @property
    def is_discrete(self) -> bool:
        return self.n_classes == len(self.labels) and bool((self.signs != 0).all())


class InvariantSet:
    """The certified set of one start.

    Parameters
    ----------
    classes : of all starts; `start` picks one.
    by_sums : (number of Theta,), the rule of each.
    theta : (n,), the certified theta: which entries of a Theta ruled by multisets are equal.
    tolerance : relative; entries that close are equal.
    """

    def __init__(
        self,
        network: Network,
        classes: Classes,
        start: int,
        by_sums: npt.NDArray[np.bool_],
        theta: Floats,
        tolerance: float,
    ) -> None:
        self.network = network
        blocks = [AtZero.of(activation).blocks for activation in network.activations]
        self.sides = [
            Side(labels[start], signs[start], silenced)
            for labels, signs, silenced in zip(
                classes.labels, classes.signs, [False, *blocks, False], strict=True
            )
        ]
        self._ties = [
            None if sums else _Ties(above, below, Theta[:, 1:], tolerance)
            for sums, below, above, Theta in zip(
                by_sums, self.sides[:-1], self.sides[1:], network.thetas(theta), strict=True
            )
        ]

    def project(self, theta: Floats) -> Floats:
        """Return the nearest theta of the set, (n,), fresh."""
        result = theta.copy()
        for layer, Theta in enumerate(self.network.thetas(result)):
            below, above = self.sides[layer], self.sides[layer + 1]
            if not (below.is_discrete and above.is_discrete):
                Theta[:, 0] = _class_means(Theta[:, :1], above)[:, 0]
                Theta[:, 1:] = self._projected(layer, Theta[:, 1:])
        return result

    def _projected(self, layer: int, W: Floats) -> Floats:
        ties, below, above = self._ties[layer], self.sides[layer], self.sides[layer + 1]
        unseen = layer == len(self.sides) - 2 and self.network.loss.sees_differences
        if ties is not None:
            projected = ties.project(W)
            silent = (below.signs == 0) & (unseen and not below.blocks)
            return np.where(silent, W - centred(W), projected)
        if unseen:
            return W - centred(W) + _with_equal_sums(centred(W), above, below)
        return _with_equal_sums(W, above, below)


def _class_means(columns: Floats, side: Side) -> Floats:
    """Replace the entries of each class by their mean, up to signs; columns (units, any)."""
    total = _class_sums(columns, side)
    return np.asarray(
        side.signs[:, None] * (total / np.bincount(side.labels)[:, None])[side.labels]
    )


def _class_sums(columns: Floats, side: Side) -> Floats:
    """Return the sums over classes of s_i times row i, (classes, any)."""
    order = np.argsort(side.labels, kind="stable")
    bounds = np.searchsorted(side.labels[order], np.arange(side.n_classes))
    oriented = columns[order] * side.signs[order, None]
    return np.asarray(np.add.reduceat(oriented, bounds, axis=0))


def _with_equal_sums(W: Floats, above: Side, below: Side) -> Floats:
    """Project W onto equal sums on every block; blocks of one row and one column stay."""
    result = W.copy()
    all_columns = np.ones(len(below.labels), dtype=bool)
    for rows, columns in ((above.is_tied, all_columns), (~above.is_tied, below.is_tied)):
        if rows.any() and columns.any():
            part = np.ix_(rows, columns)
            result[part] = _equal_sums(W[part], above.take(rows), below.take(columns))
    return result


def _equal_sums(W: Floats, above: Side, below: Side) -> Floats:
    rows = _class_sums(W.T, below).T  # R, (units, classes below)
    columns = _class_sums(W, above)  # K, (classes above, units below)
    total = _class_sums(rows, above)  # T, (classes above, classes below)
    p, q = above.counts[:, None], below.counts
    s, t = above.signs[:, None], below.signs
    T = total[above.labels][:, below.labels]
    row_excess = rows[:, below.labels] - s * T / p
    column_excess = columns[above.labels] - t * T / q
    if below.blocks:
        column_excess = np.where(below.signs == 0, 0.0, column_excess)
    return W - t * row_excess / q - s * column_excess / p


class _Ties:
    """Entries of one Theta that are equal up to sign, and stay so.

    Within a block of two living classes the entries s_i W_ij s_j; where i (or j) is zero the
    entries of row i (column j) that are equal up to sign, since they cancel in pairs.
    """

    def __init__(self, above: Side, below: Side, W: Floats, tolerance: float) -> None:
        s, t = above.signs[:, None], below.signs
        alive = (s != 0) & (t != 0)
        self.signs = np.where(alive, s * t, np.sign(W))
        rows = np.where(t == 0, above.labels[:, None], np.arange(len(W))[:, None])
        rows = np.where(alive, above.labels[:, None], rows)
        columns = np.where(s == 0, below.labels, np.arange(W.shape[1]))
        columns = np.where(alive, below.labels, columns)
        free = (s == 0) & (t == 0) | (below.blocks & (t == 0))
        tied = above.is_tied[:, None] | below.is_tied
        kind = np.where(alive, 0, np.where(s == 0, 1, 2))
        block = (rows * W.shape[1] + columns) * 3 + kind
        self.where = np.nonzero(tied & ~free)
        self.signs = self.signs[self.where]
        self.colours = _equal_values(block[self.where], self.signs * W[self.where], tolerance)
        self.counts = np.bincount(self.colours)

    def project(self, W: Floats) -> Floats:
        """Replace tied entries by their mean."""
        total = np.bincount(self.colours, weights=self.signs * W[self.where])
        result = W.copy()
        result[self.where] = self.signs * (total / self.counts)[self.colours]
        return result


def _equal_values(block: Integers, values: Floats, tolerance: float) -> Integers:
    """Number the entries so that equal values of one block have one number."""
    order = np.lexsort((values, block))
    sorted_block, sorted_values = block[order], values[order]
    limit = tolerance * (np.abs(sorted_values[1:]) + np.abs(sorted_values[:-1]))
    new = (np.diff(sorted_block) != 0) | ~(np.diff(sorted_values) <= limit)
    number = np.empty(len(values), dtype=np.int64)
    number[order] = np.concatenate([[0], np.cumsum(new)])
    return number
