"""The verdict on every stage, in the order of computation.

A stage that is wrong is compared again with what the right formula makes of the person's own
earlier stages: if it is that, it only follows from a wrong stage before it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from symbreak.backpropagation_check.cause import BEHIND_WRONG, FOLLOWS, Cause
from symbreak.backpropagation_check.compare import Difference, Truth, compare
from symbreak.backpropagation_check.diagnose import fitting_mistakes, no_known_mistake
from symbreak.backpropagation_check.mistakes.kinks import right_sided
from symbreak.backpropagation_check.problem import Array, Problem
from symbreak.backpropagation_check.reading import Reading
from symbreak.backpropagation_check.report import ZERO, StageReport
from symbreak.backpropagation_check.stages import Formula, Pass, Stage, inputs_of, stages_of
from symbreak.text import pluralize

_AT_A_KINK = "takes g' from the right side of a kink, which is as good as from the left"
_ROUNDING = "rounding hides the difference at this theta; take another one"


class Judge:
    """Judges the stages of one answer, each after those before it."""

    def __init__(self, problem: Problem, truth: Truth, reading: Reading) -> None:
        self.problem, self.truth, self.reading = problem, truth, reading
        self._given: dict[Stage, Array] = {}
        self._wrong: set[Stage] = set()
        self._right: set[Stage] = set()
        self._fits: dict[Stage, list[Cause]] = {}

    def stages(self) -> tuple[StageReport, ...]:
        """Return the reports of all stages in the order of computation."""
        found = {stage: self._judged(stage) for stage in stages_of(self.problem.n_layers)}
        return tuple((found | self._shared_first(found)).values())

    def _judged(self, stage: Stage) -> StageReport:
        if stage in self.reading.mistakes:
            self._wrong.add(stage)
            cause = self.reading.mistakes[stage]
            return self._report(stage, "fail", cause=cause.said, mistake=cause.mistake)
        if stage not in self.reading.arrays:
            return self._report(stage, "not returned")
        theirs = self.reading.arrays[stage]
        if not bool(np.isfinite(theirs).all()):
            return self._not_finite(stage, theirs)
        difference = compare(stage, theirs, self.truth.values[stage], self.truth)
        if difference.verdict == "pass":
            return self._passed(stage, difference)
        if difference.verdict == "inconclusive":
            self._take_ours(stage)
            return self._compared(stage, "inconclusive", difference, _ROUNDING)
        return self._failed(stage, theirs, difference)

    def _passed(self, stage: Stage, difference: Difference) -> StageReport:
        self._take_ours(stage)
        zero = not self.truth.values[stage].any()
        return self._compared(stage, "pass", difference, ZERO if zero else _hidden(difference))

    def _take_ours(self, stage: Stage) -> None:
        """Let later stages see our value, which is theirs without its rounding."""
        self._right.add(stage)
        self._given[stage] = self.truth.values[stage]
        if stage == Stage("a", self.problem.n_layers):
            # J and delta(L) are taken from z(L), where 1 - a does not cancel.
            del self._given[stage]
            before = Stage("z", stage.layer)
            self._given[before] = self.truth.values[before]

    def _failed(self, stage: Stage, theirs: Array, difference: Difference) -> StageReport:
        before = self._wrong_before(stage)
        given = {one: array for one, array in self._given.items() if one != stage}
        self._given[stage] = theirs
        if before is None and self._is_right_at_kinks(stage, theirs, given):
            return self._compared(stage, "pass", difference, _AT_A_KINK)
        follows = self._equals(stage, theirs, Pass(self.problem, given))
        if before is None and follows:
            # Only a kink taken from the other side lies between theirs and ours.
            return self._compared(stage, "pass", difference, "consistent with that kink")
        self._wrong.add(stage)
        if follows and before is not None:
            said = f"consistent with the wrong {before.name} before it"
            return self._failing(stage, difference, Cause(FOLLOWS, said), before.name)
        return self._explained(stage, theirs, difference, given, before)

    def _explained(
        self,
        stage: Stage,
        theirs: Array,
        difference: Difference,
        given: dict[Stage, Array],
        before: Stage | None,
    ) -> StageReport:
        returned = self.reading.arrays
        fits = fitting_mistakes(self.problem, stage, theirs, given, returned, self.truth)
        if not fits and before is not None:
            right = {one: self.truth.values[one] for one in given}
            fits = fitting_mistakes(self.problem, stage, theirs, right, returned, self.truth)
        name = "" if before is None else before.name
        if fits:
            self._fits[stage] = fits
            return self._failing(stage, difference, fits[0], name)
        cause = no_known_mistake(stage, theirs, self.truth.values[stage], self.truth)
        if before is not None:
            cause = Cause(BEHIND_WRONG, f"depends on the wrong {name} before it")
        return self._failing(stage, difference, cause, name)

    def _failing(
        self, stage: Stage, difference: Difference, cause: Cause, depends_on: str
    ) -> StageReport:
        report = self._compared(stage, "fail", difference, cause.said)
        return replace(report, mistake=cause.mistake, depends_on=depends_on)

    def _not_finite(self, stage: Stage, theirs: Array) -> StageReport:
        row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(theirs)))
        entry = entry_name(stage, (row, column))
        if entry == stage.name:
            return self._report(stage, "inconclusive", cause=f"{stage.name} is not finite")
        return self._report(
            stage, "inconclusive", cause=f"{stage.name} is not finite at {entry}", worst=entry,
            theirs=float(theirs[row, column]), ours=float(self.truth.values[stage][row, column]),
        )  # fmt: skip

    def _wrong_before(self, stage: Stage) -> Stage | None:
        """Return the nearest wrong stage that this one depends on, directly or not."""
        ahead, visited = list(inputs_of(stage, self.problem.n_layers)), set[Stage]()
        while ahead:
            earlier = ahead.pop(0)
            if earlier in self._wrong:
                return earlier
            if earlier not in visited and earlier not in self._right:
                ahead += inputs_of(earlier, self.problem.n_layers)
            visited.add(earlier)
        return None

    def _is_right_at_kinks(self, stage: Stage, theirs: Array, given: dict[Stage, Array]) -> bool:
        changed = dict(self._kinked_deltas(stage, given))
        return bool(changed) and self._equals(stage, theirs, Pass(self.problem, given, changed))

    def _kinked_deltas(
        self, stage: Stage, given: dict[Stage, Array]
    ) -> Iterator[tuple[Stage, Formula]]:
        for layer in range(2, self.problem.n_layers):
            delta = Stage("delta", layer)
            kinks = self.problem.network.activations[layer - 2].kinks
            at_kink = np.isin(self.truth.values[Stage("z", layer)], kinks).any()
            if at_kink and delta not in given and stage.kind in ("delta", "gradients"):
                yield delta, right_sided

    def _equals(self, stage: Stage, theirs: Array, run: Pass) -> bool:
        with np.errstate(all="ignore"):
            value = run.value(*stage)
        if not bool(np.isfinite(value).all()):
            return False
        return compare(stage, theirs, value, self.truth).verdict == "pass"

    def _shared_first(self, reports: Mapping[Stage, StageReport]) -> dict[Stage, StageReport]:
        """Put first, of the mistakes that fit a stage, what explains most other stages too."""
        shared = Counter(cause for fits in self._fits.values() for cause in fits)
        ordered = {}
        for stage, fits in self._fits.items():
            first, *others = sorted(fits, key=lambda cause: -shared[cause])
            also = tuple(cause.said for cause in others)
            ordered[stage] = replace(
                reports[stage], cause=first.said, mistake=first.mistake, also_fits=also
            )
        return ordered

    def _compared(
        self,
        stage: Stage,
        verdict: str,
        difference: Difference,
        cause: str,
    ) -> StageReport:
        entry, error = difference.entry, difference.error
        return StageReport(
            stage.name, stage.kind, stage.layer, verdict, error, entry_name(stage, entry),
            float(self.reading.arrays[stage][entry]), float(self.truth.values[stage][entry]),
            cause, is_zero=not self.truth.values[stage].any(),
        )  # fmt: skip

    def _report(
        self,
        stage: Stage,
        verdict: str,
        cause: str = "",
        mistake: str = "",
        worst: str = "",
        theirs: float = math.nan,
        ours: float = math.nan,
    ) -> StageReport:
        return StageReport(
            stage.name, stage.kind, stage.layer, verdict,
            worst=worst, theirs=theirs, ours=ours, cause=cause, mistake=mistake,
        )  # fmt: skip


def _hidden(difference: Difference) -> str:
    """Return what a pass does not say of entries that are small beside the largest."""
    if not difference.n_hidden:
        return ""
    return (
        f"{pluralize(difference.n_hidden, 'number')} up to {difference.below:.1e} may be wrong: "
        f"off by more than 1 % of the own size, but too small beside the largest to be judged"
    )


def entry_name(stage: Stage, entry: tuple[int, int]) -> str:
    """Return "unit 2, example 5" (both counted from 1), "Theta1[3, 0]" (as NumPy counts) or J."""
    row, column = entry
    if stage.kind == "gradients":
        return f"Theta{stage.layer}[{row}, {column}]"
    return "J" if stage.kind == "J" else f"unit {row + 1}, example {column + 1}"
