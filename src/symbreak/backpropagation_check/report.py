"""What a check of a person's back-propagation found, as plain data and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from symbreak.errors import SymbreakError
from symbreak.text import format_table

ZERO = "zero everywhere at this theta: nothing to compare"
_HEADER = ("stage", "verdict", "rel. error", "worst entry", "theirs", "ours")


class BackpropagationError(SymbreakError, AssertionError):
    """A person's back-propagation differs from what it must be."""


@dataclass(frozen=True)
class StageReport:
    """The verdict on one stage.

    Attributes
    ----------
    name : such as "z(2)", "J", "delta(2)" or "gradient of Theta1".
    kind : the key in what the function returns: "z", "a", "delta", "gradients" or "J".
    layer : 2 is the first hidden layer; of a gradient the number of its Theta.
    verdict : "pass", "fail", "inconclusive" or "not returned".
    relative_error : max |theirs - ours| / max |ours|; NaN where nothing could be compared.
    worst : the entry with the largest error, such as "unit 2, example 5" or "Theta1[3, 0]".
    theirs, ours : its two values.
    cause : why it is wrong, or what else must be known, or "".
    also_fits : other mistakes that would give the same numbers.
    depends_on : the wrong stage before it, or "".
    mistake : the fixed word for the cause of a wrong stage, such as "delta_without_slope" (two at
        once with "+" between), "unknown" where no known mistake fits; "" if the stage is not wrong.
    is_zero : whether the right values are all zero, so that a pass shows nothing.
    """

    name: str
    kind: str
    layer: int
    verdict: str
    relative_error: float = math.nan
    worst: str = ""
    theirs: float = math.nan
    ours: float = math.nan
    cause: str = ""
    also_fits: tuple[str, ...] = ()
    depends_on: str = ""
    mistake: str = ""
    is_zero: bool = False


@dataclass(frozen=True)
class BackpropagationReport:
    """What `check_backpropagation` found.

    Attributes
    ----------
    verdict : "fail" if a stage is wrong or the function changes its arguments; else "inconclusive"
        if a stage is, or if there was nothing to compare; else "pass".
    stages : one `StageReport` for each stage, in the order of computation.
    layout : how the returned arrays were understood, one sentence for each kind.
    tolerance : the relative error up to which a stage passes.
    notes : what else must be known of the function.
    """

    verdict: str
    stages: tuple[StageReport, ...]
    layout: tuple[str, ...]
    tolerance: float
    notes: tuple[str, ...] = ()

    @property
    def first_wrong(self) -> StageReport | None:
        """The first stage that is wrong, None if none is."""
        return next((stage for stage in self.stages if stage.verdict == "fail"), None)

    @property
    def n_compared(self) -> int:
        """How many stages were returned and compared."""
        return sum(stage.verdict != "not returned" for stage in self.stages)

    @property
    def line(self) -> str:
        """The report in one sentence."""
        extent = f"{self.n_compared} of {len(self.stages)} stages returned"
        zero = sum(stage.verdict == "pass" and stage.is_zero for stage in self.stages)
        if zero:
            extent += f", {zero} of them zero at this theta, which shows nothing; take a random one"
        return f"Back-propagation check: {self.verdict}, {self._reason()}, {extent}."

    def _reason(self) -> str:
        wrong = self.first_wrong
        if wrong is not None:
            return f"first wrong at {wrong.name}: {wrong.cause}"
        if self.verdict == "fail":
            return self.notes[0]
        if self.verdict == "pass":
            worst = max(_compared(self.stages), key=lambda stage: stage.relative_error)
            return f"largest relative error {worst.relative_error:.1e} ({worst.name})"
        unclear = [stage for stage in self.stages if stage.verdict == "inconclusive"]
        return unclear[0].cause if unclear else "nothing that could be compared was returned"

    def raise_on_failure(self) -> None:
        """Raise if the verdict is "fail"; an inconclusive check does not raise.

        Raises
        ------
        BackpropagationError
            With the whole report as its text.
        """
        if self.verdict == "fail":
            raise BackpropagationError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as dictionaries, lists, words and numbers; NaN becomes None."""
        first = self.first_wrong
        return {
            "verdict": self.verdict,
            "first_wrong": None if first is None else first.name,
            "stages": [_plain(stage) for stage in self.stages],
            "layout": list(self.layout),
            "tolerance": self.tolerance,
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        returned = [stage for stage in self.stages if stage.verdict != "not returned"]
        rows = [_HEADER, *(_row(stage) for stage in returned)] if returned else []
        causes = [line for stage in self.stages for line in _remarks(stage)]
        understood = [f"Understood: {said}." for said in self.layout]
        notes = [f"Note: {said}." for said in self.notes]
        missing = [stage.name for stage in self.stages if stage.verdict == "not returned"]
        absent = [f"Not returned: {', '.join(missing)}."] if missing else []
        return "\n".join([self.line, *format_table(rows), *causes, *absent, *understood, *notes])


def _compared(stages: Sequence[StageReport]) -> list[StageReport]:
    return [stage for stage in stages if not math.isnan(stage.relative_error)]


def _plain(stage: StageReport) -> dict[str, Any]:
    plain = asdict(stage)
    plain["also_fits"] = list(stage.also_fits)
    for name in ("relative_error", "theirs", "ours"):
        number = plain[name]
        plain[name] = (
            number if math.isfinite(number) else None if math.isnan(number) else str(number)
        )
    return plain


def _row(stage: StageReport) -> tuple[str, ...]:
    if math.isnan(stage.relative_error) and not stage.worst:
        return (stage.name, stage.verdict, "", "", "", "")
    return (
        stage.name,
        stage.verdict,
        "" if math.isnan(stage.relative_error) else f"{stage.relative_error:.1e}",
        stage.worst,
        f"{stage.theirs:.6e}",
        f"{stage.ours:.6e}",
    )


def _remarks(stage: StageReport) -> list[str]:
    named = stage.name in stage.cause
    lines = [f"{'' if named else stage.name + ': '}{stage.cause}."] if stage.cause else []
    return lines + [f"  the same numbers come from: {also}." for also in stage.also_fits]
