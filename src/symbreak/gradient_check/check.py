"""`check_gradient`: is the gradient of an objective the derivative of its J?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from symbreak.checks import check_integer_at_least, check_positive, is_integer
from symbreak.errors import InvalidInput, choose
from symbreak.gradient_check.by_coordinates import by_coordinates
from symbreak.gradient_check.by_directions import by_directions
from symbreak.gradient_check.check_target import CheckTarget
from symbreak.gradient_check.checked_start import DirectionSettings
from symbreak.gradient_check.extra_checks import extra_targets
from symbreak.gradient_check.native_precision import NativePrecision
from symbreak.gradient_check.parameter_groups import ParameterGroup, groups_of
from symbreak.gradient_check.precision import PRECISIONS, Precision, largest_of
from symbreak.gradient_check.probes import EPS, Array
from symbreak.gradient_check.report import SEVERITY, GradientReport, severity
from symbreak.parameters import Block

METHODS = ("directions", "coordinates")


def check_gradient(
    objective: Any,
    theta: Any,
    *,
    method: str = "directions",
    directions: int = 3,
    locate: bool = True,
    thorough: bool = False,
    step: float | None = None,
    max_per_block: int | None = None,
    seed: int = 0,
    blocks: Sequence[Block] | None = None,
) -> GradientReport:
    """Check the gradient of `objective` at `theta`.

    Parameters
    ----------
    objective : an objective such as `NetworkCost`, or a function theta -> (J, gradient).
    theta : (n,), or (starts, n): then each start is checked and the worst is reported.
    method : "directions" takes derivatives along random lines through each block, with a bar on
        their error, and searches for the wrong entries; "coordinates" is the two columns of the
        lecture: every entry by itself, with one step and a tolerance.
    directions : lines through each block.
    locate : search for the entries of a wrong block, and for a cause.
    thorough : also check after a short burn-in, where units have begun to differ, and the data and
        the penalty each alone, where the objective has both; `report.also` holds these reports.
    step : for "coordinates", the distance of the two points in each direction, in units of theta;
        by default eps^(1/3) max(1, |theta_i|), about 6e-6, which balances truncation (step²) and
        rounding (eps / step). Not the epsilon that a start is drawn with.
    max_per_block : for "coordinates", check at most so many weights and so many biases of each
        block, drawn without replacement; all by default.
    seed : of the lines, or of that draw.
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
    "directions" costs 30 evaluations of J for each block, 54 more where kinks lie close, and about
    20 log2 k to find one wrong entry among k. "coordinates" costs 2 for each entry, and up to 4
    more for entries that disagree.
    The numerical side is computed in float64. Where the objective has another dtype there are two
    verdicts: the gradient of its float64 copy against differences, and its own against that.

    Examples
    --------
    >>> import numpy as np
    >>> check_gradient(lambda theta: ((theta**2).sum(), 2 * theta), np.ones(3)).verdict
    'pass'
    """
    _check_arguments(method, directions, step, max_per_block, seed)
    target = CheckTarget.of(objective, theta, blocks)
    # Whoever names blocks also says what is judged together.
    is_weight = target.is_weight if blocks is None else None
    groups = groups_of(target.blocks, max_per_block, seed, target.is_fixed, is_weight)
    settings = DirectionSettings(directions, seed, locate)
    precision = PRECISIONS.get(target.native)
    if method == "coordinates" and precision is None:
        raise InvalidInput(
            f"dtype of the objective must be float32 or float64 for method='coordinates'. "
            f"Got {target.native}. Use 'directions'."
        )

    def check(target: CheckTarget) -> GradientReport:
        if method == "coordinates":
            assert precision is not None
            reports = _by_coordinates(target, groups, step, precision, seed)
        else:
            reports = _by_directions(target, groups, settings)
        return _worst(reports, is_stack=target.is_stack)

    report = check(target)
    if not thorough or report.note:
        return report
    also = tuple((name, check(other)) for name, other in extra_targets(target, seed))
    verdicts = [report.verdict, *(other.verdict for _, other in also)]
    return replace(report, verdict=max(verdicts, key=SEVERITY.index), also=also)


def _by_coordinates(
    target: CheckTarget,
    groups: Sequence[ParameterGroup],
    step: float | None,
    precision: Precision,
    seed: int,
) -> list[GradientReport]:
    gradient = target.gradient()
    rounding = _rounding(target, gradient, seed)
    return [
        by_coordinates(
            target.probes(start),
            target.theta(start),
            gradient[start],
            groups,
            step,
            precision,
            partial(rounding, start),
        )
        for start in range(len(target.stack))
    ]


def _rounding(
    target: CheckTarget, gradient: Array, seed: int
) -> Callable[[int, ParameterGroup], float]:
    """Return what tells how far rounding may move the entries of a group, once it is asked for.

    At a perfect fit all of a gradient is rounding, also in float64.
    """

    @cache
    def native() -> NativePrecision | None:
        return NativePrecision.of(target, seed)

    @cache
    def spread() -> Array:
        return np.abs(target.gradient(target.stack * (1.0 + EPS)) - gradient)

    def rounding(start: int, group: ParameterGroup) -> float:
        measured = native()
        if measured is None:
            return 4.0 * largest_of(spread()[start][group.indices])
        return measured.bar(group, gradient[start], start)

    return rounding


def _by_directions(
    target: CheckTarget, groups: Sequence[ParameterGroup], settings: DirectionSettings
) -> list[GradientReport]:
    native = NativePrecision.of(target, settings.seed)
    gradient = target.precise_gradient() if native else target.gradient()
    changes = target.changes(gradient)
    reports = []
    for start in range(len(target.stack)):
        report = by_directions(
            target, start, gradient[start], groups, settings, changes=bool(changes[start])
        )
        reports.append(native.judged(report, groups, gradient[start], start) if native else report)
    return reports


def _check_arguments(
    method: object,
    directions: object,
    step: object,
    max_per_block: object,
    seed: object,
) -> None:
    choose("method of check_gradient", method, METHODS)
    check_integer_at_least("directions of check_gradient", directions, 1)
    if method != "coordinates" and not (step is None and max_per_block is None):
        name, given = ("step", step) if step is not None else ("max_per_block", max_per_block)
        raise InvalidInput(
            f"{name} of check_gradient must come with method='coordinates'. Got {given!r}; "
            f"'directions' finds its steps, and takes all entries at once."
        )
    if step is not None:
        check_positive("step of check_gradient", step)
    if max_per_block is not None:
        check_integer_at_least("max_per_block of check_gradient", max_per_block, 1)
    if not is_integer(seed, 0):
        raise InvalidInput(f"seed of check_gradient must be an integer >= 0. Got {seed!r}.")


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
