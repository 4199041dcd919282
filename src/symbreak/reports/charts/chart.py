"""One chart of the page: what it needs, how it is drawn, and what stands below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from symbreak.reports.svg import Chart

Document = dict[str, Any]


class Figure(NamedTuple):
    """A chart as it stands in the page; without a drawing, the caption says why."""

    title: str
    drawing: Chart | None
    caption: str


@dataclass(frozen=True, kw_only=True)
class ReportChart:
    """All that is said of a chart of the page.

    Attributes
    ----------
    needs : the parts of the document without which there is no chart, such as "scores.pairs".
    draw : takes those parts; returns None where there is nothing to draw.
    caption : takes the document and the drawing.
    title : heads a section of its own. Without one the chart stands inside another section, where
        the template names it.
    empty : what a section of its own says where there is nothing to draw; without it there is none.
    """

    needs: tuple[str, ...]
    draw: Callable[..., Chart | None]
    caption: Callable[[Document, Chart], str]
    title: str = ""
    empty: str = ""

    def figure(self, document: Document) -> Figure | None:
        """Return the chart of a document, None where the document has none."""
        parts = [_part(document, path) for path in self.needs]
        if any(part is None for part in parts):
            return None
        drawing = self.draw(*parts)
        if drawing is None:
            return Figure(self.title, None, self.empty) if self.empty else None
        return Figure(self.title, drawing, self.caption(document, drawing))


def _part(document: Document, path: str) -> Any:
    part: Any = document
    for key in path.split("."):
        part = None if part is None else part.get(key)
    return part
