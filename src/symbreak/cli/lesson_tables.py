"""The tables of `symbreak lesson`, narrow enough for 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from symbreak.lesson.facts import Drift, Lesson, Pair, Point, Run, TwoUnits


def units_table(title: str, units: TwoUnits) -> Table:
    """Return a(2) and delta(2) of units 1 and 2, one example in a row."""
    table = _table(title, ["example", "a, unit 1", "a, unit 2", "delta, unit 1", "delta, unit 2"])
    columns = zip(units.examples, *units.a, *units.delta, strict=True)
    for example, *numbers in columns:
        table.add_row(str(example), *map(_number, numbers))
    return table


def pairs_table(pairs: Sequence[Pair]) -> Table:
    """Return the derivatives by the weights in the same place of units 1 and 2."""
    table = _table("dJ by weights in the same place", ["unit 1", "dJ", "unit 2", "dJ"])
    for pair in pairs:
        cells = zip(pair.names, pair.derivatives, strict=True)
        table.add_row(*(cell for name, number in cells for cell in (name, _number(number))))
    return table


def runs_table(runs: Sequence[Run], hidden: Sequence[int]) -> Table:
    """Return J, accuracy and distinct units of the runs from one start."""
    headings = ["method", "updates", "J", "accuracy", *(["distinct units"] if hidden else [])]
    table = _table(None, headings, text=1)
    for run in runs:
        for number, point in enumerate(_different([run.before, run.after_one, run.end])):
            table.add_row(run.method if number == 0 else "", *_cells(point, hidden))
    return table


def drift_table(rows: Iterable[tuple[str, Drift]]) -> Table:
    """Return when rounding tears equal units apart."""
    headings = ["start", "method", "a bit", "1e-12", "1e-3", "end", "J"]
    table = _table("Update at which equal units differ by", headings, text=2)
    for rule, drift in rows:
        first = (drift.first_unequal, drift.first_above_rounding, drift.first_visible)
        updates = ("-" if update is None else str(update) for update in first)
        table.add_row(rule, drift.method, *updates, f"{drift.spread:.1e}", f"{drift.end.J:.4g}")
    return table


def summary_table(lesson: Lesson) -> Table:
    """Return the end of every run in one line."""
    hidden = lesson.layers[1:-1]
    table = _table(None, ["start", "method", "J", "accuracy", "distinct units"], text=2)
    for run in lesson.logistic_regression:
        table.add_row("zeros, logistic", run.method, *_cells(run.end, ())[1:], "-")
    for start in lesson.starts:
        for run in start.runs:
            table.add_row(start.rule, run.method, *_cells(run.end, hidden)[1:])
    return table


def distinct_words(point: Point, hidden: Sequence[int]) -> str:
    """Return "1 of 25", or "1 of 25, 1 of 10" for two hidden layers."""
    pairs = zip(point.distinct_units, hidden, strict=True)
    return ", ".join(f"{distinct} of {units}" for distinct, units in pairs)


def _cells(point: Point, hidden: Sequence[int]) -> list[str]:
    words = [distinct_words(point, hidden)] if hidden else []
    return [str(point.updates), f"{point.J:.4g}", f"{point.accuracy:.3f}", *words]


def _number(number: float) -> str:
    return f"{number + 0.0:.6g}"  # -0.0 + 0.0 is 0.0


def _different(points: Sequence[Point]) -> list[Point]:
    """Leave out points that are the same point: a start that never moved, a run of one update."""
    return list({point.updates: point for point in points}.values())


def _table(title: str | None, headings: Sequence[str], *, text: int = 0) -> Table:
    """Return an empty table whose first `text` columns hold words and the others numbers."""
    table = Table(title=title, title_justify="left", title_style="")
    for number, heading in enumerate(headings):
        is_text = number < text
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=is_text)
    return table
