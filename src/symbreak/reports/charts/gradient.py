"""Errors of the gradient in each block."""

from __future__ import annotations

from typing import Any

from symbreak.reports.charts.chart import ReportChart
from symbreak.reports.numbers import number_of
from symbreak.reports.svg import Chart

Section = dict[str, Any]
CAPTION = (
    "Relative error in each block, in the order of the table: the analytic derivative against the "
    "numerical one, as a share of the largest derivative of the block. Grey: the error that the "
    "numerical side itself may have."
)


def gradient_blocks(check: Section) -> Chart:
    """Return the relative error of each block, with the error bar of the numerical side."""
    blocks = check["blocks"]
    errors = [max(number_of(one["relative_error"]), 1e-17) for one in blocks]
    bars = [number_of(one["bar"]) for one in blocks]
    chart = Chart.of(
        "Relative error of the gradient in each block.",
        ("block", "count", [0.5, len(blocks) + 0.5]),
        ("relative error", "log", [*errors, *bars, 1e-12, 1.0]),
    )
    for place, (one, error, bar) in enumerate(zip(blocks, errors, bars, strict=True), start=1):
        chart.bar(place, chart.y.low, bar, "line other wide")
        title = f"{one['block']}: {one['verdict']}, relative error {error:.1e}"
        css = {"pass": "dot g3", "fail": "dot g2 big"}.get(one["verdict"], "dot open")
        chart.dots([(place, error)], css, [title])
    return chart


GRADIENT = ReportChart(needs=("gradient_check",), draw=gradient_blocks, caption=lambda *_: CAPTION)
