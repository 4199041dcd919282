"""The weights as the certificate reads them: values, and the sizes that rounding is measured by.

Conventions
-----------
values, sizes : (starts, units_out, 1 + units_in) for each Theta, float64; sizes = |values|.
Soft-max does not see a number added to all its inputs, J(Theta + 1 v') = J(Theta): what counts of
the last Theta is its deviation from the mean over the outputs. `centred` holds that, its size is
the largest |entry| of the column, whose rounding it carries. Without soft-max it is Theta itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symbreak.network import Network
from symbreak.symmetry.classes import Floats, Integers


@dataclass(frozen=True)
class Weights:
    """All Theta of some starts; `raw` as they stand, `values` with the last one centred."""

    raw: list[Floats]
    values: list[Floats]
    sizes: list[Floats]

    @classmethod
    def of(cls, network: Network, theta: Floats) -> Weights:
        """Read theta, (starts, n)."""
        raw = list(network.thetas(theta))
        values, sizes = list(raw), [np.abs(Theta) for Theta in raw]
        if network.loss.sees_differences:
            values[-1] = centred(raw[-1])
            sizes[-1] = np.broadcast_to(sizes[-1].max(axis=1, keepdims=True), raw[-1].shape)
        return cls(raw, values, sizes)

    def take(self, starts: Integers) -> Weights:
        """Return the weights of these starts; without a copy where they are all."""
        if len(starts) == len(self.raw[0]):
            return self
        parts = ([Theta[starts] for Theta in kind] for kind in (self.raw, self.values, self.sizes))
        return Weights(*parts)


def centred(Theta: Floats) -> Floats:
    """Return Theta less its mean over the outputs."""
    return np.asarray(Theta - Theta.mean(axis=-2, keepdims=True))
