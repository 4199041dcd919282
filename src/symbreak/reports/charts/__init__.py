"""The charts of the page, each in its record; see CONTRIBUTING for how to add one."""

from symbreak.reports.charts.chart import Document, Figure, ReportChart
from symbreak.reports.charts.gradient import GRADIENT
from symbreak.reports.charts.iterations import CURVES, VALIDATION
from symbreak.reports.charts.scores import PAIRS, RELIABILITY
from symbreak.reports.charts.search import SEARCH
from symbreak.reports.charts.signals import SIGNALS
from symbreak.reports.charts.starts import FINAL
from symbreak.reports.charts.units import DISTINCT

__all__ = ["CHARTS", "Document", "Figure", "ReportChart", "figures"]

# By the id in the page; those with a title stand beside each other in this order.
CHARTS: dict[str, ReportChart] = {
    "reliability": RELIABILITY,
    "pairs": PAIRS,
    "search": SEARCH,
    "final": FINAL,
    "curves": CURVES,
    "validation": VALIDATION,
    "signals": SIGNALS,
    "distinct": DISTINCT,
    "gradient": GRADIENT,
}


def figures(document: Document) -> dict[str, Figure]:
    """Return the charts for which the document has numbers, by their ids."""
    drawn = {name: chart.figure(document) for name, chart in CHARTS.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}
