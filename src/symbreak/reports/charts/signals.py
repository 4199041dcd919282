"""Spread of activations and deltas from layer to layer."""

from __future__ import annotations

from typing import Any

from symbreak.reports.charts.chart import Document, ReportChart
from symbreak.reports.numbers import number_of
from symbreak.reports.svg import Chart
from symbreak.text import pluralize

Section = dict[str, Any]


def signals(spreads: Section) -> Chart:
    """Return the spread of a and delta of each layer: the middle start, and all starts as a bar.

    Where there is no spread at all, an open dot lies at the lower edge.
    """
    layers = spreads["layers"]
    numbers = [number_of(n) for one in layers for n in (*one["a"], *one["delta"])]
    chart = Chart.of(
        "Spread of activations and of deltas in each layer at the start.",
        ("layer", "count", [1.5, len(layers) + 1.5]),
        ("standard deviation", "log", numbers),
    )
    for css, name, shift in (("layer1", "a", -0.08), ("layer2", "delta", 0.08)):
        for one in layers:
            values = sorted(map(number_of, one[name]))
            x, middle = one["layer"] + shift, values[len(values) // 2]
            seen = [max(value, chart.y.low) for value in (values[0], middle, values[-1])]
            chart.bar(x, seen[0], seen[-1], f"line {css}")
            dot = "dot open" if middle == 0.0 else "dot g1" if name == "a" else "dot g2"
            title = f"layer {one['layer']}: {name} spreads by {middle:.4g}"
            chart.dots([(x, seen[1])], dot, [title])
    chart.is_cut = 0.0 in numbers
    return chart


def _caption(document: Document, chart: Chart) -> str:
    spreads = document["signals"]
    equal = " An open dot at the lower edge: no spread at all, all are equal."
    return (
        "How far activations a (blue) and deltas (orange, dashed) spread in each layer before the "
        f"first iteration: the middle of {pluralize(spreads['starts'], 'start')}, lines from the "
        f"smallest to the largest, over {spreads['rows']} training rows. A signal that fades or "
        "blows up from layer to layer makes learning slow."
        f"{equal if chart.is_cut else ''}"
    )


SIGNALS = ReportChart(
    title="Signals at the start", needs=("signals",), draw=signals, caption=_caption
)
