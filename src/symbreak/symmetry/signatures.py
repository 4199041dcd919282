"""What a unit sees of the classes beside it, and when two units see the same.

Conventions
-----------
The signature of a unit is, for each class D of a layer beside it with signs s,

    by sums       the number  sum over j in D of s_j w_j,
    by multisets  the numbers s_j w_j, j in D, sorted;

units with sign 0 are left out. Two signatures x, y are equal when |x - y| <= tolerance (|x| + |y|)
entry by entry, where |x| is for sums the sum of |w_j|: a relative measure, whatever the scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbreak.symmetry.classes import Floats, Integers


@dataclass(frozen=True)
class Signatures:
    """Signatures of some units, one row for each, and those that their mirrors would have."""

    plain: Floats
    mirrored: Floats
    sizes: Floats

    def beside(self, other: Signatures) -> Signatures:
        """Return both in one."""
        pairs = (
            (self.plain, other.plain), (self.mirrored, other.mirrored), (self.sizes, other.sizes)
        )  # fmt: skip
        return Signatures(*(np.concatenate(pair, axis=1) for pair in pairs))

    def are_zero(self, tolerance: float) -> npt.NDArray[np.bool_]:
        """Tell which units are their own mirrors: what they see sums to nothing."""
        limit = 2.0 * tolerance * self.sizes
        return np.asarray((np.abs(self.plain - self.mirrored) <= limit).all(axis=1))

    def equal(self, rows: Integers, to: int, tolerance: float, *, mirrored: bool) -> Integers:
        """Return those of `rows` that equal the plain signature of unit `to`."""
        seen = (self.mirrored if mirrored else self.plain)[rows]
        limit = tolerance * (self.sizes[rows] + self.sizes[to])
        return np.asarray(rows[(np.abs(seen - self.plain[to]) <= limit).all(axis=1)])


def signatures(
    values: Floats, sizes: Floats, labels: Integers, signs: Integers, *, by_sums: bool
) -> Signatures:
    """Return the signatures of units by one side.

    Parameters
    ----------
    values, sizes : (units, others), the weights from or to the units of the layer beside.
    labels, signs : (others,), of that layer.
    """
    order = np.argsort(labels, kind="stable")
    order = order[signs[order] != 0]
    if not np.array_equal(order, np.arange(len(labels))):
        values, sizes = values[:, order], sizes[:, order]
    oriented = values * signs[order]
    if order.size == 0:
        return Signatures(oriented, oriented, sizes)
    bounds = np.flatnonzero(np.diff(labels[order], prepend=labels[order[0]] - 1))
    if by_sums and bounds.size == order.size:
        return Signatures(oriented, -oriented, sizes)
    if by_sums:
        sums = np.add.reduceat(oriented, bounds, axis=1)
        return Signatures(sums, -sums, np.add.reduceat(sizes, bounds, axis=1))
    plain = _sorted_within(oriented, bounds)
    return Signatures(plain, _sorted_within(-oriented, bounds), np.abs(plain))


def _sorted_within(values: Floats, bounds: Integers) -> Floats:
    """Sort each row between the bounds."""
    result = values.copy()
    ends = np.append(bounds[1:], values.shape[1])
    for first, end in zip(bounds, ends, strict=True):
        if end - first > 1:
            result[:, first:end].sort(axis=1)
    return result


def split(
    signatures: Signatures, tolerance: float, *, may_mirror: bool
) -> list[tuple[Integers, Integers]]:
    """Return classes of equal (or mirrored) units: pairs (units, signs)."""
    classes, rest = [], np.arange(len(signatures.plain))
    while rest.size:
        first = int(rest[0])
        # The first equals itself even where it is not a number.
        same = np.union1d(signatures.equal(rest, first, tolerance, mirrored=False), [first])
        other = np.setdiff1d(rest, same)
        if may_mirror:
            other = signatures.equal(other, first, tolerance, mirrored=True)
            units = np.concatenate([same, other])
        else:
            other, units = other[:0], same
        classes.append((units, np.repeat([1, -1], [same.size, other.size])))
        rest = np.setdiff1d(rest, units)
    return classes
