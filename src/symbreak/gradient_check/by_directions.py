"""The check of one start along random lines, block by block.

Conventions
-----------
scale : the root mean square of a block's gradient, the size of a derivative along a random line
clear : a bar of at most `RESOLUTION` scale; a block that no line shows so clearly is not judged
An error e (a vector in the block) shows along a line by |e| |z| / sqrt(k), z standard normal, k the
entries of the block; it is missed if that is below the bar on all lines (`GradientReport.missed`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from symbreak.errors import InvalidInput
from symbreak.gradient_check.check_target import CheckTarget
from symbreak.gradient_check.checked_start import CheckedStart, DirectionSettings
from symbreak.gradient_check.direction_verdict import RESOLUTION, verdict_on
from symbreak.gradient_check.directional import FINE, FINEST, Comparison, Directional
from symbreak.gradient_check.lines import Line, size, spherical
from symbreak.gradient_check.parameter_groups import ParameterGroup
from symbreak.gradient_check.probes import Array, Probes
from symbreak.gradient_check.report import BlockReport, GradientReport

SHARP = 1e-6  # of the scale: a bar that asks for no smaller steps
MOVE = 2.0**-6  # to a theta off the kinks, in units of the root mean square of theta
CHANGES = (
    "J or its gradient changes from call to call: call eval() of the module, or set the seed of "
    "what is random in it (dropout, noise, augmentation) before each evaluation"
)


def by_directions(
    target: CheckTarget,
    number: int,
    gradient: Array,
    groups: Sequence[ParameterGroup],
    settings: DirectionSettings,
    *,
    changes: bool,
) -> GradientReport:
    """Return the report on one start.

    Parameters
    ----------
    number : of the start.
    gradient : (n,), that in float64.
    changes : whether a second call gave another gradient.
    """
    probes, theta = target.probes(number), target.theta(number)
    aside = _Aside(target, number, theta, gradient, settings)
    directional = Directional(probes, gradient, theta)
    start = CheckedStart(
        directional, gradient, theta, target.n_examples, settings, aside.verdict_on
    )
    blocks = check_groups(start, groups)
    note = ""
    if probes.changes or changes:
        note, blocks = CHANGES, [_untold(block) for block in blocks]
    report = GradientReport.of(blocks, probes, directions=settings.directions, note=note)
    return replace(report, n_evaluations=report.n_evaluations + aside.n_evaluations)


def _untold(block: BlockReport) -> BlockReport:
    """Return a block that no difference can tell of."""
    if not np.isfinite(block.scale):
        return block
    return replace(
        block, verdict="inconclusive", note="", wrong=(), is_spread=False, worst="",
        relative_error=math.nan, bar=math.nan, analytic=math.nan, numerical=math.nan,
        floor=math.nan, n_below=0,
    )  # fmt: skip


class _Aside:
    """The check at a theta close by, off the kinks of this one; made when it is first asked for."""

    def __init__(
        self,
        target: CheckTarget,
        number: int,
        theta: Array,
        gradient: Array,
        settings: DirectionSettings,
    ) -> None:
        self._target, self._number = target, number
        self._theta, self._gradient, self._settings = theta, gradient, settings
        self._probes: Probes | None = None

    @property
    def n_evaluations(self) -> int:
        """Evaluations of J so far."""
        return 0 if self._probes is None else self._probes.n_evaluations

    def verdict_on(self, group: ParameterGroup) -> BlockReport | None:
        """Return the verdict there; None if J or the gradient says nothing of its own there."""
        start = self._start
        if start is None or np.array_equal(
            start.gradient[group.indices], self._gradient[group.indices]
        ):
            return None
        return check_groups(start, [group])[0]

    @cached_property
    def _start(self) -> CheckedStart | None:
        stream = np.random.default_rng([self._settings.seed, self._number, 4])
        size_of_theta = size(self._theta) / np.sqrt(len(self._theta)) or 1.0
        away = stream.uniform(0.5, 1.0, len(self._theta))
        away *= stream.choice([-1.0, 1.0], len(self._theta))
        theta = self._theta + MOVE * size_of_theta * away
        try:
            self._probes, gradient = self._target.beside(self._number, theta)
        except InvalidInput:  # J or its gradient may end on the way
            return None
        return CheckedStart(
            Directional(self._probes, gradient, theta), gradient, theta,
            self._target.n_examples, self._settings, _nowhere,
        )  # fmt: skip


def _nowhere(_: ParameterGroup) -> None:
    """Give no verdict: a theta that was moved is not moved again."""


def check_groups(start: CheckedStart, groups: Sequence[ParameterGroup]) -> list[BlockReport]:
    """Return the verdict on every group of one start."""
    lines = [_lines(group, number, start) for number, group in enumerate(groups)]
    comparisons = _compared(start, groups, lines)
    sizes = np.array(
        [
            _scale(start.gradient, group, comparison)
            for group, comparison in zip(groups, comparisons, strict=True)
        ]
    )
    clear = {
        group.owner
        for group, comparison, size in zip(groups, comparisons, sizes, strict=True)
        if size > 0.0 and (comparison.bar <= RESOLUTION * size).all()
    }
    around = float(sizes.max(initial=0.0))
    return [
        verdict_on(start, group, number, comparison, float(size), around, group.owner in clear)
        for number, (group, comparison, size) in enumerate(
            zip(groups, comparisons, sizes, strict=True)
        )
    ]


def _lines(group: ParameterGroup, number: int, start: CheckedStart) -> list[Line]:
    stream = np.random.default_rng([start.settings.seed, number])
    return [spherical(group.indices, stream) for _ in range(start.settings.directions)]


def _compared(
    start: CheckedStart, groups: Sequence[ParameterGroup], lines: Sequence[Sequence[Line]]
) -> list[Comparison]:
    """Compare all lines in one stack, and those that leave a question with finer steps."""
    every_line = [line for few in lines for line in few]
    comparisons = start.directional.compare(every_line).split(len(groups))
    _again(
        start,
        lines,
        comparisons,
        FINE,
        [not _is_settled(start, *pair) for pair in zip(groups, comparisons, strict=True)],
    )
    _again(
        start,
        lines,
        comparisons,
        FINEST,
        [bool(comparison.at_kink.any()) for comparison in comparisons],
    )
    return comparisons


def _again(
    start: CheckedStart,
    lines: Sequence[Sequence[Line]],
    comparisons: list[Comparison],
    level: int,
    is_open: Sequence[bool],
) -> None:
    """Replace the comparisons of the groups that are open by finer ones."""
    numbers = [number for number, is_one in enumerate(is_open) if is_one]
    if numbers:
        again = [line for number in numbers for line in lines[number]]
        finer = start.directional.compare(again, level).split(len(numbers))
        for number, comparison in zip(numbers, finer, strict=True):
            comparisons[number] = comparison


def _is_settled(start: CheckedStart, group: ParameterGroup, comparison: Comparison) -> bool:
    scale = _scale(start.gradient, group, comparison)
    return bool((comparison.agrees & ~comparison.at_kink & (comparison.bar <= SHARP * scale)).all())


def _scale(gradient: Array, group: ParameterGroup, comparison: Comparison) -> float:
    own = size(np.nan_to_num(gradient[group.indices])) / np.sqrt(len(group.within))
    told = np.abs(comparison.numerical[np.abs(comparison.numerical) > comparison.bar])
    return float(max(own, told.max(initial=0.0)))
