"""Compare the gradient of an objective with central differences of its J.

Formula: n_i = (J(theta + step e_i) - J(theta - step e_i)) / (2 step), for every i.
The numerical side is computed in float64 whatever the dtype of the objective, since a difference of
two float32 numbers leaves no digits; the analytic gradient is the one that training uses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.arrays import as_tensor, float_dtype
from symbreak.errors import InvalidInput
from symbreak.gradient_check.judgement import (
    PRECISIONS,
    Judgement,
    Measure,
    Precision,
    Standard,
    judge,
)
from symbreak.gradient_check.parts import Part, parts_of
from symbreak.gradient_check.probes import EPS, Array, Differences, Probes
from symbreak.gradient_check.report import (
    SEVERITY,
    BlockReport,
    GradientReport,
    overall,
    severity,
)
from symbreak.objectives import FunctionObjective, Objective, as_objective
from symbreak.parameters import Block, check_size


def check_gradient(
    objective: Any,
    theta: Any,
    *,
    step: float | None = None,
    max_per_block: int | None = None,
    seed: int = 0,
    blocks: Sequence[Block] | None = None,
) -> GradientReport:
    """Check the gradient of `objective` at `theta`.

    Parameters
    ----------
    objective : an objective, or a function theta -> (J, gradient).
    theta : (n,), or (starts, n): then each start is checked and the worst is reported.
    step : the distance of the two points in each direction, in units of theta; by default
        eps^(1/3) max(1, |theta_i|), about 6e-6, which balances truncation (step²) and rounding
        (eps / step). Not the epsilon that a start is drawn with.
    max_per_block : check at most so many weights and so many biases of each block, drawn without
        replacement; all by default.
    seed : of that draw.
    blocks : the parts of theta to judge by their own scale, such as `net.blocks` for a function of
        your own; those of the objective by default.

    Returns
    -------
    GradientReport

    Raises
    ------
    InvalidInput
        theta or J not finite, shapes that do not fit, arguments out of range.

    Notes
    -----
    Costs 2 evaluations of J for each entry, and up to 4 more for entries that disagree.

    Examples
    --------
    >>> check_gradient(lambda theta: ((theta**2).sum(), 2 * theta), np.ones(3)).verdict
    'pass'
    """
    _check_arguments(step, max_per_block, seed)
    theta = theta if hasattr(theta, "shape") else np.asarray(theta)
    objective = as_objective(objective, theta)
    blocks = objective.blocks if blocks is None else blocks
    stack, native = _stack(theta, objective, blocks)
    one_at_a_time = isinstance(objective, FunctionObjective) and len(theta.shape) == 1
    gradient = _analytic(objective, stack.to(native))
    precise = _in_float64(objective)
    parts = parts_of(blocks, max_per_block, seed)
    precision = PRECISIONS[native]
    reports = []
    for start, row in enumerate(stack):
        probes = _probes(precise, row, start, one_at_a_time, native)
        reports.append(_check_start(probes, row, gradient[start], parts, step, precision))
    return _worst(reports, is_stack=len(theta.shape) == 2)


def _check_arguments(step: object, max_per_block: object, seed: object) -> None:
    if step is not None and not _is_positive(step):
        raise InvalidInput(f"step of check_gradient must be a positive number. Got {step!r}.")
    if max_per_block is not None and not _is_integer(max_per_block, 1):
        raise InvalidInput(
            f"max_per_block of check_gradient must be an integer of at least 1. "
            f"Got {max_per_block!r}."
        )
    if not _is_integer(seed, 0):
        raise InvalidInput(f"seed of check_gradient must be an integer >= 0. Got {seed!r}.")


def _is_integer(number: object, least: int) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        return False
    return int(number) >= least


def _is_positive(number: object) -> bool:
    return isinstance(number, int | float | np.number) and 0.0 < float(number) < math.inf


def _stack(theta: Any, objective: Objective, blocks: Sequence[Block]) -> tuple[Tensor, torch.dtype]:
    """Return theta as (starts, n) float64 and the dtype that the analytic gradient has."""
    tensor = as_tensor(theta, "theta")
    check_size(tensor, objective.blocks)
    check_size(tensor, blocks)
    if not bool(torch.isfinite(tensor).all()):
        raise InvalidInput("theta of check_gradient must be finite. Got NaN or infinity.")
    native = getattr(objective, "dtype", None) or float_dtype(tensor)
    # Both sides must see the very same theta, so it is rounded as the objective will round it.
    return torch.atleast_2d(tensor).to(native).to(torch.float64), native


def _analytic(objective: Objective, stack: Tensor) -> Array:
    """Return the gradient (starts, n) in float64."""
    value, gradient = objective(stack.clone())
    value, gradient = torch.as_tensor(value), torch.as_tensor(gradient)
    if tuple(gradient.shape) != tuple(stack.shape) or tuple(value.shape) != (len(stack),):
        raise InvalidInput(
            f"The objective must return J of shape {(len(stack),)} and a gradient of shape "
            f"{tuple(stack.shape)}. Got {tuple(value.shape)} and {tuple(gradient.shape)}."
        )
    if not bool(torch.isfinite(value).all()):
        raise InvalidInput(
            "J of check_gradient must be finite at theta. Got NaN or infinity. Choose a theta "
            "where J exists."
        )
    return gradient.detach().to(torch.float64).cpu().numpy()


def _in_float64(objective: Objective) -> Objective:
    if getattr(objective, "dtype", torch.float64) == torch.float64:
        return objective
    if not hasattr(objective, "to"):
        raise InvalidInput(
            f"objective of check_gradient must compute in float64, or offer to('float64'). "
            f"Got one of {objective.dtype} without it."  # type: ignore[attr-defined]
        )
    precise: Objective = objective.to("float64")
    return precise


def _probes(
    objective: Objective, row: Tensor, start: int, one_at_a_time: bool, native: torch.dtype
) -> Probes:
    try:
        return Probes(objective, row, start, one_at_a_time=one_at_a_time)
    except RuntimeError as error:
        if native == torch.float64:
            raise
        raise InvalidInput(
            f"objective of check_gradient must accept theta in float64 too, where the numerical "
            f"side is computed. Got theta of {native} and this error in float64: {error} "
            f"Check with data and theta in float64."
        ) from error


def _check_start(
    probes: Probes,
    theta: Tensor,
    gradient: Array,
    parts: Sequence[Part],
    step: float | None,
    precision: Precision,
) -> GradientReport:
    """Return the report on one start; theta and gradient are (n,)."""
    here = theta.cpu().numpy()
    steps = np.maximum(1.0, np.abs(here)) * EPS ** (1 / 3) if step is None else here * 0.0 + step
    if bool((here + steps == here).any()):
        raise InvalidInput(
            f"step of check_gradient must be large enough to change every parameter. Got {step!r}."
        )
    standard = Standard.of(gradient, here, precision)
    blocks = []
    for part in parts:
        measure = _measurement(probes, part, steps)
        largest_of_block = float(np.abs(gradient[part.block.slice]).max())
        found = judge(gradient[part.indices], measure, standard, largest_of_block)
        blocks.append(_describe(part, gradient, found))
    return GradientReport(
        verdict=overall(blocks),
        blocks=tuple(blocks),
        n_evaluations=probes.n_evaluations,
        start=probes.start,
        value=probes.value,
        tolerance=precision.tolerance,
    )


def _measurement(probes: Probes, part: Part, steps: Array) -> Measure:
    def measure(positions: NDArray[np.int64], factor: float) -> Differences:
        indices = part.indices[positions]
        return probes.differences(indices, factor * steps[indices])

    return measure


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
    )


def _worst(reports: Sequence[GradientReport], *, is_stack: bool) -> GradientReport:
    """Return the report of the worst start, with the evaluations of all."""
    worst = max(reports, key=_badness)
    return replace(
        worst,
        start=worst.start if is_stack else None,
        n_evaluations=sum(report.n_evaluations for report in reports),
    )


def _badness(report: GradientReport) -> tuple[int, tuple[int, float]]:
    return SEVERITY.index(report.verdict), severity(report.worst)
