"""How far activations and deltas spread in each layer at a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from symbreak.network import Network
from symbreak.reports.collect.signals import spread_of_signals
from symbreak.reports.numbers import number_of
from symbreak.reports.pictures.display import Display, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class SpreadDisplay(Display):
    """The standard deviation of a and of delta in each layer; bars go over the starts.

    Parameters
    ----------
    a, delta : (layers, starts), from layer 2 on.
    """

    def __init__(self, *, a: Any, delta: Any) -> None:
        self.a, self.delta = np.asarray(a, dtype=np.float64), np.asarray(delta, dtype=np.float64)

    @classmethod
    def from_network(
        cls, network: Network, theta: Any, X: Any, y: Any, *, ax: Axes | None = None
    ) -> Self:
        """Draw theta (starts, n) or (n,) on examples; the first 16 starts and 256 rows are used."""
        layers = spread_of_signals(network, np.atleast_2d(np.asarray(theta)), X, y)["layers"]
        both = ([[number_of(n) for n in one[name]] for one in layers] for name in ("a", "delta"))
        a, delta = both
        return cls(a=a, delta=delta).plot(ax)

    def _draw(self, ax: Axes) -> None:
        layers = np.arange(2, 2 + len(self.a))
        for number, (name, values, mark) in enumerate(
            (("activations a", self.a, "o-"), ("deltas", self.delta, "s--")), start=1
        ):
            middle = np.median(values, axis=1)
            bars = np.abs(np.stack([values.min(1), values.max(1)]) - middle)
            ax.errorbar(
                layers, middle, yerr=bars, fmt=mark, color=colour(number), capsize=3.0, label=name
            )
        everything = np.concatenate([self.a, self.delta])
        if (everything > 0.0).all():
            ax.set_yscale("log")
        ax.set_xticks(layers)
        ax.set(xlabel="layer", ylabel="standard deviation at the start")
        ax.legend()
