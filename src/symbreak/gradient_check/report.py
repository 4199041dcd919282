"""What a gradient check found: as plain data, as text for a terminal and a table for notebooks."""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbreak.errors import SymbreakError
from symbreak.text import format_table

if TYPE_CHECKING:
    from symbreak.gradient_check.probes import Probes

SEVERITY = ("pass", "inconclusive", "fail")
HEAD = ("block", "verdict", "rel. error", "scale", "worst", "analytic", "numerical", "checked")
MOST_NAMED = 4  # wrong entries that are named in a note


class GradientError(SymbreakError, AssertionError):
    """A gradient is not the derivative of its J."""


@dataclass(frozen=True)
class BlockReport:
    """The verdict on one block, or on its weights or biases.

    Attributes
    ----------
    name : such as "Theta1 weights".
    verdict : "pass", "fail" or "inconclusive".
    relative_error : max |analytic - numerical| / scale over the entries the verdict rests on; NaN
        when there was no number to compare with.
    scale : the largest |analytic| or |numerical| of the block.
    worst : the entry with the largest error, such as "Theta1[3, 0]".
    analytic, numerical : its two derivatives.
    n_checked, n_parameters : entries compared, entries there are.
    note : what else must be known (for a failed block the probable cause), or "".
    bar : the error that the numerical side may have, relative to the scale; NaN for "coordinates".
    wrong : the entries that were found to be wrong, the worst first.
    kernel_error : the largest difference of the gradient in the objective's own dtype from that in
        float64, relative to the largest entry of the group; NaN where that dtype is float64.
    is_spread : whether the error is all over the block, or in more entries than `wrong` names;
        `wrong` then is a sample.
    floor : the size up to which an entry could not be judged: a quarter of it, or all, may be
        wrong. NaN where there is no bar to tell.
    n_below : how many entries are no larger, without being exactly zero.
    """

    name: str
    verdict: str
    relative_error: float
    scale: float
    worst: str
    analytic: float
    numerical: float
    n_checked: int
    n_parameters: int
    note: str = ""
    bar: float = math.nan
    wrong: tuple[str, ...] = ()
    kernel_error: float = math.nan
    is_spread: bool = False
    floor: float = math.nan
    n_below: int = 0


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradient` found.

    Attributes
    ----------
    verdict : "fail" if a block fails, else "inconclusive" if one is or if there was nothing to
        compare, else "pass".
    blocks : one `BlockReport` for each block, in the order of theta.
    n_evaluations : evaluations of J, over all starts.
    start : the start that is reported: the worst; None when theta was a plain vector.
    value : J there.
    tolerance : for "coordinates" the relative error up to which a block passes; else NaN.
    directions : lines through each block; 0 for "coordinates".
    note : what is to be done where nothing could be told, or "".
    also : further checks by name (`thorough`), which the verdict takes in.
    """

    verdict: str
    blocks: tuple[BlockReport, ...]
    n_evaluations: int
    start: int | None
    value: float
    tolerance: float = math.nan
    directions: int = 0
    note: str = ""
    also: tuple[tuple[str, GradientReport], ...] = ()

    @classmethod
    def of(cls, blocks: Sequence[BlockReport], probes: Probes, **known: Any) -> GradientReport:
        """Return the report on one start; `known` are the attributes of the method alone."""
        return cls(
            verdict=overall(blocks),
            blocks=tuple(blocks),
            n_evaluations=probes.n_evaluations,
            start=probes.start,
            value=probes.value,
            **known,
        )

    @property
    def worst(self) -> BlockReport:
        """The block that decides the verdict."""
        return max(self.blocks, key=severity)

    @property
    def relative_error(self) -> float:
        """The largest relative error, that of `worst`."""
        return self.worst.relative_error

    @property
    def n_checked(self) -> int:
        """How many parameters were compared."""
        return sum(block.n_checked for block in self.blocks)

    @property
    def n_parameters(self) -> int:
        """How many parameters there are."""
        return sum(block.n_parameters for block in self.blocks)

    @property
    def line(self) -> str:
        """The report in one sentence."""
        return f"Gradient check: {self.verdict}, {self.finding}"

    @property
    def finding(self) -> str:
        """What the verdict rests on, in words."""
        extent = f"{self.n_checked} of {self.n_parameters} parameters"
        zero = [block.name for block in self.blocks if _is_zero(block)]
        if zero:
            extent += f", gradient exactly zero in {', '.join(zero)}"
        if self.start is not None:
            extent += f", worst start {self.start}"
        return f"{self._reason()}, {extent}."

    def _reason(self) -> str:
        worst = self.worst
        if overall(self.blocks) != self.verdict:
            for name, other in self.also:
                if other.verdict == self.verdict:
                    return f"{name}, {other._reason()}"
        if self.verdict == "pass":
            return f"largest relative error {worst.relative_error:.1e} ({worst.name})"
        if self.verdict == "fail":
            cause = f"; {worst.note}" if worst.note and self.directions else ""
            return (
                f"relative error {worst.relative_error:.1e} at {worst.worst} (analytic "
                f"{worst.analytic:.6g}, numerical {worst.numerical:.6g}){cause}"
            )
        return self.note or f"{worst.name}: {worst.note}"

    def raise_on_failure(self) -> None:
        """Raise if the verdict is "fail"; an inconclusive check does not raise.

        Raises
        ------
        GradientError
            With the whole report as its text.
        """
        if self.verdict == "fail":
            raise GradientError(str(self))

    def missed(self, error: float) -> float:
        """Return the chance that an error was missed, the largest over the blocks that passed.

        Parameters
        ----------
        error : the norm of the error, relative to that of the gradient of its block. Along a line
            it shows by its size times a standard normal number; below the bar on all lines it is
            missed. NaN where no block was judged by its bars.
        """
        passed = [block for block in self.blocks if block.verdict == "pass" and block.scale > 0.0]
        bars = [block.bar for block in passed if not math.isnan(block.bar)]
        if not self.directions or not bars:
            return math.nan
        return float(math.erf(max(bars) / error / math.sqrt(2.0)) ** self.directions)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        plain: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("blocks", "also")
        }
        plain["blocks"] = [dataclasses.asdict(block) for block in self.blocks]
        plain["also"] = {name: report.to_dict() for name, report in self.also}
        return plain

    def __str__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)


def relative(size: float, scale: float) -> float:
    """Return a size relative to a scale; where there is no scale, as it is."""
    return float(size / scale) if scale > 0.0 else float(size)


def severity(block: BlockReport) -> tuple[int, float]:
    """Return what blocks are ordered by: verdict first, then relative error, NaN above all."""
    error = block.relative_error
    return SEVERITY.index(block.verdict), float("inf") if error != error else error


def _is_zero(block: BlockReport) -> bool:
    return block.scale == 0.0 and block.verdict == "pass"


def overall(blocks: Sequence[BlockReport]) -> str:
    """Return the verdict on all blocks."""
    if all(block.scale == 0.0 for block in blocks):
        return "inconclusive"
    return max((block.verdict for block in blocks), key=SEVERITY.index)


def text_of(report: GradientReport) -> str:
    """Return the report for a terminal: a sentence, a table, notes, what else was checked."""
    lines = [report.line, *format_table(_rows(report)), *notes_of(report)]
    for name, other in report.also:
        indented = text_of(other).replace("\n", "\n  ")
        lines += [f"{name}:", f"  {indented}"]
    return "\n".join(lines)


def html_of(report: GradientReport) -> str:
    """Return the report for a notebook; everything in it is escaped."""
    head, *rows = _rows(report)
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in notes_of(report))
    others = "".join(f"<h4>{html.escape(name)}</h4>{html_of(other)}" for name, other in report.also)
    return (
        f"<p><b>{html.escape(report.line)}</b></p><table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table>{f'<ul>{notes}</ul>' if notes else ''}{others}"
    )


def notes_of(report: GradientReport) -> list[str]:
    """Return what must be known beside the table."""
    notes = []
    for block in report.blocks:
        parts = [part for part in (block.note, _wrong_entries(block), _below(block)) if part]
        notes += [f"{block.name}: {'; '.join(parts)}."] if parts else []
    if report.directions:
        notes.append(_effort(report))
    return notes


def _effort(report: GradientReport) -> str:
    """Return how much was looked at, and what that would miss."""
    effort = (
        f"{report.directions} lines through each block, {report.n_evaluations} evaluations of J"
    )
    chance = report.missed(0.01)
    if math.isnan(chance):
        return f"{effort}."
    return (
        f"{effort}; an error of 1 % of the gradient of a block that passed would be missed with a "
        f"chance of {_chance(chance)}."
    )


def _wrong_entries(block: BlockReport) -> str:
    if not block.wrong:
        return ""
    named = ", ".join(block.wrong[:MOST_NAMED])
    if block.is_spread:
        return f"the error is spread over the block; wrong, among others: {named}"
    more = " and others" if len(block.wrong) > MOST_NAMED else ""
    return f"wrong: {named}{more}"


def _below(block: BlockReport) -> str:
    if not block.n_below:
        return ""
    entries = "entry" if block.n_below == 1 else "entries"
    return f"{block.n_below} {entries} below {block.floor:.1e} could not be judged"


def _chance(chance: float) -> str:
    return "less than 1e-12" if chance < 1e-12 else f"{chance:.1e}"


def _rows(report: GradientReport) -> list[tuple[str, ...]]:
    head, rows = list(HEAD), [list(_row(block)) for block in report.blocks]
    extra = [("bar", "bar"), ("kernel_error", "own dtype")]
    for name, title in extra:
        numbers = [getattr(block, name) for block in report.blocks]
        if any(not math.isnan(number) for number in numbers):
            head.insert(3, title)
            for row, number in zip(rows, numbers, strict=True):
                row.insert(3, f"{number:.1e}")
    return [tuple(head), *(tuple(row) for row in rows)]


def _row(block: BlockReport) -> tuple[str, ...]:
    return (
        block.name,
        block.verdict,
        f"{block.relative_error:.1e}",
        f"{block.scale:.1e}",
        block.worst,
        f"{block.analytic:.6e}",
        f"{block.numerical:.6e}",
        f"{block.n_checked} of {block.n_parameters}",
    )
