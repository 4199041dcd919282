"""The network: equal weights in one colour, mirrored ones dashed.

The widest line is the largest |weight| that is drawn; a unit that is drawn in part of its layer is
told so below the layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from symbreak.network import Network
from symbreak.page import network_picture
from symbreak.reports.distinct_units import ROUNDING
from symbreak.reports.pictures.display import GREY, Display, colour
from symbreak.text import pluralize
from symbreak.training.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class NetworkDisplay(Display):
    """The network at one point of a search.

    Parameters
    ----------
    picture : what `symbreak.page.network_picture` returns, with one snapshot.
    """

    def __init__(self, picture: dict[str, Any]) -> None:
        self.picture = picture

    @classmethod
    def from_theta(
        cls,
        network: Network,
        theta: Any,
        *,
        updates: int = 0,
        shown: int = 8,
        ax: Axes | None = None,
    ) -> Self:
        """Draw theta (n,), NumPy or torch, as it is after so many updates.

        Parameters
        ----------
        shown : the most units of a layer that are drawn.
        """
        values = np.asarray(theta)
        rtol = ROUNDING * float(np.finfo(values.dtype).eps)
        snapshots = [(updates, network.thetas(values))]
        return cls(network_picture(snapshots, shown=shown, rtol=rtol)).plot(ax)

    @classmethod
    def from_path(
        cls, network: Network, path: Trajectory, *, updates: int, ax: Axes | None = None
    ) -> Self:
        """Draw the last point of a path that is not after `updates`."""
        place = max(int(np.searchsorted(path.updates, updates, side="right")) - 1, 0)
        at = int(path.updates[place])
        return cls.from_theta(network, path.theta[place], updates=at, ax=ax)

    def _draw(self, ax: Axes) -> None:
        layers, snapshot = self.picture["layers"], self.picture["snapshots"][0]
        places = [_places(layer, column) for column, layer in enumerate(layers)]
        weights = [np.asarray(one) for one in snapshot["weights"]]
        sizes = [np.abs(one[np.isfinite(one)]).max(initial=0.0) for one in weights]
        largest = max(sizes, default=0.0) or 1.0
        for column, (Theta, classes) in enumerate(zip(weights, snapshot["classes"], strict=True)):
            above = places[column + 1][1 if layers[column + 1]["bias"] else 0 :]
            for i, j in np.ndindex(Theta.shape):
                _edge(
                    ax,
                    places[column][j],
                    above[i],
                    float(Theta[i, j] / largest),
                    int(classes[i][j]),
                )
        for layer, units in zip(layers, places, strict=True):
            for name, (x, y) in zip(layer["nodes"], units, strict=True):
                text = name if len(name) <= 6 else f"{name[:5]}…"
                ax.text(
                    x, y, text, ha="center", va="center", fontsize="small", zorder=3,
                    bbox={"boxstyle": "circle", "facecolor": "white", "edgecolor": "black"},
                )  # fmt: skip
            part = (
                ""
                if layer["shown"] == layer["units"]
                else f"\n{layer['shown']} of {layer['units']}"
            )
            ax.text(units[0][0], 0.9, f"{layer['name']}{part}", ha="center", va="bottom")
        ax.set_xlim(-0.4, len(layers) - 0.6)
        ax.set_ylim(-max(len(column) for column in places) - 0.2, 1.9)
        ax.set_title(f"after {pluralize(snapshot['updates'], 'iteration')}")
        ax.set_axis_off()


def _places(layer: dict[str, Any], column: int) -> list[tuple[float, float]]:
    first = 0 if layer["bias"] else 1
    return [(float(column), -float(first + row)) for row in range(len(layer["nodes"]))]


def _edge(
    ax: Axes, one: tuple[float, float], other: tuple[float, float], size: float, label: int
) -> None:
    style = ":" if size == 0.0 else "--" if label < 0 else "-"
    ax.plot(
        [one[0], other[0]], [one[1], other[1]], linestyle=style, zorder=1,
        color=colour(abs(label)) if label else GREY,
        linewidth=0.6 + 3.0 * (abs(size) if np.isfinite(size) else 0.0),
        alpha=1.0 if label else 0.5,
    )  # fmt: skip
