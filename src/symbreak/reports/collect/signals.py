"""How far activations and deltas spread in each layer at the start.

    spread of a layer = standard deviation over its units and the examples, of a and of delta

A signal that shrinks or grows from layer to layer shows as a fall or a rise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.network import Network
from symbreak.propagation.trace import backpropagate
from symbreak.reports.numbers import section

MOST_ROWS, MOST_STARTS = 256, 16


def spread_of_signals(network: Network, theta: Any, X: Any, y: Any) -> dict[str, Any]:
    """Return the spread of a and delta of each layer, for the first starts and rows.

    Parameters
    ----------
    theta : (starts, n).
    X, y : examples as `NetworkCost` takes them.
    """
    rows = np.unique(np.linspace(0, len(X) - 1, min(len(X), MOST_ROWS)).round().astype(int))
    part = np.asarray(theta)[:MOST_STARTS]
    with np.errstate(all="ignore"):
        trace = backpropagate(network, part, np.asarray(X)[rows], np.asarray(y)[rows])
        a = [_spread(layer) for layer in trace.a[1:]]
        delta = [_spread(layer) for layer in trace.delta]
    return section({
        "rows": len(rows),
        "starts": len(part),
        "layers": [
            {"layer": number, "units": units, "a": one, "delta": other}
            for number, (units, one, other) in enumerate(
                zip(network.layers[1:], a, delta, strict=True), start=2
            )
        ],
    }, digits=6)  # fmt: skip


def _spread(signal: NDArray[Any]) -> list[float]:
    """Return one number for each start, of (starts, units, m)."""
    return [float(one) for one in signal.astype(np.float64).std(axis=(1, 2))]
