"""From a document to one HTML file; see `symbreak.page` for what keeps the data from running."""

from __future__ import annotations

from typing import Any

from symbreak.page import render as render_page
from symbreak.reports.charts import figures
from symbreak.reports.numbers import score_shown, shown

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
        figures=figures(document),
        num=shown,
        score=score_shown,
        columns=columns_of(document.get("starts", [])),
    )


def columns_of(starts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return (heading, key) of the columns of the starts in which there is anything."""
    return [pair for pair in _COLUMNS if any(row[pair[1]] is not None for row in starts)]
