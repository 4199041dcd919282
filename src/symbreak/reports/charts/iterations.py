"""J and scores of validation over iterations."""

from __future__ import annotations

import math
from typing import Any

from symbreak.reports.charts.chart import Document, ReportChart
from symbreak.reports.numbers import number_of
from symbreak.reports.svg import Chart, Point, axis_limit, points_of
from symbreak.text import pluralize

Section = dict[str, Any]


def cost_curves(curves: Section) -> Chart | None:
    """Return J over iterations; the chosen start and its kept point stand out. None without points.

    Starts that diverge reach J beyond all measure. The axis ends where the others are still seen.
    """
    lines = {line["start"]: points_of(line["iterations"], line["J"]) for line in curves["lines"]}
    J = [y for points in lines.values() for _, y in points]
    if not J:
        return None
    kind = "log" if min(J) > 0.0 else "linear"
    most = axis_limit(([y for _, y in one] for one in lines.values()), log=kind == "log")
    chart = _over_iterations("Cost J", "J", kind, lines, curves["chosen"], most)
    for line in curves["lines"]:
        if line["start"] == curves["chosen"] and "kept" in line:
            update, value = line["kept"][0], number_of(line["kept"][1])
            chart.dots(
                [(update, value)], "dot g1 big", [f"kept: J {value:.5g}, iteration {update}"]
            )
    return chart


def validation_curves(curves: Section) -> Chart | None:
    """Return the scores of validation over iterations. None without points."""
    lines = {
        line["start"]: points_of(line["iterations"], line["score"]) for line in curves["lines"]
    }
    if not any(lines.values()):
        return None
    return _over_iterations("Validation score", "score", "linear", lines, curves["chosen"])


def _over_iterations(
    what: str,
    short: str,
    kind: str,
    lines: dict[int, list[Point]],
    chosen: int | None,
    most: float = math.inf,
) -> Chart:
    everything = [(x, min(y, most)) for points in lines.values() for x, y in points]
    chart = Chart.of(
        f"{what} over iterations of {pluralize(len(lines), 'start')}; the numbers are in the data.",
        ("iterations", "log1p", [x for x, _ in everything]),
        (short, kind, [y for _, y in everything]),
    )
    for start, points in sorted(lines.items(), key=lambda line: line[0] == chosen):
        css = "line chosen" if start == chosen else "line other"
        title = f"start {start}: {short} {points[-1][1]:.5g}" if points else ""
        chart.line([(x, min(y, most)) for x, y in points], css, title)
    chart.is_cut = any(y > most for points in lines.values() for _, y in points)
    return chart


def _cost_caption(document: Document, chart: Chart) -> str:
    curves, starts = document["curves"], document.get("starts")
    of_used = " of those that are used" if starts and starts[0]["used"] is not None else ""
    kept = "; its dot is the point that is kept" if "kept" in curves["lines"][0] else ""
    cut = " Lines at the upper edge go on above it; their numbers are in the data."
    return (
        f"J after every iteration. The thick line is start {curves['chosen']}, the lowest J"
        f"{of_used}{kept}.{cut if chart.is_cut else ''}"
    )


def _validation_caption(document: Document, _: Chart) -> str:
    curves = document["validation_curves"]
    better = "higher" if curves["higher_is_better"] else "lower"
    return (
        f"The score on validation rows after every iteration; {better} is better. The thick line "
        f"is start {curves['chosen']}."
    )


CURVES = ReportChart(
    title="Cost curves",
    needs=("curves",),
    draw=cost_curves,
    caption=_cost_caption,
    empty="No start has a finite J, so there is no curve.",
)
VALIDATION = ReportChart(
    title="Validation curves",
    needs=("validation_curves",),
    draw=validation_curves,
    caption=_validation_caption,
)
