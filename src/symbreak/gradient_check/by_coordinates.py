"""The classic check of one start: every entry by itself, with one step and a tolerance.

Formula: n_i = (J(theta + step e_i) - J(theta - step e_i)) / (2 step), for every i. It is the two
columns of the lecture: beside each other stand the gradient and n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from symbreak.errors import InvalidInput
from symbreak.gradient_check.directional import Directional
from symbreak.gradient_check.judgement import Judgement, Look, Measure, Precision, Standard, judge
from symbreak.gradient_check.parts import Part
from symbreak.gradient_check.probes import EPS, Array, Differences, Probes
from symbreak.gradient_check.report import BlockReport, GradientReport
from symbreak.gradient_check.small_entries import Closely, look_closely


def by_coordinates(
    probes: Probes,
    theta: Tensor,
    gradient: Array,
    parts: Sequence[Part],
    step: float | None,
    precision: Precision,
    rounding: Callable[[Part], float],
) -> GradientReport:
    """Return the report on one start; theta and gradient are (n,).

    Parameters
    ----------
    rounding : gives what rounding in the objective's own dtype may do to the entries of a part.
    """
    here = theta.cpu().numpy()
    steps = np.maximum(1.0, np.abs(here)) * EPS ** (1 / 3) if step is None else here * 0.0 + step
    if bool((here + steps == here).any()):
        raise InvalidInput(
            f"step of check_gradient must be large enough to change every parameter. Got {step!r}."
        )
    standard = Standard.of(gradient, here, precision)
    directional = Directional(probes, gradient, here)
    blocks = []
    for part in parts:
        measure = _measurement(probes, part, steps)
        largest_of_block = float(np.abs(gradient[part.block.slice]).max())
        own = partial(rounding, part)
        look = _close_look(directional, part, standard, own)
        found = judge(gradient[part.indices], measure, look, own, standard, largest_of_block)
        blocks.append(_describe(part, gradient, found))
    return GradientReport.of(blocks, probes, tolerance=precision.tolerance)


def _measurement(probes: Probes, part: Part, steps: Array) -> Measure:
    def measure(positions: NDArray[np.int64], factor: float) -> Differences:
        indices = part.indices[positions]
        return probes.differences(indices, factor * steps[indices])

    return measure


def _close_look(
    directional: Directional, part: Part, standard: Standard, rounding: Callable[[], float]
) -> Look:
    def look(positions: NDArray[np.int64]) -> Closely:
        indices = part.indices[positions]
        return look_closely(directional, indices, standard.measured(rounding()).rounding)

    return look


def _describe(part: Part, gradient: Array, found: Judgement) -> BlockReport:
    return BlockReport(
        name=part.name,
        verdict=found.verdict,
        relative_error=found.relative_error,
        scale=found.scale,
        worst=part.entry(found.position),
        analytic=float(gradient[part.indices[found.position]]),
        numerical=found.number,
        n_checked=len(part.within),
        n_parameters=part.n_parameters,
        note=found.note,
        wrong=tuple(part.entry(position) for position in found.wrong),
        is_spread=len(found.wrong) > max(1.0, (len(part.within) - found.n_below) / 2),
        floor=found.floor,
        n_below=found.n_below,
    )
