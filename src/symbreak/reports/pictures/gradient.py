"""Analytic against numerical derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from symbreak.gradient_check import GradientReport
from symbreak.reports.pictures.display import GREY, Display, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"pass": 3, "fail": 2, "inconclusive": 5}
_MARKS = {"pass": "o", "fail": "X", "inconclusive": "s"}


class GradientCheckDisplay(Display):
    """The worst derivative of each block, analytic over numerical, with the numerical error bar.

    Parameters
    ----------
    report : what `check_gradient` returned. Its bars are relative to the scale of the block; a
        report without bars ("coordinates") is drawn with its tolerance instead.
    """

    def __init__(self, report: GradientReport) -> None:
        self.report = report

    @classmethod
    def from_report(cls, report: GradientReport, *, ax: Axes | None = None) -> Self:
        """Draw a report."""
        return cls(report).plot(ax)

    def _draw(self, ax: Axes) -> None:
        blocks = self.report.blocks
        numbers = np.array([[one.numerical, one.analytic] for one in blocks]).reshape(-1, 2)
        finite = numbers[np.isfinite(numbers)]
        ends = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        ax.plot(ends, ends, color=GREY, linewidth=1.0, label="equal")
        for verdict, number in _COLOURS.items():
            rows = [place for place, one in enumerate(blocks) if one.verdict == verdict]
            if rows:
                bars = [_bar(self.report, place) for place in rows]
                ax.errorbar(
                    numbers[rows, 0], numbers[rows, 1], xerr=bars, fmt=_MARKS[verdict],
                    color=colour(number), capsize=3.0, label=verdict,
                )  # fmt: skip
        for block, (x, y) in zip(blocks, numbers, strict=True):
            if block.verdict != "pass" and np.isfinite([x, y]).all():
                ax.annotate(block.worst, (x, y), textcoords="offset points", xytext=(6, 6))
        ax.set(xlabel="numerical derivative", ylabel="analytic derivative")
        ax.set_title(f"Gradient check: {self.report.verdict}")
        ax.legend()


def _bar(report: GradientReport, place: int) -> float:
    block = report.blocks[place]
    share = report.tolerance if np.isnan(block.bar) else block.bar
    return 0.0 if np.isnan(share) else float(share * block.scale)
