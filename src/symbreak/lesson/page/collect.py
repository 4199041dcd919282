"""All runs of the lesson page, as plain data: what the page shows is what stands here."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from symbreak.arrays import as_numpy
from symbreak.errors import SymmetryWarning
from symbreak.initialization import initialize
from symbreak.lesson.argument import ACTIVATION, LOSS
from symbreak.lesson.page.checks import gradient_checks, restarts, rounding
from symbreak.lesson.page.choices import USUAL, StartOption, starts
from symbreak.lesson.page.measures import (
    GRID,
    SHOWN_POINTS,
    Measures,
    grid_of,
    places_in_table,
    shown_examples,
)
from symbreak.lesson.page.paths import Path, train
from symbreak.lesson.page.scenes import Scene
from symbreak.lesson.runs import METHODS, Experiment, Floats
from symbreak.lesson.side_by_side import pairs
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.training.scores import most_frequent_share

PLANE_UPDATES = 3  # sets in the plane are small and hard: so many times the updates


def scene_data(scene: Scene, *, epsilon: float, updates: int, seed: int) -> dict[str, Any]:
    """Train on one data set from every start, with every method and size, and measure."""
    X = np.ascontiguousarray(scene.X, dtype=np.float64)
    choices = starts(epsilon, _range_of(scene.X))
    made = updates * PLANE_UPDATES if scene.is_plane else updates
    shown = shown_examples(scene.y, SHOWN_POINTS)
    return {
        "key": scene.key,
        "name": scene.name,
        "description": scene.description,
        "n_examples": len(scene.X),
        "n_features": scene.X.shape[1],
        "classes": scene.classes,
        "updates": made,
        "most_frequent_share": most_frequent_share(scene.y),
        "examples": [{"row": row, "class": int(scene.y[row])} for row in shown],
        "few": places_in_table(scene.y),
        "plane": _plane(scene) if scene.is_plane else None,
        "networks": [
            _network_data(_experiment(scene, X, hidden), scene.features, choices, made, seed)
            for hidden in scene.hidden
        ],
    }


def _network_data(
    experiment: Experiment,
    features: Sequence[str],
    choices: Sequence[StartOption],
    updates: int,
    seed: int,
) -> dict[str, Any]:
    network = experiment.network
    thetas = {choice.key: _drawn(network, choice, seed) for choice in choices}
    measures = Measures(experiment)
    picture = measures.picture(0, thetas["zeros"])
    picture["layers"][0]["titles"] = ["constant 1", *(features[j] for j in measures.inputs)]
    hidden = network.layers[1:-1]
    found: dict[str, Any] = {
        "layers": network.layers,
        "hidden": "-".join(map(str, hidden)) or "0",
        "picture": {"layers": picture["layers"], "names": picture["names"]},
        "runs": _runs(experiment, measures, choices, thetas, updates),
    }
    if hidden:
        symmetric = [(choice, thetas[choice.key]) for choice in choices if choice.rule.symmetric]
        usual = next(choice for choice in choices if choice.key == USUAL)
        gradient = experiment.cost(thetas[USUAL])[1]
        found |= {
            "pairs": [pair.names for pair in pairs(experiment, gradient)],
            "check": gradient_checks(experiment, thetas[USUAL], thetas["zeros"]),
            "rounding": rounding(experiment, symmetric, updates),
            "restarts": restarts(experiment, usual.rule, updates, seed),
        }
    return found


def _runs(
    experiment: Experiment,
    measures: Measures,
    choices: Sequence[StartOption],
    thetas: dict[str, Floats],
    updates: int,
) -> dict[str, Any]:
    """Return the runs by "method/start"."""
    found: dict[str, Any] = {}
    has_hidden = experiment.network.n_hidden > 0
    for exact in (True, False):
        keys = [choice.key for choice in choices if (choice.rule.symmetric and has_hidden) == exact]
        if not keys:
            continue
        stack = np.stack([thetas[key] for key in keys])
        for method in METHODS:
            paths = train(experiment.cost, stack, method, updates, exact=exact)
            found |= {
                f"{method}/{key}": _run(measures, path)
                for key, path in zip(keys, paths, strict=True)
            }
    return found


def _run(measures: Measures, path: Path) -> dict[str, Any]:
    return {
        "exact": path.exact,
        "ending": path.ending,
        "made": path.made,
        "snapshots": [
            measures.snapshot(updates, theta, exact=path.exact)
            for updates, theta in zip(path.updates, path.points, strict=True)
        ],
    }


def _experiment(scene: Scene, X: Floats, hidden: Sequence[int]) -> Experiment:
    network = Network((X.shape[1], *hidden, len(scene.classes)), ACTIVATION, LOSS)
    is_class = scene.y[:, None] == np.arange(network.n_outputs)
    return Experiment(NetworkCost(network, X, is_class), X, is_class)


def _drawn(network: Network, choice: StartOption, seed: int) -> Floats:
    # The page says itself which starts are symmetric.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymmetryWarning)
        return as_numpy(initialize(network, choice.rule, seed=seed))


def _plane(scene: Scene) -> dict[str, Any]:
    return {"half": grid_of(scene.X)[0], "grid": GRID, "x": scene.X, "y": scene.y}


def _range_of(X: Any) -> tuple[float, float]:
    low, high = float(np.min(X)), float(np.max(X))
    return (low, high) if low < high else (low - 1.0, low + 1.0)
