"""Is an array the right one? Differences relative to the size of the stage.

Conventions
-----------
error = max |theirs - ours| / max |ours|; biases (column 0) and weights of a gradient apart
A stage is right up to the tolerance of its dtype. No absolute floor is added, so that J times 1e-8
is judged as J. Where a stage is so small beside its terms that rounding makes more than that, as
a - y does at saturation, as much as rounding makes is accepted: how far it goes is measured by
passes in which every stage is disturbed by one rounding. Of a right stage, entries that differ by
more than a part of their own size are counted: a right stage says little of what is a millionth of
its largest entry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from symbreak.backpropagation_check.problem import Array, Problem
from symbreak.backpropagation_check.stages import Pass, Stage, stages_of
from symbreak.propagation.trace import backpropagate

TOLERANCE = {"float16": 3e-2, "float32": 1e-3, "float64": 1e-6}
_DISTURBED = 3  # passes
_MARGIN = 16.0  # a learner's pass may round more often, and another way
_OWN = 1e-2  # of an entry: a difference that says that this entry may be wrong
_TOO_MUCH = 1e-2  # rounding of more than this part of a stage leaves nothing to judge


@dataclass(frozen=True)
class Truth:
    """What is right, and how far rounding may lead from it.

    Attributes
    ----------
    values : the array of every stage.
    noise : for every stage one number, for a gradient two: of biases and of weights.
    tolerance : the relative error up to which a stage is right.
    """

    values: dict[Stage, Array]
    noise: dict[Stage, tuple[float, ...]]
    tolerance: float


@dataclass(frozen=True)
class Difference:
    """How far an array is from another, at its worst entry.

    Attributes
    ----------
    n_hidden : of a right array, entries that are off by more than a part of their own size.
    below : the size that all of these are below.
    """

    verdict: str
    error: float
    entry: tuple[int, int]
    n_hidden: int = 0
    below: float = 0.0


def truth_of(problem: Problem, y: object, dtype: str) -> Truth:
    """Return what `backpropagate` gives, with the penalty, and the rounding of `dtype`."""
    values = _values(problem, y)
    noise = {stage: tuple(0.0 for _ in parts_of(stage)) for stage in values}
    eps = float(np.finfo(dtype).eps)
    with np.errstate(all="ignore"):
        for seed in range(_DISTURBED):
            run = Pass(problem, rounding=eps, seed=seed)
            for stage, right in values.items():
                apart = np.abs(run.value(*stage) - right)
                margins = (_MARGIN * _largest(apart[part]) for part in parts_of(stage))
                noise[stage] = tuple(map(max, noise[stage], margins))
    return Truth(values, noise, TOLERANCE[dtype])


def _values(problem: Problem, y: object) -> dict[Stage, Array]:
    network, alpha = problem.network, problem.alpha
    trace = backpropagate(network, problem.theta, problem.X_T.T, y)
    values: dict[Stage, Array] = {}
    for layer in range(2, problem.n_layers + 1):
        values[Stage("z", layer)] = trace.z[layer - 2]
        values[Stage("a", layer)] = trace.a[layer - 1]
        values[Stage("delta", layer)] = trace.delta[layer - 2]
    square = 0.0
    for layer in range(1, problem.n_layers):
        weights = problem.penalised(layer)
        square += float((weights**2).sum())
        slope = alpha / problem.m * weights
        values[Stage("gradients", layer)] = trace.gradients[layer - 1] + slope
    J = float(trace.value) + alpha / (2 * problem.m) * square
    values[Stage("J", problem.n_layers)] = np.array([[J]])
    return {stage: values[stage] for stage in stages_of(problem.n_layers)}


def parts_of(stage: Stage) -> tuple[tuple[slice, slice], ...]:
    """Return what is judged by its own scale: the biases and the weights of a gradient."""
    everything = slice(None)
    if stage.kind != "gradients":
        return ((everything, everything),)
    return (everything, slice(0, 1)), (everything, slice(1, None))


def compare(stage: Stage, theirs: Array, right: Array, truth: Truth) -> Difference:
    """Compare an array with what should be there; `right` may be what a mistake gives."""
    differences = [
        _compare_part(theirs, right, part, noise, truth.tolerance)
        for part, noise in zip(parts_of(stage), truth.noise[stage], strict=True)
    ]
    worst = max(differences, key=lambda one: (one.verdict == "fail", one.verdict, one.error))
    if worst.verdict != "pass":
        return worst
    below = max(one.below for one in differences)
    return replace(worst, n_hidden=sum(one.n_hidden for one in differences), below=below)


def _compare_part(
    theirs: Array, right: Array, part: tuple[slice, slice], noise: float, tolerance: float
) -> Difference:
    apart = np.abs(theirs[part] - right[part])
    unit, column = np.unravel_index(int(apart.argmax()), apart.shape)
    entry = int(unit), int(column) + (part[1].start or 0)
    scale, worst = _largest(right[part]), float(apart.max())
    error = worst / scale if scale > 0.0 else (math.inf if worst > 0.0 else 0.0)
    if worst <= tolerance * scale or worst <= noise <= _TOO_MUCH * scale:
        own = np.maximum(np.abs(right[part]), np.abs(theirs[part]))
        hidden = apart > np.maximum(_OWN * own, noise)
        below = _largest(own[hidden]) if hidden.any() else 0.0
        return Difference("pass", error, entry, int(hidden.sum()), below)
    return Difference("fail" if worst > noise else "inconclusive", error, entry)


def _largest(array: Array) -> float:
    largest = float(np.abs(array).max())
    return math.inf if math.isnan(largest) else largest
