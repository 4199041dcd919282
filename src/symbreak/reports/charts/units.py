"""Distinct units of the hidden layers."""

from __future__ import annotations

from typing import Any

from symbreak.reports.charts.chart import Document, ReportChart
from symbreak.reports.svg import Chart, points_of

Section = dict[str, Any]
LOOKS = ("blue", "orange, dashed", "green, dotted", "pink", "olive, dashed", "violet")


def distinct_units(counts: Section) -> Chart | None:
    """Return the distinct units of each hidden layer over iterations; None for the end alone."""
    layers = counts["layers"]
    if len(counts["iterations"]) < 2:
        return None
    chart = Chart.of(
        "Distinct hidden units over iterations.",
        ("iterations", "log1p", [float(n) for n in counts["iterations"]]),
        ("distinct units", "count", [0.0, *(float(one["units"]) for one in layers)]),
    )
    for number, one in enumerate(layers, start=1):
        points = points_of(counts["iterations"], one["distinct"])
        title = f"hidden layer {number}: {one['distinct'][-1]} of {one['units']} at the end"
        chart.line(points, f"line layer{(number - 1) % 6 + 1}", title)
        chart.dots(points, f"dot g{(number - 1) % 6 + 1}", [title] * len(points))
    return chart


def _caption(document: Document, _: Chart) -> str:
    layers = [
        f"Hidden layer {number} ({LOOKS[(number - 1) % len(LOOKS)]}): {one['distinct'][0]} of "
        f"{one['units']} at the start, {one['distinct'][-1]} at the end. "
        for number, one in enumerate(document["distinct"]["layers"], start=1)
    ]
    return "".join(layers) + (
        "Two units count as one where all weights in and out are equal up to rounding (1024 units "
        "in the last place of the largest weight)."
    )


DISTINCT = ReportChart(needs=("distinct",), draw=distinct_units, caption=_caption)
