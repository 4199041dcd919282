"""What is found out about net and starts before the training: gradient and symmetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.cli.words import counted
from symbreak.errors import InvalidInput
from symbreak.gradient_check import GradientReport, check_gradient
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.units import distinct_units

CHECKED_ROWS = 64


def spread_rows(total: int, n: int) -> NDArray[np.int64]:
    """Return n of so many rows, spread evenly; all of them if n is 0 or too many."""
    count = min(n or total, total)
    return np.linspace(0, total - 1, count).astype(np.int64)


def gradient_report(cost: NetworkCost, theta: Any) -> GradientReport:
    """Check the gradient at one start, on a few rows.

    Parameters
    ----------
    theta : (starts, n); the first one whose J is finite is taken.

    Raises
    ------
    InvalidInput
        There is none.
    """
    part = cost.batch(spread_rows(cost.n_examples, CHECKED_ROWS))
    finite = np.isfinite(part.value(theta).cpu().numpy())
    if not finite.any():
        raise InvalidInput(
            f"At least one start must have a finite J. Got none of {len(theta)}; draw smaller "
            "starts, with a smaller --epsilon or another --init."
        )
    return check_gradient(part, theta[int(finite.argmax())])


@dataclass(frozen=True)
class Symmetry:
    """How many hidden units are different ones at the starts.

    Attributes
    ----------
    units : of each hidden layer.
    least : the number of distinct units of each layer in the start that has the fewest.
    starts, n_broken : how many starts there are, and in how many of them all units are distinct.
    """

    units: tuple[int, ...]
    least: tuple[int, ...]
    starts: int
    n_broken: int

    @classmethod
    def of(cls, network: Network, theta: Any) -> Symmetry:
        """Count the distinct units of theta (starts, n)."""
        units = network.layers[1:-1]
        distinct = distinct_units(network, theta)
        all_distinct = np.ones(len(theta), dtype=bool)
        for count, found in zip(units, distinct, strict=True):
            all_distinct &= found == count
        least = tuple(int(found.min()) for found in distinct)
        return cls(units, least, len(theta), int(all_distinct.sum()))

    @property
    def is_broken(self) -> bool:
        """Whether all hidden units of all starts are distinct."""
        return self.n_broken == self.starts

    @property
    def line(self) -> str:
        """The finding in one line."""
        if not self.units:
            return "Symmetry: no hidden layer, so there is none to break."
        of = f"of {counted(self.starts, 'start')}"
        if self.is_broken:
            units = counted(sum(self.units), "hidden unit")
            return f"Symmetry: {units}, all distinct in {self.n_broken} {of}."
        equal = ", ".join(
            f"hidden layer {layer} has {least} distinct of {units}"
            for layer, (units, least) in enumerate(zip(self.units, self.least, strict=True), 1)
            if least < units
        )
        return (
            f"Warning: Symmetry is not broken in {self.starts - self.n_broken} {of}: {equal}. "
            "Equal units stay one unit; draw the starts at random, for example with "
            "--init glorot_uniform."
        )
