"""The verdict on one group of parameters, from what its lines showed.

At kinks the numbers at theta mix the slopes of several pieces. There the gradient is judged at a
theta close by, where a wrong one is as wrong, and at theta itself it must lie between the sides.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from symbreak.gradient_check.causes import Clues, cause_of
from symbreak.gradient_check.checked_start import CheckedStart
from symbreak.gradient_check.directional import Comparison
from symbreak.gradient_check.kinks import Pieces, Settled, settle
from symbreak.gradient_check.localisation import Entry, Located, locate
from symbreak.gradient_check.parameter_groups import ParameterGroup
from symbreak.gradient_check.precision import rounding_unit
from symbreak.gradient_check.probes import EPS
from symbreak.gradient_check.report import BlockReport, relative
from symbreak.gradient_check.small_entries import SEEN, count_below

RESOLUTION = 1e-3
ROUNDING = 50.0  # rounding units of the whole gradient that an entry may be off
BETWEEN = "pass at a kink: the analytic value lies between the one-sided derivatives"
CLOSE_BY = "seen close by theta, which lies on kinks"
MIXED = (
    "theta lies on several kinks at once, where the derivative does not exist; move theta a little"
)
TOO_MANY = "theta lies on too many kinks to tell them apart; move theta a little"


def verdict_on(
    start: CheckedStart,
    group: ParameterGroup,
    number: int,
    comparison: Comparison,
    scale: float,
    around: float,
    has_clear_neighbour: bool,
) -> BlockReport:
    """Return the verdict on a group.

    Parameters
    ----------
    number : of the group, for the random numbers.
    around : the largest scale of all groups.
    has_clear_neighbour : whether another group of the same layer was seen clearly.
    """
    analytic = start.gradient[group.indices]
    if not np.isfinite(analytic).all():
        count = int((~np.isfinite(analytic)).sum())
        note = f"the gradient holds {count} numbers that are not finite"
        return _report(
            start, group, comparison, np.inf, "fail", note, int(np.argmin(np.isfinite(analytic)))
        )
    if comparison.at_kink.any() and not comparison.agrees.all():
        return _at_kinks(start, group, number, comparison, scale)
    if comparison.is_wrong.any():
        return _failed(start, group, number, comparison, scale)
    rounding = ROUNDING * rounding_unit(start.gradient, start.theta, EPS)
    is_noise = has_clear_neighbour and bool((np.abs(analytic) <= rounding).all())
    if scale == 0.0 or is_noise:
        return _nothing(start, group, comparison, scale, around)
    is_dull = (comparison.bar > RESOLUTION * scale) & ~(comparison.at_kink & comparison.is_between)
    if is_dull.any() or not comparison.agrees.all():
        return _report(start, group, comparison, scale, "inconclusive", _why_unclear(comparison))
    return _report(start, group, comparison, scale, "pass", "")


def _at_kinks(
    start: CheckedStart, group: ParameterGroup, number: int, comparison: Comparison, scale: float
) -> BlockReport:
    aside = start.aside(group)
    if aside is not None and aside.verdict == "fail":
        return replace(aside, note="; ".join(filter(None, (aside.note, CLOSE_BY))))
    is_right_aside = aside is not None and aside.verdict == "pass"
    pieces = settle(start.directional, group.indices, start.stream(number, 1))
    is_right = pieces.settled is Settled.BETWEEN or (
        pieces.settled is Settled.MANY and is_right_aside
    )
    if is_right and aside is not None and is_right_aside:
        return replace(aside, note=f"{BETWEEN}; the numbers are of a theta close by")
    if is_right:
        return replace(
            _report(start, group, comparison, scale, "pass", BETWEEN),
            bar=np.nan,
            floor=np.nan,
            n_below=0,
        )
    if pieces.settled is Settled.WRONG and aside is None:
        return _failed(start, group, number, comparison, scale, pieces)
    note = TOO_MANY if pieces.settled is Settled.MANY else MIXED
    return _report(start, group, comparison, scale, "inconclusive", note)


def _failed(
    start: CheckedStart,
    group: ParameterGroup,
    number: int,
    comparison: Comparison,
    scale: float,
    pieces: Pieces | None = None,
) -> BlockReport:
    """Return the report on a group that is wrong, with the entries that were found."""
    located = _located(start, group, number, pieces)
    clues = Clues(
        start.n_examples, start.gradient, start.theta, group.block.shape, group.block.start
    )
    report = _report(start, group, comparison, scale, "fail", cause_of(located, clues))
    if not located.wrong:
        return report
    worst = located.wrong[0]
    return replace(
        report,
        relative_error=relative(abs(worst.analytic - worst.numerical), scale),
        worst=_name(group, worst),
        analytic=worst.analytic,
        numerical=worst.numerical,
        wrong=tuple(_name(group, entry) for entry in located.wrong),
        is_spread=located.is_spread,
    )


def _located(
    start: CheckedStart, group: ParameterGroup, number: int, pieces: Pieces | None
) -> Located:
    if pieces is not None:
        is_spread = not pieces.are_all or len(pieces.wrong) > max(1.0, len(group.indices) / 2)
        return Located(pieces.wrong, is_spread, pieces.are_all)
    if start.settings.locates:
        return locate(start.directional, group.indices, start.stream(number, 1))
    return Located((), is_spread=False)


def _name(group: ParameterGroup, entry: Entry) -> str:
    return group.block.entry(entry.index - group.block.start)


def _nothing(
    start: CheckedStart, group: ParameterGroup, comparison: Comparison, scale: float, around: float
) -> BlockReport:
    """Return the verdict on a gradient of zero: believed where one that matters would show."""
    would_show = bool((comparison.bar <= RESOLUTION * around).all())
    if would_show and scale == 0.0:
        return _report(start, group, comparison, 0.0, "pass", "zero gradient: nothing to compare")
    if would_show:
        return replace(
            _report(start, group, comparison, scale, "pass", "zero up to rounding"),
            relative_error=0.0,
            n_below=0,
        )
    note = "zero gradient, but one below the noise of J would not show: cannot tell"
    return _report(start, group, comparison, scale, "inconclusive", note)


def _why_unclear(comparison: Comparison) -> str:
    if np.isnan(comparison.numerical).any():
        return "J is not finite beside theta: cannot tell"
    return "the derivatives are below the noise of J, or change with every step: cannot tell"


def _report(
    start: CheckedStart,
    group: ParameterGroup,
    comparison: Comparison,
    scale: float,
    verdict: str,
    note: str,
    position: int | None = None,
) -> BlockReport:
    errors = np.abs(comparison.analytic - comparison.numerical)
    line = int(np.argmax(np.where(np.isnan(errors), -1.0, errors)))
    with np.errstate(all="ignore"):
        error, bar = relative(errors[line], scale), relative(comparison.bar.max(), scale)
        # An error of one entry weighs 1 / sqrt(entries) on a line.
        floor = SEEN * float(comparison.bar.max()) * math.sqrt(len(group.within))
    return BlockReport(
        name=group.name,
        verdict=verdict,
        relative_error=error,
        scale=scale,
        worst=f"direction {line + 1}" if position is None else group.entry(position),
        analytic=float(comparison.analytic[line]),
        numerical=float(comparison.numerical[line]),
        n_checked=len(group.within),
        n_parameters=group.n_parameters,
        note=note,
        bar=bar,
        floor=floor,
        n_below=count_below(start.gradient[group.indices], floor) if verdict == "pass" else 0,
    )
