"""Scores of the candidates of a search."""

from __future__ import annotations

import math
from typing import Any

from symbreak.reports.charts.chart import Document, ReportChart
from symbreak.reports.numbers import number_of
from symbreak.reports.svg import Chart
from symbreak.text import pluralize

Section = dict[str, Any]


def candidates(search: Section) -> Chart | None:
    """Return the scores of a search over the one number that varies; None where that is not so.

    Where words vary too, as networks do, those of the candidate that was taken are drawn.
    """
    rows = _like_the_taken(search["candidates"])
    names = {name for row in rows for name, value in row["settings"].items() if not _is_word(value)}
    if len(names) != 1:
        return None
    (name,) = names
    numbers = [row["settings"][name] for row in rows]
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
        f"Score of {pluralize(len(seen), 'candidate')} of the search.",
        (name, kind, xs),
        (search["score"], "linear", [y + sign * s for _, y, s, _ in seen for sign in (-1, 1)]),
    )
    chart.line(sorted((x, y) for x, y, *_ in seen), "line other")
    for x, y, spread, taken in seen:
        chart.bar(x, y - spread, y + spread, "line layer1")
        chart.dots([(x, y)], "dot g2 big" if taken else "dot g1", [f"{x:g}: {y:.4g}"])
    return chart


def _like_the_taken(rows: list[Section]) -> list[Section]:
    taken = next((row["settings"] for row in rows if row["taken"]), rows[0]["settings"])
    words = {name: value for name, value in taken.items() if _is_word(value)}
    return [row for row in rows if words.items() <= row["settings"].items()]


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _caption(document: Document, _: Chart) -> str:
    bars = " Upright lines: one standard deviation over the folds to each side."
    has_bars = document["search"]["candidates"][0]["spread"] is not None
    return f"The larger, orange dot is the candidate that was taken.{bars if has_bars else ''}"


SEARCH = ReportChart(needs=("search",), draw=candidates, caption=_caption)
