"""A new chart is in the page by its record alone: heading, navigation, drawing and caption."""

from __future__ import annotations

import re

import pytest

from symbreak.reports.charts import CHARTS, ReportChart
from symbreak.reports.svg import Chart
from tests.reports.conftest import trained_page

WORDS = ("--dataset", "iris", "--starts", 3, "--hidden", 2, "--max-iter", 3)


def iterations_made(starts):
    points = [(float(row["start"]), float(row["iterations"])) for row in starts]
    chart = Chart.of(
        "Iterations of each start.", ("start", "count", [0, 2]), ("n", "count", [0, 9])
    )
    chart.dots(points, "dot g1", [f"start {x:g}: {y:g} iterations" for x, y in points])
    return chart


def caption(document, chart):
    return f"{len(document['starts'])} <starts>, {len(chart.marks)} dots."


def record(**changes):
    given = {"needs": ("starts",), "draw": iterations_made, "caption": caption}
    return ReportChart(**{**given, "title": "Iterations <made>", **changes})


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Return the page of a training with one more chart."""

    def made(chart):
        monkeypatch.setitem(CHARTS, "made", chart)
        return trained_page(tmp_path / "page.html", *WORDS)

    return made


def test_a_chart_with_a_title_is_a_section_that_the_navigation_lists(page):
    html = page(record())
    name = "Iterations &lt;made&gt;"
    assert html.count(f'<a href="#made">{name}</a>') == 1
    section = re.search(r'<section aria-labelledby="made">(.*?)</section>', html, re.S)
    assert section is not None
    assert f'<h2 id="made">{name}</h2>' in section[1]
    assert 'aria-label="Iterations of each start."' in section[1]
    assert "start 2: 3 iterations" in section[1]
    assert "<figcaption>3 &lt;starts&gt;, 3 dots.</figcaption>" in section[1]


@pytest.mark.parametrize(
    "changes", [{"title": ""}, {"needs": ("starts", "no.such")}, {"draw": lambda starts: None}]
)
def test_a_chart_without_title_numbers_or_drawing_is_no_section(page, changes):
    assert "made" not in re.findall(r'(?:id|href)="#?(\w+)"', page(record(**changes)))


def test_a_section_says_why_it_is_empty(page):
    html = page(record(draw=lambda starts: None, empty="There are no <starts>."))
    assert '<h2 id="made">' in html
    assert "<p>There are no &lt;starts&gt;.</p>" in html
    assert "3 &lt;starts&gt;" not in html


def test_the_navigation_lists_all_headings_and_nothing_else(page):
    html = page(record())
    headings = re.findall(r'<h2 id="([\w-]+)"', html)
    navigation = re.search(r'<nav aria-label="Sections">(.*?)</nav>', html, re.S)
    assert navigation is not None
    assert re.findall(r'href="#([\w-]+)"', navigation[1]) == headings
