"""The coarsest classes of hidden units that updates keep: colour refinement with signs.

Conventions
-----------
Units i, i' of one layer stay in one class while they see the same of the classes below and above:

    bias           s_i b_i = s_i' b_i'
    from below     the signature of s_i Theta(l-1)[i, j] over each class of units j
    from above     the signature of s_i Theta(l)[k, i] over each class of units k

(signatures: `symbreak.symmetry.signatures`; by sums or by multisets, for each Theta its own rule).
A unit has sign 0 while nothing comes in, and no delta comes back or g'(0) = 0. All begins as one
class with sign 0, where g(0) = 0, and is split until nothing changes. Each split is forced, so the
result is the coarsest partition with these properties (Paige & Tarjan 1987 for sets; here with
weights and signs). Forward: equal signatures from below give equal a. Backward: equal signatures
from above, and equal z, give equal delta.

Candidates come from two random numbers per class, r_i = sum_j s_j rho_c(j) w_ij, one product of
matrix and vector: equal signatures have r within the rounding of A_i = sum_j rho_c(j) |w_ij|. What
might be equal is then compared entry by entry, so chance decides nothing.
Cost per round: O(weights + units log units), and the comparison of units that might be equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbreak.network import Network
from symbreak.symmetry.classes import AtZero, Classes, Floats, Integers, renumbered
from symbreak.symmetry.signatures import Signatures, signatures, split
from symbreak.symmetry.weights import Weights

Mask = npt.NDArray[np.bool_]
_EPS = float(np.finfo(np.float64).eps)
_PROJECTIONS = 2


def refine(
    network: Network,
    weights: Weights,
    by_sums: Mask,
    tolerance: float,
    within: Classes | None = None,
) -> Classes:
    """Return the coarsest classes.

    Parameters
    ----------
    by_sums : (starts, number of Theta), the rule of each Theta: sums, or multisets.
    tolerance : relative; see `symbreak.symmetry.signatures`.
    within : classes that are known to be coarser, to begin from.
    """
    if within is None:
        within = Classes.coarsest(network, len(by_sums))
    classes = within.take(slice(None))
    at_zero = [AtZero.of(activation) for activation in network.activations]
    hidden = list(range(1, len(network.layers) - 1))
    running = np.arange(len(by_sums))
    known: dict[int, bytes] = {}
    while running.size:
        part = _Refinement(
            weights.take(running), by_sums[running], classes.take(running), tolerance
        )
        before = part.classes.all_settled()
        for layer in (*hidden, *hidden[-2::-1]):
            # A layer is split again only where a layer beside it was.
            beside = b"".join(part.classes.settled(at).tobytes() for at in (layer - 1, layer + 1))
            if known.get(layer) != beside:
                part.refine_layer(layer, at_zero[layer - 1])
            known[layer] = beside
        classes.put(running, part.classes)
        changed = part.classes.all_settled() != before
        running = running[changed & ~part.classes.is_discrete()]
    return classes


@dataclass
class _Refinement:
    """One round for some starts."""

    weights: Weights
    by_sums: Mask
    classes: Classes
    tolerance: float

    def refine_layer(self, layer: int, at_zero: AtZero) -> None:
        labels, signs = self.classes.labels[layer], self.classes.signs[layer]
        below, size_below = self._seen_below(layer)
        above, size_above = self._seen_above(layer)
        silent = (np.abs(below) <= size_below).all(axis=2)
        unheard = (np.abs(above) <= size_above).all(axis=2) | at_zero.blocks
        maybe_zero = (signs == 0) & silent & unheard
        key = below + above
        if at_zero.is_odd:
            key = np.where(signs[..., None] == 0, np.abs(key), key * signs[..., None])
        found = labels
        for projection in range(_PROJECTIONS):
            widths = (size_below + size_above)[..., projection]
            found = overlapping(found, key[..., projection], widths)
        single = _counts(found) == 1
        self.classes.labels[layer] = found
        signs[(signs == 0) & single & ~maybe_zero] = 1
        for start in np.flatnonzero((~single | maybe_zero).any(axis=1)):
            self._verify(layer, int(start), maybe_zero[start], at_zero)

    def _seen_below(self, layer: int) -> tuple[Floats, Floats]:
        """Return r and the limit of its rounding by what comes in, (starts, units, projections)."""
        code = self._codes(layer - 1)
        constant = np.full((len(code), 1, _PROJECTIONS), 0.7)
        code = np.concatenate([constant, code], axis=1)
        theta, sizes = self.weights.values[layer - 1], self.weights.sizes[layer - 1]
        return theta @ code, self._limit(code) * (sizes @ np.abs(code))

    def _seen_above(self, layer: int) -> tuple[Floats, Floats]:
        code = self._codes(layer + 1)
        theta = self.weights.values[layer][..., 1:].swapaxes(1, 2)
        sizes = self.weights.sizes[layer][..., 1:].swapaxes(1, 2)
        return theta @ code, self._limit(code) * (sizes @ np.abs(code))

    def _codes(self, layer: int) -> Floats:
        labels, signs = self.classes.labels[layer], self.classes.signs[layer]
        # The seed decides only what is compared, never the result.
        random = np.random.default_rng(layer)
        rho = random.uniform(0.5, 1.5, (labels.shape[1], _PROJECTIONS))
        rho *= random.choice([-1.0, 1.0], rho.shape)
        return np.asarray(rho[labels] * signs[..., None])

    def _limit(self, code: Floats) -> float:
        return self.tolerance + _EPS * float(code.shape[1] + 2)

    def _verify(self, layer: int, start: int, maybe_zero: Mask, at_zero: AtZero) -> None:
        """Split what only seemed equal, and give signs to what is not zero."""
        labels, signs = self.classes.labels[layer][start], self.classes.signs[layer][start]
        zero = self._zero_units(layer, start, np.flatnonzero(maybe_zero), at_zero)
        fresh = labels.copy()
        fresh[zero] = -1
        for label in np.flatnonzero(np.bincount(fresh[fresh >= 0], minlength=1) > 1):
            units = np.flatnonzero(fresh == label)
            seen = self._signatures(layer, start, units, signs)
            may_mirror = at_zero.is_odd and not signs[units].any()
            for members, relative in split(seen, self.tolerance, may_mirror=may_mirror):
                fresh[units[members]] = len(labels) + units[members[0]]
                unsigned = signs[units[members]] == 0
                signs[units[members[unsigned]]] = relative[unsigned]
        alone = (signs == 0) & (fresh >= 0)
        signs[alone] = 1
        labels[:] = renumbered(fresh)

    def _zero_units(self, layer: int, start: int, units: Integers, at_zero: AtZero) -> Integers:
        if units.size == 0:
            return units
        ones = np.ones_like(self.classes.signs[layer][start])
        seen = self._from_below(layer, start, units, ones)
        if not at_zero.blocks:
            seen = seen.beside(self._from_above(layer, start, units, ones, self.weights.values))
        return units[seen.are_zero(self.tolerance)]

    def _signatures(self, layer: int, start: int, units: Integers, signs: Integers) -> Signatures:
        orient = np.where(signs == 0, 1, signs)
        # By multisets entries count as they stand, also below soft-max: the penalty sees them.
        outgoing = self.weights.values if self.by_sums[start, layer] else self.weights.raw
        below = self._from_below(layer, start, units, orient)
        return below.beside(self._from_above(layer, start, units, orient, outgoing))

    def _from_below(self, layer: int, start: int, units: Integers, orient: Integers) -> Signatures:
        values = self.weights.values[layer - 1][start][units] * orient[units, None]
        sizes = self.weights.sizes[layer - 1][start][units]
        bias = Signatures(values[:, :1], -values[:, :1], sizes[:, :1])
        others = self.classes.labels[layer - 1][start], self.classes.signs[layer - 1][start]
        by_sums = bool(self.by_sums[start, layer - 1])
        return bias.beside(signatures(values[:, 1:], sizes[:, 1:], *others, by_sums=by_sums))

    def _from_above(
        self, layer: int, start: int, units: Integers, orient: Integers, outgoing: list[Floats]
    ) -> Signatures:
        values = outgoing[layer][start][:, 1 + units].T * orient[units, None]
        sizes = self.weights.sizes[layer][start][:, 1 + units].T
        others = self.classes.labels[layer + 1][start], self.classes.signs[layer + 1][start]
        # Outputs are alone in their class: a sum and a multiset of one number are the same.
        by_sums = bool(self.by_sums[start, layer]) or layer == len(self.weights.values) - 1
        return signatures(values, sizes, *others, by_sums=by_sums)


def overlapping(labels: Integers, centres: Floats, widths: Floats) -> Integers:
    """Split classes where the intervals centre ± width of their units do not touch.

    Parameters
    ----------
    labels, centres, widths : (starts, units).

    Returns
    -------
    Finer labels, (starts, units), below the number of units.
    """
    starts, units = labels.shape
    group = (np.arange(starts)[:, None] * units + labels).reshape(-1)
    left, right = (centres - widths).reshape(-1), (centres + widths).reshape(-1)
    order = np.lexsort((left, group))
    group, left, right = group[order], left[order], right[order]
    by_right = np.argsort(right, kind="stable")
    rank = np.empty_like(by_right)
    rank[by_right] = np.arange(len(rank))
    furthest = np.maximum.accumulate(group * len(rank) + rank) - group * len(rank)
    reached = np.searchsorted(right[by_right], left)
    new = np.ones(len(rank), dtype=bool)
    new[1:] = (group[1:] != group[:-1]) | (reached[1:] > furthest[:-1])
    number = np.empty(len(rank), dtype=np.int64)
    number[order] = np.cumsum(new)
    finer = number.reshape(starts, units)
    return np.asarray(finer - finer.min(axis=1, keepdims=True))


def _counts(labels: Integers) -> Integers:
    """Return for each unit how many of its start have its label, (starts, units)."""
    starts, units = labels.shape
    flat = (np.arange(starts)[:, None] * units + labels).reshape(-1)
    counts = np.bincount(flat, minlength=starts * units)[flat]
    return np.asarray(counts.reshape(starts, units))
