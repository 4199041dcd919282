"""The network of one start over iterations: the picture, and the distinct units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.network import Network
from symbreak.page import network_picture
from symbreak.page.network_picture import SHOWN_UNITS
from symbreak.reports.distinct_units import ROUNDING, distinct_up_to_rounding
from symbreak.reports.numbers import plain, short
from symbreak.training.trajectory import Trajectory

MOST_UNITS = SHOWN_UNITS  # of a layer that are drawn
DIGITS = 5


def network_over_updates(
    network: Network,
    trajectory: Trajectory,
    values: NDArray[Any] | None = None,
    *,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return what the diagram shows, at every point of the trajectory.

    Parameters
    ----------
    values : (points,), J at the points; None where it is not known.
    inputs, outputs : names of features and classes; numbers where there are none.
    """
    snapshots = [
        (int(updates), network.thetas(theta))
        for updates, theta in zip(trajectory.updates, trajectory.theta, strict=True)
    ]
    picture = network_picture(
        snapshots,
        input_names=[short(name, 40) for name in inputs] or None,
        output_names=[short(name, 40) for name in outputs] or None,
        rtol=ROUNDING * float(np.finfo(trajectory.theta.dtype).eps),
    )
    return {
        "start": trajectory.start,
        "sizes": list(network.layers),
        "shown": [layer["shown"] for layer in picture["layers"]],
        "activations": [activation.name for activation in network.activations],
        "iterations": trajectory.updates.tolist(),
        "J": None if values is None else plain(values, 7),
        "distinct": [distinct_up_to_rounding(network, theta) for theta in trajectory.theta],
        "picture": plain(picture, DIGITS),
    }


def distinct_over_updates(network: Network, trajectory: Trajectory) -> dict[str, Any]:
    """Return the number of distinct units of each hidden layer at the points of a trajectory."""
    counts = [distinct_up_to_rounding(network, theta) for theta in trajectory.theta]
    return {
        "start": trajectory.start,
        "iterations": trajectory.updates.tolist(),
        "layers": [
            {"units": units, "distinct": list(layer)}
            for units, layer in zip(network.layers[1:-1], zip(*counts, strict=True), strict=True)
        ],
    }
