"""What predictions of a hold-out say, beside what is known."""

from __future__ import annotations

from typing import Any

from symbreak.reports.charts.chart import Document, ReportChart
from symbreak.reports.svg import Chart, points_of
from symbreak.text import pluralize

Section = dict[str, Any]
RELIABILITY_CAPTION = (
    "A dot on the diagonal: predictions of this probability are right as often as they say. "
    "Upright lines: 95 % intervals. Each dot is of about as many rows."
)


def reliability(bins: list[Section]) -> Chart:
    """Return the share of right answers over the probability of the predicted class."""
    chart = Chart.of(
        "Reliability: how often predictions of a probability are right.",
        ("probability of the predicted class", "linear", [0.0, 1.0]),
        ("share that is right", "linear", [0.0, 1.0]),
    )
    chart.line([(0.0, 0.0), (1.0, 1.0)], "line other")
    for one in bins:
        x, right = one["mean_probability"], one["right"]
        low, high = one["interval"]
        chart.bar(x, low, high, "line layer1")
        title = f"{pluralize(one['rows'], 'row')} at {x:.3f}: {100 * right:.1f} % right"
        chart.dots([(x, right)], "dot g1", [title])
    return chart


def known_and_predicted(pairs: Section) -> Chart:
    """Return predicted over known numbers."""
    points = points_of(pairs["known"], pairs["predicted"])
    both = [number for point in points for number in point]
    chart = Chart.of(
        "Predicted over known numbers of the hold-out.",
        ("known", "linear", both),
        ("predicted", "linear", both),
    )
    ends = (chart.x.low, chart.x.high)
    chart.line([(end, end) for end in ends], "line other")
    chart.dots(points, "dot g1 small")
    return chart


def _pairs_caption(document: Document, _: Chart) -> str:
    scores = document["scores"]
    n = len(scores["pairs"]["known"])
    part = f", {n} of {scores['rows']} rows spread evenly" if n < scores["rows"] else ""
    return f"Predicted over known numbers{part}. On the line they are equal."


RELIABILITY = ReportChart(
    needs=("scores.reliability",), draw=reliability, caption=lambda *_: RELIABILITY_CAPTION
)
PAIRS = ReportChart(needs=("scores.pairs",), draw=known_and_predicted, caption=_pairs_caption)
