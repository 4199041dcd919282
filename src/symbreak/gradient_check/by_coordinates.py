"""The classic check of one start: every entry by itself, with one step and a tolerance.

Formula: n_i = (J(theta + step e_i) - J(theta - step e_i)) / (2 step), for every i. It is the two
columns of the lecture: beside each other stand the gradient and n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import InvalidInput
from symbreak.gradient_check.coordinate_verdict import Judgement, Look, Measure, judge
from symbreak.gradient_check.directional import Directional
from symbreak.gradient_check.parameter_groups import ParameterGroup
from symbreak.gradient_check.precision import Precision, Standard
from symbreak.gradient_check.probes import EPS, Array, Differences, Probes
from symbreak.gradient_check.report import BlockReport, GradientReport
from symbreak.gradient_check.small_entries import Closely, look_closely


def by_coordinates(
    probes: Probes,
    theta: Array,
    gradient: Array,
    groups: Sequence[ParameterGroup],
    step: float | None,
    precision: Precision,
    rounding: Callable[[ParameterGroup], float],
) -> GradientReport:
    """Return the report on one start; theta and gradient are (n,).

    Parameters
    ----------
    rounding : gives what rounding in the objective's own dtype may do to the entries of a group.
    """
    steps = np.maximum(1.0, np.abs(theta)) * EPS ** (1 / 3) if step is None else theta * 0.0 + step
    if bool((theta + steps == theta).any()):
        raise InvalidInput(
            f"step of check_gradient must be large enough to change every parameter. Got {step!r}."
        )
    standard = Standard.of(gradient, theta, precision)
    directional = Directional(probes, gradient, theta)
    blocks = []
    for group in groups:
        measure = _measurement(probes, group, steps)
        largest_of_block = float(np.abs(gradient[group.block.slice]).max())
        own = partial(rounding, group)
        look = _close_look(directional, group, standard, own)
        judgement = judge(gradient[group.indices], measure, look, own, standard, largest_of_block)
        blocks.append(_describe(group, gradient, judgement))
    return GradientReport.of(blocks, probes, tolerance=precision.tolerance)


def _measurement(probes: Probes, group: ParameterGroup, steps: Array) -> Measure:
    def measure(positions: NDArray[np.int64], factor: float) -> Differences:
        indices = group.indices[positions]
        return probes.differences(indices, factor * steps[indices])

    return measure


def _close_look(
    directional: Directional,
    group: ParameterGroup,
    standard: Standard,
    rounding: Callable[[], float],
) -> Look:
    def look(positions: NDArray[np.int64]) -> Closely:
        indices = group.indices[positions]
        return look_closely(directional, indices, standard.measured(rounding()).rounding)

    return look


def _describe(group: ParameterGroup, gradient: Array, judgement: Judgement) -> BlockReport:
    return BlockReport(
        name=group.name,
        verdict=judgement.verdict,
        relative_error=judgement.relative_error,
        scale=judgement.scale,
        worst=group.entry(judgement.position),
        analytic=float(gradient[group.indices[judgement.position]]),
        numerical=judgement.number,
        n_checked=len(group.within),
        n_parameters=group.n_parameters,
        note=judgement.note,
        wrong=tuple(group.entry(position) for position in judgement.wrong),
        is_spread=len(judgement.wrong) > max(1.0, (len(group.within) - judgement.n_below) / 2),
        floor=judgement.floor,
        n_below=judgement.n_below,
    )
