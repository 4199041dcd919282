"""Units 1 and 2 of layer 2, side by side: what they compute and what they are told."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.lesson.facts import Pair, TwoUnits
from symbreak.lesson.runs import Experiment, Floats
from symbreak.propagation.trace import backpropagate

SHOWN_FEATURES = 2
SHOWN_OUTPUTS = 2


def two_units(experiment: Experiment, theta: Floats, examples: Any) -> TwoUnits:
    """Return a(2) and delta(2) of units 1 and 2 on some examples."""
    rows = np.asarray(examples)
    trace = backpropagate(experiment.network, theta, experiment.X[rows], experiment.y[rows])
    return TwoUnits(
        examples=tuple(rows.tolist()),
        a=tuple(map(tuple, trace.a[1][:2].tolist())),
        delta=tuple(map(tuple, trace.delta[0][:2].tolist())),
    )


def pairs(experiment: Experiment, gradient: Floats) -> tuple[Pair, ...]:
    """Return the derivatives of weights in the same place of both units.

    Into the units: the bias and the features that vary most. Out of them: to the first units above.
    """
    into, out_of = experiment.network.blocks[:2]
    features = np.argsort(-experiment.X.var(axis=0), kind="stable")
    columns = [0, *(1 + features[:SHOWN_FEATURES]).tolist()]
    rows = range(min(SHOWN_OUTPUTS, out_of.shape[0]))
    places = [(into, (0, j), (1, j)) for j in columns] + [(out_of, (k, 1), (k, 2)) for k in rows]
    compared = []
    for block, first, second in places:
        Theta = gradient[block.slice].reshape(block.shape)
        names = tuple(f"{block.name}[{i}, {j}]" for i, j in (first, second))
        compared.append(Pair((names[0], names[1]), (float(Theta[first]), float(Theta[second]))))
    return tuple(compared)
