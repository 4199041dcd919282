"""What a gradient check found, as plain data and as text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbreak.errors import SymbreakError
from symbreak.gradient_check.rendering import html_of, text_of

if TYPE_CHECKING:
    from symbreak.gradient_check.probes import Probes

SEVERITY = ("pass", "inconclusive", "fail")


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
        float64, relative to the largest entry of the part; NaN where that dtype is float64.
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
        found: dict[str, Any] = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("blocks", "also")
        }
        found["blocks"] = [dataclasses.asdict(block) for block in self.blocks]
        found["also"] = {name: report.to_dict() for name, report in self.also}
        return found

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
