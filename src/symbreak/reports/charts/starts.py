"""J at the end of all starts."""

from __future__ import annotations

from typing import Any

from symbreak.reports.charts.chart import Document, ReportChart
from symbreak.reports.numbers import number_of
from symbreak.reports.svg import Chart
from symbreak.text import pluralize

Section = dict[str, Any]


def final_costs(restarts: Section, starts: list[Section]) -> Chart | None:
    """Return the final J, sorted; starts at one minimum have one colour. None for a single J."""
    group = {
        start: number
        for number, one in enumerate(restarts["minima"], start=1)
        for start in one["starts"]
    }
    J = [number_of(row["J"]) for row in starts]
    finite = [one for one in J if abs(one) < float("inf")]
    if len(finite) < 2:
        return None
    kind = "log" if min(finite) > 0.0 and max(finite) > 20 * min(finite) else "linear"
    chart = Chart.of(
        f"Final J of {pluralize(len(J), 'start')}, sorted.",
        ("starts, lowest J first", "count", [0.5, len(J) + 0.5]),
        ("final J", kind, [*finite, _a_little_above(min(finite))]),
    )
    for rank, (row, value) in enumerate(zip(starts, J, strict=True), start=1):
        number = group.get(row["start"], 0)
        where = f"minimum {number}" if number else row["status"]
        css = f"dot g{(number - 1) % 6 + 1}" if number else "dot open"
        chart.dots([(rank, value)], css, [f"start {row['start']}: J {value:.6g}, {where}"])
    return chart


def _a_little_above(lowest: float) -> float:
    """Return what keeps values that are equal but for the tolerance from filling the axis."""
    return lowest + 1e-3 * abs(lowest)


def _caption(document: Document, _: Chart) -> str:
    n_minima = document["restarts"]["n_minima"]
    in_all = f" ({n_minima} in all)" if n_minima else ""
    return (
        "Each dot is a start, by its final J. Equal colours side by side: one minimum"
        f"{in_all}. Open dots did not converge."
    )


FINAL = ReportChart(needs=("restarts", "starts"), draw=final_costs, caption=_caption)
