"""The charts of the page, each from its section of the document."""

from __future__ import annotations

import math
from typing import Any

from symbreak.reports.ceiling import ceiling
from symbreak.reports.numbers import number_of
from symbreak.reports.svg import Chart, Point
from symbreak.words import counted

Section = dict[str, Any]


def cost_curves(found: Section) -> Chart | None:
    """Return J over iterations; the chosen start and its kept point stand out. None without points.

    Starts that diverge reach J beyond all measure. The axis ends where the others are still seen.
    """
    lines = {line["start"]: _points(line["iterations"], line["J"]) for line in found["lines"]}
    J = [y for points in lines.values() for _, y in points]
    if not J:
        return None
    kind = "log" if min(J) > 0.0 else "linear"
    most = ceiling(([y for _, y in one] for one in lines.values()), log=kind == "log")
    chart = _over_iterations("Cost J", "J", kind, lines, found["chosen"], most)
    for line in found["lines"]:
        if line["start"] == found["chosen"] and "kept" in line:
            update, value = line["kept"][0], number_of(line["kept"][1])
            chart.dots(
                [(update, value)], "dot g1 big", [f"kept: J {value:.5g}, iteration {update}"]
            )
    return chart


def validation_curves(found: Section) -> Chart | None:
    """Return the scores of validation over iterations. None without points."""
    lines = {line["start"]: _points(line["iterations"], line["score"]) for line in found["lines"]}
    if not any(lines.values()):
        return None
    return _over_iterations("Validation score", "score", "linear", lines, found["chosen"])


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
        f"{what} over iterations of {counted(len(lines), 'start')}; the numbers are in the data.",
        ("iterations", "log1p", [x for x, _ in everything]),
        (short, kind, [y for _, y in everything]),
    )
    for start, points in sorted(lines.items(), key=lambda line: line[0] == chosen):
        css = "line chosen" if start == chosen else "line other"
        title = f"start {start}: {short} {points[-1][1]:.5g}" if points else ""
        chart.line([(x, min(y, most)) for x, y in points], css, title)
    chart.is_cut = any(y > most for points in lines.values() for _, y in points)
    return chart


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
        f"Final J of {counted(len(J), 'start')}, sorted.",
        ("starts, lowest J first", "count", [0.5, len(J) + 0.5]),
        ("final J", kind, [*finite, _a_little_above(min(finite))]),
    )
    for rank, (row, value) in enumerate(zip(starts, J, strict=True), start=1):
        number = group.get(row["start"], 0)
        where = f"minimum {number}" if number else row["status"]
        css = f"dot g{(number - 1) % 6 + 1}" if number else "dot open"
        chart.dots([(rank, value)], css, [f"start {row['start']}: J {value:.6g}, {where}"])
    return chart


def candidates(found: Section) -> Chart | None:
    """Return the scores of a search over the one number that varies; None where that is not so."""
    rows = found["candidates"]
    numbers = [value for row in rows for value in row["settings"].values()]
    if len(numbers) > len(rows) or any(isinstance(value, str | None) for value in numbers):
        return None
    seen = [
        (x, number_of(row["mean"]), number_of(row["spread"] or 0.0), row["taken"])
        for x, row in zip(numbers, rows, strict=True)
        if math.isfinite(number_of(row["mean"]))
    ]
    if len(seen) < 2:
        return None
    xs = [x for x, *_ in seen]
    kind = "log" if min(xs) > 0.0 and max(xs) >= 100.0 * min(xs) else "linear"
    chart = Chart.of(
        f"Score of {counted(len(seen), 'candidate')} of the search.",
        (next(iter(rows[0]["settings"])), kind, xs),
        (found["score"], "linear", [y + sign * s for _, y, s, _ in seen for sign in (-1, 1)]),
    )
    chart.line(sorted((x, y) for x, y, *_ in seen), "line other")
    for x, y, spread, taken in seen:
        chart.bar(x, y - spread, y + spread, "line layer1")
        chart.dots([(x, y)], "dot g2 big" if taken else "dot g1", [f"{x:g}: {y:.4g}"])
    return chart


def distinct_units(found: Section) -> Chart:
    """Return the distinct units of each hidden layer over iterations."""
    layers = found["layers"]
    chart = Chart.of(
        "Distinct hidden units over iterations.",
        ("iterations", "log1p", [float(n) for n in found["iterations"]]),
        ("distinct units", "count", [0.0, *(float(one["units"]) for one in layers)]),
    )
    for number, one in enumerate(layers, start=1):
        points = _points(found["iterations"], one["distinct"])
        title = f"hidden layer {number}: {one['distinct'][-1]} of {one['units']} at the end"
        chart.line(points, f"line layer{(number - 1) % 6 + 1}", title)
        chart.dots(points, f"dot g{(number - 1) % 6 + 1}", [title] * len(points))
    return chart


def signals(found: Section) -> Chart:
    """Return the spread of a and delta of each layer: the middle start, and all starts as a bar.

    Where there is no spread at all, an open dot lies at the lower edge.
    """
    layers = found["layers"]
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


def gradient_blocks(found: Section) -> Chart:
    """Return the relative error of each block, with the error bar of the numerical side."""
    blocks = found["blocks"]
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
        title = f"{counted(one['rows'], 'row')} at {x:.3f}: {100 * right:.1f} % right"
        chart.dots([(x, right)], "dot g1", [title])
    return chart


def known_and_predicted(pairs: Section) -> Chart:
    """Return predicted over known numbers."""
    points = _points(pairs["known"], pairs["predicted"])
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


def _a_little_above(lowest: float) -> float:
    """Return what keeps values that are equal but for the tolerance from filling the axis."""
    return lowest + 1e-3 * abs(lowest)


def _points(x: list[Any], y: list[Any]) -> list[Point]:
    pairs = ((number_of(a), number_of(b)) for a, b in zip(x, y, strict=True))
    return [pair for pair in pairs if all(abs(one) < float("inf") for one in pair)]
