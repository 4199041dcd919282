"""From a document to one HTML file; see `symbreak.page` for what keeps the data from running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbreak.page import render as render_page
from symbreak.reports import charts
from symbreak.reports.numbers import score_shown, shown
from symbreak.reports.svg import Chart

_COLUMNS = (
    ("start", "start"), ("J", "J"), ("validation", "validation"), ("hold-out", "holdout"),
    ("max |gradient|", "gradient_norm"), ("iterations", "iterations"),
    ("kept at", "best_iteration"), ("evaluations", "evaluations"), ("status", "status"),
    ("used", "used"),
)  # fmt: skip


def render(document: dict[str, Any]) -> str:
    """Return the page of a document.

    Raises
    ------
    MissingOptionalPackage
        jinja2 is not installed.
    """
    return render_page(
        "reports/assets/report.html",
        document,
        f"{document['title']}: symbreak report",
        digits=None,
        charts=drawn(document),
        num=shown,
        score=score_shown,
        columns=columns_of(document.get("starts", [])),
    )


def columns_of(starts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (heading, key) of the columns of the starts in which there is anything."""
    return [pair for pair in _COLUMNS if any(row[pair[1]] is not None for row in starts)]


def drawn(document: dict[str, Any]) -> dict[str, Chart]:
    """Return the charts by name, of the sections that have something to draw."""
    scores = document.get("scores", {})
    sources: dict[str, tuple[Callable[..., Chart | None], tuple[Any, ...]]] = {
        "search": (charts.candidates, (document.get("search"),)),
        "curves": (charts.cost_curves, (document.get("curves"),)),
        "final": (charts.final_costs, (document.get("restarts"), document.get("starts"))),
        "validation": (charts.validation_curves, (document.get("validation_curves"),)),
        "distinct": (charts.distinct_units, (document.get("distinct"),)),
        "signals": (charts.signals, (document.get("signals"),)),
        "gradient": (charts.gradient_blocks, (document.get("gradient_check"),)),
        "reliability": (charts.reliability, (scores.get("reliability"),)),
        "pairs": (charts.known_and_predicted, (scores.get("pairs"),)),
    }
    made = {
        name: draw(*arguments)
        for name, (draw, arguments) in sources.items()
        if all(one is not None for one in arguments)
    }
    return {name: chart for name, chart in made.items() if chart is not None}
