"""What is found out about net and starts before the training: gradient and symmetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy, picked
from symbreak.errors import InvalidInput
from symbreak.gradient_check import GradientReport, check_gradient
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize.methods import find_method
from symbreak.symmetry import Group, symmetries
from symbreak.text import pluralize

CHECKED_ROWS = 64
KINDS = {
    "identical": "identical",
    "mirrored": "mirrored",
    "zero": "zero",
    "equal_sums": "equal sums",
}


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
    finite = np.isfinite(as_numpy(part.value(theta)))
    if not finite.any():
        raise InvalidInput(
            f"At least one start must have a finite J. Got none of {len(theta)}; draw smaller "
            "starts, with a smaller --epsilon or another --init."
        )
    return check_gradient(part, theta[int(finite.argmax())])


@dataclass(frozen=True)
class Symmetry:
    """How many hidden units the training can tell apart: the certificate of all starts, in short.

    Attributes
    ----------
    units : of each hidden layer.
    least : the number of distinct units of each layer in the start that has the fewest.
    kinds : for each layer, why units are one unit, or nothing, in some start.
    starts, n_broken : how many starts there are, and in how many of them all units are distinct.
    update : "linear" or "elementwise".
    lasts : whether the method goes by gradients, which are equal for equal units.
    """

    units: tuple[int, ...]
    least: tuple[int, ...]
    kinds: tuple[tuple[str, ...], ...]
    starts: int
    n_broken: int
    update: str
    lasts: bool = True

    @classmethod
    def of(cls, network: Network, theta: Any, *, alpha: float, method: str) -> Symmetry:
        """Certify theta (starts, n) for the updates of a method and the penalty in J.

        A start that is not finite has no units to speak of; it is not among the starts.
        """
        rows = np.flatnonzero(np.isfinite(as_numpy(theta)).all(axis=1))
        finite = picked(theta, rows, 0)
        known = find_method(method)
        certificate = symmetries(network, finite, alpha=alpha, update=known.update)
        units = network.layers[1:-1]
        kinds = tuple(
            tuple(dict.fromkeys(KINDS[g.kind] for g in certificate.groups if _lasts(g, layer)))
            for layer in range(1, len(units) + 1)
        )
        least = tuple(certificate.effective_widths.min(axis=0).tolist())
        n_broken = int((~certificate.permanent).sum())
        starts, lasts = len(finite), known.uses_gradients
        return cls(units, least, kinds, starts, n_broken, known.update, lasts)

    @property
    def is_broken(self) -> bool:
        """Whether all hidden units of all starts are distinct."""
        return self.n_broken == self.starts

    @property
    def line(self) -> str:
        """The finding in one line."""
        return f"{'Symmetry' if self.is_broken else 'Warning'}: {self.finding}"

    @property
    def finding(self) -> str:
        """What was found, in words."""
        if not self.units:
            return "no hidden layer, so there is none to break."
        of = f"of {pluralize(self.starts, 'start')}"
        if self.is_broken:
            units = pluralize(sum(self.units), "hidden unit")
            return f"{units}, all distinct in {self.n_broken} {of}."
        layers = enumerate(zip(self.units, self.least, self.kinds, strict=True), 1)
        equal = ", ".join(
            f"the {units} units of hidden layer {layer} act as {least or 'none'} "
            f"({', '.join(kinds)})"
            for layer, (units, least, kinds) in layers
            if least < units
        )
        return (
            f"Symmetry is not broken in {self.starts - self.n_broken} {of}: {equal}. "
            f"Equal units {'stay' if self.lasts else 'start as'} one unit; draw the starts at "
            "random, for example with --init glorot_uniform."
        )


def _lasts(group: Group, layer: int) -> bool:
    return group.permanent and group.layer == layer
