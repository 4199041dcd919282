"""The panels beside the runs: the gradient check, what rounding does, and many starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symbreak.arrays import as_numpy, copied
from symbreak.gradient_check import check_gradient
from symbreak.initialization import initialize
from symbreak.initialization.rule import Rule
from symbreak.lesson.page.choices import StartOption
from symbreak.lesson.page.paths import train
from symbreak.lesson.runs import METHODS, Experiment, Floats
from symbreak.objectives import NetworkCost

N_STARTS = 24


class Halved:
    """J of a network with a mistake on purpose: the last Theta's derivatives are half of theirs."""

    def __init__(self, cost: NetworkCost) -> None:
        self.cost = cost

    def __call__(self, theta: Any) -> tuple[Any, Any]:
        """Return J and the wrong gradient."""
        J, gradient = self.cost(theta)
        wrong = copied(gradient)
        wrong[..., self.cost.blocks[-1].slice] /= 2
        return J, wrong


def gradient_checks(experiment: Experiment, drawn: Floats, zeros: Floats) -> list[dict[str, Any]]:
    """Return the verdict on the gradient at a random start, at zeros, and on a wrong one."""
    cost = experiment.cost
    subjects = [
        ("at the random start", cost, drawn),
        ("at zeros", cost, zeros),
        (f"with a mistake on purpose: {cost.blocks[-1].name} halved", Halved(cost), drawn),
    ]
    checks = []
    for name, objective, theta in subjects:
        report = check_gradient(objective, theta, blocks=cost.blocks)
        parts = [
            {
                "name": block.name,
                "verdict": block.verdict,
                "analytic": block.analytic,
                "numerical": block.numerical,
                "entry": block.worst,
                "error": block.relative_error,
            }
            for block in report.blocks
        ]
        checks.append({"name": name, "verdict": report.verdict, "blocks": parts})
    return checks


def rounding(
    experiment: Experiment, symmetric: Sequence[tuple[StartOption, Floats]], updates: int
) -> list[dict[str, Any]]:
    """Return when rounding tears equal units apart, from each symmetric start by each method."""
    drifts = []
    for choice, theta in symmetric:
        for method in METHODS:
            drift = experiment.drift(theta, method, updates)
            drifts.append(
                {
                    "start": choice.key,
                    "method": method,
                    "first_unequal": drift.first_unequal,
                    "first_above_rounding": drift.first_above_rounding,
                    "first_visible": drift.first_visible,
                    "spread": drift.spread,
                    "updates": drift.end.updates,
                    "J": drift.end.J,
                    "distinct": drift.end.distinct_units,
                }
            )
    return drifts


def restarts(experiment: Experiment, rule: Rule, updates: int, seed: int) -> dict[str, Any]:
    """Return where L-BFGS ends from many starts of one rule, lowest J first."""
    theta = as_numpy(initialize(experiment.network, rule, starts=N_STARTS, seed=seed))
    paths = train(experiment.cost, theta, "l-bfgs", updates, exact=False)
    points = [experiment.point(path.points[-1], path.updates[-1]) for path in paths]
    order = np.argsort([point.J for point in points], kind="stable")
    return {
        "n_starts": N_STARTS,
        "start": [int(k) for k in order],
        "J": [points[k].J for k in order],
        "accuracy": [points[k].accuracy for k in order],
    }
