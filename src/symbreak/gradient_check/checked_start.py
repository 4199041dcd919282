"""What the check along lines knows of one start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symbreak.gradient_check.directional import Directional
from symbreak.gradient_check.parameter_groups import ParameterGroup
from symbreak.gradient_check.probes import Array
from symbreak.gradient_check.report import BlockReport


@dataclass(frozen=True)
class DirectionSettings:
    """How many lines through each group, the seed of all draws, and whether errors are searched."""

    directions: int
    seed: int
    locates: bool


@dataclass(frozen=True)
class CheckedStart:
    """What is checked at one start.

    Attributes
    ----------
    gradient, theta : (n,).
    n_examples : m; None where it is not known.
    aside : gives the verdict on a group at a theta close by, off the kinks of this one; None where
        there is none.
    """

    directional: Directional
    gradient: Array
    theta: Array
    n_examples: int | None
    settings: DirectionSettings
    aside: Callable[[ParameterGroup], BlockReport | None]

    def stream(self, number: int, purpose: int) -> np.random.Generator:
        """Return the random numbers of a group."""
        return np.random.default_rng([self.settings.seed, number, purpose])
