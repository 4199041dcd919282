"""The gradient in the objective's own dtype beside that of its float64 copy.

The mathematics is judged in float64. What the objective computes in float32 or bfloat16, perhaps
by other code, must then be the same up to rounding. How much rounding does is measured: theta is
moved by one rounding of its dtype a few times; how far that moves the gradient tells what the
roundings inside may do. Entries that are zero are moved by one rounding of 1, to and fro: what they
are added to or multiplied with is rounded too. Rounding moves the gradient as far on both sides; a
unit that rests on a kink, as a dead one does, is pushed over it on one of them only, and so the
nearer side counts.

Conventions
-----------
error : |g - g64| of an entry, g in the native dtype, g64 in float64
bar   : SPREAD max |g(theta moved) - g| + FLOOR eps max |g64|, the maxima over the group,
        + REACH eps times the largest |g64| of all and the largest |theta|: back-propagation
        multiplies large derivatives by small factors such as 1 - a², whose error is absolute
Where the bar is as large as the group's own derivatives, and the error is not small beside them,
nothing can be told of the dtype's own gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symbreak.arrays import Array as AnyArray
from symbreak.arrays import alike, as_numpy, namespace
from symbreak.gradient_check.check_target import CheckTarget
from symbreak.gradient_check.parameter_groups import ParameterGroup
from symbreak.gradient_check.precision import largest_of
from symbreak.gradient_check.probes import Array
from symbreak.gradient_check.report import BlockReport, GradientReport, overall, relative
from symbreak.gradient_check.small_entries import SEEN, count_below

MOVES = 4
SPREAD = 10.0
FLOOR = 16.0
REACH = 4.0
TELLS = 0.5  # of the largest derivative of a group: a bar that still tells something
NEAR = 0.1  # of it: an error that leaves no doubt, however wide the bar


@dataclass(frozen=True)
class NativePrecision:
    """The native gradient (starts, n), and how far roundings of theta move it.

    Attributes
    ----------
    name, eps, most : the dtype in a word, its rounding, and its largest number.
    reach : (starts,), the largest |theta|, or 1.
    """

    gradient: Array
    spread: Array
    name: str
    eps: float
    most: float
    reach: Array

    @classmethod
    def of(cls, target: CheckTarget, seed: int) -> NativePrecision | None:
        """Measure; None where the objective computes in float64 anyway."""
        if target.native == "float64":
            return None
        xp, gradient = namespace(target.stack), target.gradient()
        limits = xp.finfo(getattr(xp, target.native))
        stream = np.random.default_rng([seed, 2])
        shape = tuple(target.stack.shape)
        spread = np.zeros_like(gradient)
        for _ in range(MOVES):
            signs = alike(stream.integers(-1, 2, shape).astype(np.float64), target.stack)
            for change in _changes(target.stack, float(limits.eps) * signs):
                sides = [target.gradient(target.stack + one) for one in change]
                moved = np.minimum.reduce([np.abs(side - gradient) for side in sides])
                spread = np.maximum(spread, moved)
        reach = np.maximum(as_numpy(xp.max(xp.abs(target.stack), axis=1)), 1.0)
        return cls(gradient, spread, target.native, float(limits.eps), float(limits.max), reach)

    def bar(self, group: ParameterGroup, exact: Array, start: int) -> float:
        """Return how far rounding may move an entry of a group of the gradient `exact` (n,)."""
        spread = float(self.spread[start][group.indices].max())
        reach = float(self.reach[start]) * largest_of(exact)
        return SPREAD * spread + self.eps * (
            FLOOR * largest_of(exact[group.indices]) + REACH * reach
        )

    def judged(
        self, report: GradientReport, groups: Sequence[ParameterGroup], precise: Array, start: int
    ) -> GradientReport:
        """Return the report on one start with the verdict on the native gradient put in."""
        blocks = tuple(
            self._judged(block, group, precise, start)
            for block, group in zip(report.blocks, groups, strict=True)
        )
        return replace(report, blocks=blocks, verdict=overall(blocks))

    def _judged(
        self, block: BlockReport, group: ParameterGroup, precise: Array, start: int
    ) -> BlockReport:
        native, exact = self.gradient[start][group.indices], precise[group.indices]
        error = np.abs(native - exact)
        worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
        largest = float(np.abs(exact).max())
        bar = self.bar(group, precise, start)
        known = replace(block, kernel_error=relative(error[worst], largest))
        if block.verdict != "pass" or block.relative_error == 0.0:
            return known
        # Squares and products on the way overflow before the derivatives themselves do.
        if float(np.abs(precise).max()) > self.most**0.5:
            return _untold(known, f"beyond the range of {self.name}")
        if error[worst] <= bar:
            told = bar <= TELLS * largest or error[worst] <= NEAR * largest
            floor = float(np.fmax(block.floor, SEEN * bar))
            known = replace(known, floor=floor, n_below=count_below(native, floor))
            return known if told else _untold(known, f"no larger than its {self.name} rounding")
        note = (
            f"the mathematics is right, but the {self.name} gradient is not that of "
            f"the float64 copy: rounding explains a difference of {bar:.1e}"
        )
        return replace(
            known,
            verdict="fail",
            worst=group.entry(worst),
            analytic=float(native[worst]),
            numerical=float(exact[worst]),
            relative_error=relative(error[worst], largest),
            wrong=(group.entry(worst),),
            note=note,
        )


def _changes(stack: AnyArray, unit: AnyArray) -> Iterator[tuple[AnyArray, ...]]:
    """Yield changes of theta by one rounding: of all entries, and of those that are zero."""
    xp = namespace(stack)
    yield (unit * stack,)
    zeros = xp.where(stack == 0.0, unit, xp.zeros_like(unit))
    if bool(xp.any(zeros != 0.0)):
        yield zeros, -zeros


def _untold(block: BlockReport, why: str) -> BlockReport:
    note = f"the mathematics is right, but the gradient is {why}: cannot tell"
    return replace(block, verdict="inconclusive", note=note)
