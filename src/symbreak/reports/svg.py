"""Small charts as inline SVG: axes, lines, dots. Colours are classes of the style sheet.

A chart has its own coordinates: x to the right, y upwards, each linear or logarithmic. A log axis
of updates begins at 0, so it is log(1 + updates). Points that are not finite are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from symbreak.reports.numbers import MINUS, number_of

WIDTH, HEIGHT = 640, 300
RIGHT, TOP, BOTTOM = 14, 34, 46
LEAST_LEFT, CHARACTER = 48, 11  # room for the ticks of y, at the size of letters on a phone
_MOST_WHOLE = 10  # whole numbers that all have a tick
Point = tuple[float, float]


@dataclass
class AxisScale:
    """From numbers to places: "linear", "count" (whole numbers), "log", "log1p" (updates)."""

    kind: str
    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def over(cls, kind: str, numbers: Iterable[float], begin: float, end: float) -> AxisScale:
        """Return a scale that holds all finite numbers (of a log scale: the positive ones)."""
        good = [one for one in numbers if math.isfinite(one) and (kind != "log" or one > 0.0)]
        low, high = (min(good), max(good)) if good else (1.0, 2.0)
        if kind == "log1p":
            low, high = 0.0, max(high, 1.0)
        if low == high:
            low, high = (low / 2.0, high * 2.0) if kind == "log" else (low - 0.5, high + 0.5)
        return cls(kind, low, high, begin, end)

    def has(self, number: float) -> bool:
        """Tell whether a number can be placed."""
        return math.isfinite(number) and (self.kind != "log" or number > 0.0)

    def __call__(self, number: float) -> float:
        # Halved, as the ends may lie as far apart as numbers go.
        low, high, at = (self._warped(one) / 2.0 for one in (self.low, self.high, number))
        return self.begin + (self.end - self.begin) * ((at - low) / (high - low))

    def ticks(self) -> list[float]:
        """Return about five round numbers within the scale."""
        if self.kind == "linear":
            return _linear_ticks(self.low, self.high)
        if self.kind == "count":
            if self.high - self.low <= _MOST_WHOLE:
                return [float(n) for n in range(math.ceil(self.low), math.floor(self.high) + 1)]
            return [t for t in _linear_ticks(self.low, self.high) if t == round(t)]
        if self.kind == "log1p":
            return [0.0, *(t for t in _decades(1.0, self.high) if t <= self.high)]
        powers = [t for t in _decades(self.low, self.high) if self.low <= t <= self.high]
        if len(powers) > 2:
            return powers
        finer = [t * n for t in _decades(self.low, self.high) for n in (1.0, 2.0, 5.0)]
        powers = [t for t in finer if self.low <= t <= self.high]
        return powers if len(powers) > 2 else _linear_ticks(self.low, self.high)

    def _warped(self, number: float) -> float:
        if self.kind in ("linear", "count"):
            return number
        return math.log10(number) if self.kind == "log" else math.log1p(number)


@dataclass
class Chart:
    """A chart that is drawn piece by piece; `str` gives the SVG.

    Parameters
    ----------
    label : what a screen reader says instead of the picture.
    is_cut : whether something lies beyond the axes, so that it is drawn at their edge.
    """

    label: str
    x_label: str
    y_label: str
    x: AxisScale
    y: AxisScale
    marks: list[str] = field(default_factory=list)
    is_cut: bool = False

    @classmethod
    def of(
        cls,
        label: str,
        x: tuple[str, str, Iterable[float]],
        y: tuple[str, str, Iterable[float]],
    ) -> Chart:
        """Return an empty chart; x and y are (label, kind of scale, numbers to hold)."""
        up = AxisScale.over(y[1], y[2], HEIGHT - BOTTOM, TOP)
        longest = max((len(words) for _, words in _labelled(up.ticks())), default=0)
        left = max(LEAST_LEFT, 12 + CHARACTER * longest)
        across = AxisScale.over(x[1], x[2], left, WIDTH - RIGHT)
        return cls(label, x[0], y[0], across, up)

    def line(self, points: Sequence[Point], css: str, title: str = "") -> None:
        """Draw a line through the points."""
        placed = self._places(points)
        if len(placed) > 1:
            places = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
            name = f"<title>{escape(title)}</title>" if title else ""
            self.marks.append(f'<polyline class="{css}" points="{places}">{name}</polyline>')

    def dots(self, points: Sequence[Point], css: str, titles: Sequence[str] = ()) -> None:
        """Draw a dot at each point."""
        for number, point in enumerate(points):
            name = f"<title>{escape(titles[number])}</title>" if titles else ""
            for a, b in self._places([point]):
                self.marks.append(
                    f'<circle class="{css}" cx="{a:.1f}" cy="{b:.1f}" r="4">{name}</circle>'
                )

    def bar(self, x: float, low: float, high: float, css: str) -> None:
        """Draw an upright line from low to high."""
        self.line([(x, low), (x, high)], css)

    def __str__(self) -> str:
        middle = (self.x.begin + self.x.end) / 2
        return (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(self.label)}">{self._axes()}{"".join(self.marks)}'
            f'<text class="axis" x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
            f"{escape(self.x_label)}</text>"
            f'<text class="axis" x="0" y="18">{escape(self.y_label)}</text></svg>'
        )

    def __html__(self) -> str:
        """Templates take the chart as it is: all text in it is escaped here."""
        return str(self)

    def _axes(self) -> str:
        parts = []
        for tick, words in _labelled(self.x.ticks()):
            at = self.x(tick)
            parts.append(
                f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" '
                f'y2="{HEIGHT - BOTTOM}"/><text x="{at:.1f}" y="{HEIGHT - BOTTOM + 17}" '
                f'text-anchor="middle">{words}</text>'
            )
        for tick, words in _labelled(self.y.ticks()):
            at = self.y(tick)
            parts.append(
                f'<line class="grid" x1="{self.x.begin}" x2="{self.x.end}" y1="{at:.1f}" '
                f'y2="{at:.1f}"/><text x="{self.x.begin - 7}" y="{at + 4:.1f}" text-anchor="end">'
                f"{words}</text>"
            )
        return "".join(parts)

    def _places(self, points: Iterable[Point]) -> list[Point]:
        return [(self.x(a), self.y(b)) for a, b in points if self.x.has(a) and self.y.has(b)]


def points_of(x: Sequence[Any], y: Sequence[Any]) -> list[Point]:
    """Return the points of which both numbers, as `plain` wrote them, are finite."""
    pairs = ((number_of(a), number_of(b)) for a, b in zip(x, y, strict=True))
    return [pair for pair in pairs if all(math.isfinite(one) for one in pair)]


def axis_limit(lines: Iterable[Sequence[float]], *, log: bool) -> float:
    """Return the largest J to show: 100 times the highest start, or twice the fall above it.

    Parameters
    ----------
    lines : J of each start, the finite ones, in their order; at least one has any.
    log : whether the axis is logarithmic.
    """
    series = [np.asarray(line, dtype=np.float64) for line in lines if len(line)]
    top = max(float(line[0]) for line in series)
    if log:
        return min(100.0 * top, float(np.finfo(np.float64).max))
    fall = top / 2.0 - min(float(line.min()) for line in series) / 2.0
    return min(top + 4.0 * fall if fall else math.inf, float(np.finfo(np.float64).max))


def _linear_ticks(low: float, high: float) -> list[float]:
    # Halved before the difference is taken: the ends may lie as far apart as numbers go.
    raw = (high / 2.0 - low / 2.0) / 2.5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * n for n in (1.0, 2.0, 5.0, 10.0) if unit * n >= raw)
    first = math.ceil(low / step)
    ticks = [(first + n) * step for n in range(8)]
    return [tick for tick in ticks if low <= tick <= high]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    every = max(1, math.ceil((last - first) / 6))
    return [10.0**power for power in range(first, last + 1, every)]


def _labelled(ticks: Sequence[float]) -> list[tuple[float, str]]:
    """Return the ticks with labels of as few digits as tell them apart."""
    for digits in range(4, 17):
        words = [_tick(tick, digits) for tick in ticks]
        if len(set(words)) == len(words):
            break
    return list(zip(ticks, words, strict=True))


def _tick(number: float, digits: int) -> str:
    return f"{number:.{digits}g}".replace("e+0", "e").replace("e-0", "e-").replace("-", MINUS)
