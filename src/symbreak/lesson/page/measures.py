"""What the page shows of one point of a run: plain numbers, each computed here from theta.

a1, a2 and delta1, delta2 are those of units 1 and 2 of layer 2, over the examples shown. What is
stored has few digits, so whether two numbers are equal is told here, from all digits: a gap of at
most ROUNDING times the larger one is 0. Derivatives of runs in exact symmetry are averaged over
equal units, as the run does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.lesson.runs import ROUNDING, Experiment, Floats
from symbreak.lesson.side_by_side import pairs
from symbreak.page import network_picture, plain
from symbreak.propagation.trace import backpropagate
from symbreak.symmetry.projection import one_unit_per_layer, project

SHOWN_UNITS = 6
SHOWN_INPUTS = 4
SHOWN_OUTPUTS = 4
SHOWN_POINTS = 40
SHOWN_EXAMPLES = 4  # of those, in the table
GRID = 24
LEVELS = 10
MARGIN = 1.15
UNDECIDED = "-"


def shown_examples(classes: Any, n: int) -> list[int]:
    """Return n examples, the classes in turn, each in the order of the data."""
    order = np.argsort(classes, kind="stable")
    turn = np.concatenate([np.arange(count) for count in np.bincount(classes)])
    return sorted(order[np.lexsort((classes[order], turn))][:n].tolist())


def shown_inputs(X: Any) -> list[int]:
    """Return the inputs that vary most, in their order."""
    variance = np.asarray(X).var(axis=0)
    return sorted(np.argsort(-variance, kind="stable")[:SHOWN_INPUTS].tolist())


def grid_of(X: Any) -> tuple[float, Floats]:
    """Return the half width of the square that is drawn, and the middles of its cells."""
    half = float(np.abs(np.asarray(X)).max() * MARGIN)
    middles = (np.arange(GRID) + 0.5) / GRID * 2 * half - half
    down, across = np.meshgrid(-middles, middles, indexing="ij")
    return half, np.stack([across.ravel(), down.ravel()], axis=1)


def places_in_table(classes: Any) -> list[int]:
    """Return which of the examples shown stand in the table: the classes in turn."""
    shown = shown_examples(classes, SHOWN_POINTS)
    return [shown.index(row) for row in shown_examples(classes, SHOWN_EXAMPLES)]


def rank_of(Theta: Any) -> int:
    """Return the rank; what is below rounding, of Theta or of 1, is zero."""
    values = np.linalg.svd(Theta, compute_uv=False)
    return int((values > ROUNDING * max(1.0, float(values[0]))).sum())


def gaps(one: Floats, other: Floats) -> Floats:
    """Return |one - other|; 0 where that is rounding of the larger."""
    difference = np.abs(one - other)
    larger = np.maximum(np.abs(one), np.abs(other))
    return np.where(difference <= ROUNDING * larger, 0.0, difference)


class Measures:
    """Measures points of runs on one network and data set."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        X = experiment.X
        self.inputs = shown_inputs(X)
        classes = experiment.classes
        self._rows = shown_examples(classes, SHOWN_POINTS)
        self._few = places_in_table(classes)
        self._grid = grid_of(X)[1] if X.shape[1] == experiment.network.n_outputs == 2 else None

    def picture(self, updates: int, theta: Floats) -> dict[str, Any]:
        """Return the picture of the network at one point."""
        thetas = self.experiment.network.thetas(theta)
        shown = [SHOWN_UNITS] * (len(thetas) - 1)
        return network_picture(
            [(updates, thetas)], inputs=self.inputs, shown=[len(self.inputs), *shown, SHOWN_OUTPUTS]
        )

    def snapshot(self, updates: int, theta: Floats, *, exact: bool) -> dict[str, Any]:
        """Return the numbers at theta (n,) after so many updates.

        Parameters
        ----------
        exact : whether the gradient of the run is averaged over the units of each layer.
        """
        network = self.experiment.network
        point = self.experiment.point(theta, updates)
        drawn = self.picture(updates, theta)["snapshots"][0]
        measures = {
            "updates": updates,
            "J": point.J,
            "accuracy": point.accuracy,
            "distinct": point.distinct_units,
            "rank": rank_of(network.thetas(theta)[0]),
            "weights": drawn["weights"],
            "classes": drawn["classes"],
        }
        if network.n_hidden:
            measures |= self._two_units(theta, exact)
        if self._grid is not None:
            measures["map"] = self._map(theta)
        return measures

    def _two_units(self, theta: Floats, exact: bool) -> dict[str, Any]:
        experiment = self.experiment
        rows = self._rows
        trace = backpropagate(experiment.network, theta, experiment.X[rows], experiment.y[rows])
        gradient = experiment.cost(theta)[1]
        if exact:
            labels = one_unit_per_layer(experiment.network)
            gradient = project(experiment.network, gradient, labels)
        derivatives = np.array([pair.derivatives for pair in pairs(experiment, gradient)])
        a = trace.a[1][:2]
        return {
            "a": plain(a, 3),
            "a_gap": float(gaps(*a).max()),
            "delta": plain(trace.delta[0][:2, self._few]),
            "derivatives": derivatives,
            "gaps": gaps(*derivatives.T),
        }

    def _map(self, theta: Floats) -> str:
        """Return a digit for each cell: 0 surely class 0, 9 surely class 1; or UNDECIDED."""
        first, second = self.experiment.network.predict(theta, self._grid).T
        levels = np.clip((1 + second - first) / 2 * LEVELS, 0, LEVELS - 1).astype(int)
        ties = np.abs(second - first) <= ROUNDING * np.maximum(first, second)
        cells = zip(levels.tolist(), ties.tolist(), strict=True)
        return "".join(UNDECIDED if tie else str(level) for level, tie in cells)
