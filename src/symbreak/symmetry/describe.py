"""From classes to groups: the kind of each, its members, spread and reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbreak.network import Network
from symbreak.symmetry.classes import AtZero, Classes, Floats, Integers
from symbreak.symmetry.groups import ALIKE, LINEAR, Group, reason_of
from symbreak.symmetry.invariant_set import InvariantSet


def groups_of(
    network: Network,
    stack: Floats,
    by_sums: npt.NDArray[np.bool_],
    kept: Classes,
    sums: Classes,
    multisets: Classes,
    tolerance: float,
) -> tuple[Group, ...]:
    """Return the groups of all starts: those that are kept, then those that are equal now.

    Parameters
    ----------
    stack : (starts, n).
    by_sums : (starts, number of Theta), the rules that `kept` was found by.
    kept, sums, multisets : the classes by these rules, by sums alone, by multisets alone.
    """
    groups = []
    for start in np.flatnonzero(~sums.is_discrete()):
        theta, rules = stack[start], by_sums[start]
        lasting = _Start(network, theta, kept, multisets, int(start), rules, tolerance)
        groups += list(lasting.groups(permanent=True))
        if not rules.all():
            passing = _Start(network, theta, sums, multisets, int(start), rules | True, tolerance)
            known = {(group.layer, group.units) for group in groups if group.start == start}
            found = passing.groups(permanent=False)
            groups += [group for group in found if (group.layer, group.units) not in known]
    return tuple(sorted(groups, key=lambda group: (not group.permanent, group.start, group.layer)))


@dataclass(frozen=True)
class _Start:
    """The classes of one start, by one rule."""

    network: Network
    theta: Floats
    classes: Classes
    multisets: Classes
    start: int
    by_sums: npt.NDArray[np.bool_]
    tolerance: float

    def groups(self, *, permanent: bool) -> Iterator[Group]:
        within = InvariantSet(
            self.network, self.classes, self.start, self.by_sums, self.theta, self.tolerance
        )
        away = np.abs(self.theta - within.project(self.theta))
        for layer in range(1, len(self.network.layers) - 1):
            signs = self.classes.signs[layer][self.start]
            for units in self._members(layer):
                yield self._group(layer, units, signs[units], away, permanent=permanent)

    def _members(self, layer: int) -> Iterator[Integers]:
        """Yield the units of each class that has several, or is nothing."""
        labels = self.classes.labels[layer][self.start]
        signs = self.classes.signs[layer][self.start]
        order = np.argsort(labels, kind="stable")
        for units in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
            if len(units) > 1 or signs[units[0]] == 0:
                yield units

    def _group(
        self, layer: int, units: Integers, signs: Integers, away: Floats, *, permanent: bool
    ) -> Group:
        alike, mirrored = self._by_multisets(layer, units, signs), bool((signs < 0).any())
        kind = "equal_sums"
        if not signs.any():
            kind = "zero"
        elif alike:
            kind = "mirrored" if mirrored else "identical"
        reason = reason_of(
            kind,
            identical=self._identical(layer, units, signs),
            mirrored=mirrored,
            blocks=AtZero.of(self.network.activations[layer - 1]).blocks,
        )
        largest = np.abs(self._of_units(self.theta, layer, units)).max()
        spread = self._of_units(away, layer, units).max() / max(largest, np.finfo(float).tiny)
        return Group(
            self.start, layer, kind, tuple(units.tolist()), tuple(units[signs < 0].tolist()),
            permanent, ALIKE if alike else LINEAR, float(spread), reason,
        )  # fmt: skip

    def _by_multisets(self, layer: int, units: Integers, signs: Integers) -> bool:
        """Tell whether the units are one unit by multisets too, with the same signs."""
        labels = self.multisets.labels[layer][self.start][units]
        finer = self.multisets.signs[layer][self.start][units]
        same_signs = bool((finer * finer[0] == signs * signs[0]).all())
        return bool((labels == labels[0]).all()) and same_signs

    def _identical(self, layer: int, units: Integers, signs: Integers) -> bool:
        weights = self._of_units(self.theta, layer, units) * signs[:, None]
        limit = self.tolerance * (np.abs(weights) + np.abs(weights[0]))
        return bool((np.abs(weights - weights[0]) <= limit).all())

    def _of_units(self, vector: Floats, layer: int, units: Integers) -> Floats:
        """Return what belongs to the weights in and out of the units, (units, weights)."""
        thetas = self.network.thetas(vector)
        return np.concatenate([thetas[layer - 1][units], thetas[layer][:, 1 + units].T], axis=1)
