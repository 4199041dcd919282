"""The number of distinct units of each hidden layer over iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from symbreak.network import Network
from symbreak.reports.distinct_units import distinct_up_to_rounding
from symbreak.reports.pictures.display import Display, colour
from symbreak.training.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class DistinctUnitsDisplay(Display):
    """Distinct units of each hidden layer; two are one if all weights are equal up to rounding.

    Parameters
    ----------
    updates : (points,).
    distinct : (layers, points).
    units : (layers,), how many units there are.
    """

    def __init__(self, *, updates: Any, distinct: Any, units: Any) -> None:
        self.updates = np.asarray(updates)
        self.distinct = np.asarray(distinct)
        self.units = tuple(units)

    @classmethod
    def from_path(cls, network: Network, path: Trajectory, *, ax: Axes | None = None) -> Self:
        """Draw the trajectory of one start, as `symbreak.training.trajectory` keeps it."""
        counts = [distinct_up_to_rounding(network, theta) for theta in path.theta]
        return cls(
            updates=path.updates, distinct=np.transpose(counts), units=network.layers[1:-1]
        ).plot(ax)

    def _draw(self, ax: Axes) -> None:
        for number, (distinct, units) in enumerate(zip(self.distinct, self.units, strict=True), 1):
            ax.plot(
                self.updates, distinct, ("o-", "s--", "D:", "^-.")[(number - 1) % 4],
                color=colour(number), label=f"hidden layer {number}, of {units} units",
            )  # fmt: skip
        ax.set_xscale("symlog", linthresh=1.0)
        ax.set_ylim(0.0, 1.05 * max(self.units, default=1))
        ax.set(xlabel="iterations", ylabel="distinct units")
        if self.units:
            ax.legend()
