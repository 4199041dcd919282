"""What a gradient check found, as plain data and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbreak.errors import SymbreakError

SEVERITY = ("pass", "inconclusive", "fail")
_HEADER = (
    "block",
    "verdict",
    "rel. error",
    "scale",
    "worst entry",
    "analytic",
    "numerical",
    "checked",
)


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
    note : what else must be known, or "".
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
    tolerance : the relative error up to which a block passes.
    """

    verdict: str
    blocks: tuple[BlockReport, ...]
    n_evaluations: int
    start: int | None
    value: float
    tolerance: float

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
        extent = f"{self.n_checked} of {self.n_parameters} parameters"
        zero = [block.name for block in self.blocks if _is_zero(block)]
        if zero:
            extent += f", gradient exactly zero in {', '.join(zero)}"
        if self.start is not None:
            extent += f", worst start {self.start}"
        return f"Gradient check: {self.verdict}, {self._reason()}, {extent}."

    def _reason(self) -> str:
        worst = self.worst
        if self.verdict == "pass":
            return f"largest relative error {worst.relative_error:.1e} ({worst.name})"
        if self.verdict == "fail":
            return (
                f"relative error {worst.relative_error:.1e} at {worst.worst} (analytic "
                f"{worst.analytic:.6g}, numerical {worst.numerical:.6g})"
            )
        return f"{worst.name}: {worst.note}"

    def raise_if_failed(self) -> None:
        """Raise if the verdict is "fail"; an inconclusive check does not raise.

        Raises
        ------
        GradientError
            With the whole report as its text.
        """
        if self.verdict == "fail":
            raise GradientError(str(self))

    def __str__(self) -> str:
        rows = [_HEADER, *(_row(block) for block in self.blocks)]
        notes = [f"{block.name}: {block.note}." for block in self.blocks if block.note]
        return "\n".join([self.line, *_aligned(rows), *notes])


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


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
