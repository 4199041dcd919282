"""Classes of units with signs: which units of a layer are one unit, its mirror, or nothing.

Conventions
-----------
Every unit i has a class c(i) and a sign s_i, such that for every example

    a_i = s_i a_C,   delta_i = s_i delta_C   for i in C,   and a_i = delta_i = 0 where s_i = 0.

s_i = -1 occurs only where the activation is odd, s_i = 0 only where g(0) = 0. Inputs and outputs
are alone in their class, with sign 1. labels, signs : one integer array (starts, units) for each
layer, inputs and outputs included; units with sign 0 have one label together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbreak.activations import Activation
from symbreak.network import Network

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AtZero:
    """What an activation does at z = 0.

    Attributes
    ----------
    is_odd : g(-z) = -g(z), so that a unit can be the mirror of another.
    rests : g(0) = 0, so that a unit that nothing comes into stays silent.
    blocks : g'(0) = 0, so that nothing comes back through it either.
    """

    is_odd: bool
    rests: bool
    blocks: bool

    @classmethod
    def of(cls, activation: Activation) -> AtZero:
        """Ask the activation itself."""
        zero = np.zeros(1)
        rests = float(activation.value(zero)[0]) == 0.0
        blocks = rests and float(activation.derivative(zero)[0]) == 0.0
        return cls(activation.is_odd, rests, blocks)


@dataclass
class Classes:
    """The classes and signs of all units, for every start."""

    labels: list[Integers]
    signs: list[Integers]

    @classmethod
    def coarsest(cls, network: Network, starts: int) -> Classes:
        """All units of a hidden layer are one, and nothing where the activation allows it."""
        rests = [AtZero.of(activation).rests for activation in network.activations]
        zeros = [np.zeros((starts, units), dtype=np.int64) for units in network.layers[1:-1]]
        alone = [np.tile(np.arange(units), (starts, 1)) for units in network.layers]
        signs = [zero + (not rest) for zero, rest in zip(zeros, rests, strict=True)]
        ones = [np.ones_like(ends) for ends in (alone[0], alone[-1])]
        return cls([alone[0], *zeros, alone[-1]], [ones[0], *signs, ones[1]])

    def settled(self, layer: int) -> Integers:
        """Return how fine the classes of a layer are, (starts,); grows with each refinement."""
        living = np.abs(self.signs[layer]).sum(axis=1)
        return np.asarray(self.labels[layer].max(axis=1) + living)

    def all_settled(self) -> Integers:
        """Return how fine the classes of all layers are, (starts,)."""
        return np.asarray(sum(self.settled(layer) for layer in range(len(self.labels))))

    def is_discrete(self) -> npt.NDArray[np.bool_]:
        """Return whether all units are distinct and alive, (starts,)."""
        layers = zip(self.labels, self.signs, strict=True)
        distinct = [
            (labels.max(axis=1) == labels.shape[1] - 1) & (signs != 0).all(axis=1)
            for labels, signs in layers
        ]
        return np.asarray(np.all(distinct, axis=0))

    def take(self, starts: npt.NDArray[np.int64] | slice) -> Classes:
        """Return the classes of these starts, fresh."""
        return Classes(
            [labels[starts].copy() for labels in self.labels],
            [signs[starts].copy() for signs in self.signs],
        )

    def put(self, starts: Integers, other: Classes) -> None:
        """Write the classes of these starts."""
        for mine, theirs in zip(
            (*self.labels, *self.signs), (*other.labels, *other.signs), strict=True
        ):
            mine[starts] = theirs

    @classmethod
    def joined(cls, parts: list[Classes]) -> Classes:
        """Return the starts of all parts one after the other."""
        layers = range(len(parts[0].labels))
        return cls(
            [np.concatenate([part.labels[layer] for part in parts]) for layer in layers],
            [np.concatenate([part.signs[layer] for part in parts]) for layer in layers],
        )


def renumbered(labels: Integers) -> Integers:
    """Return labels (units,) counted from 0."""
    return np.unique(labels, return_inverse=True)[1].reshape(-1)
