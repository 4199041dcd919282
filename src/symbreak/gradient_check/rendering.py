"""A gradient report as a table: for the terminal and for notebooks."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from symbreak.text import format_table

if TYPE_CHECKING:
    from symbreak.gradient_check.report import BlockReport, GradientReport

HEAD = ("block", "verdict", "rel. error", "scale", "worst", "analytic", "numerical", "checked")
MOST_NAMED = 4  # wrong entries that are named in a note


def text_of(report: GradientReport) -> str:
    """Return the report for a terminal: a sentence, a table, notes, what else was checked."""
    lines = [report.line, *format_table(_rows(report)), *notes_of(report)]
    for name, other in report.also:
        indented = text_of(other).replace("\n", "\n  ")
        lines += [f"{name}:", f"  {indented}"]
    return "\n".join(lines)


def html_of(report: GradientReport) -> str:
    """Return the report for a notebook; everything in it is escaped."""
    head, *rows = _rows(report)
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in notes_of(report))
    others = "".join(f"<h4>{html.escape(name)}</h4>{html_of(other)}" for name, other in report.also)
    return (
        f"<p><b>{html.escape(report.line)}</b></p><table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table>{f'<ul>{notes}</ul>' if notes else ''}{others}"
    )


def notes_of(report: GradientReport) -> list[str]:
    """Return what must be known beside the table."""
    notes = []
    for block in report.blocks:
        found = _found(block)
        parts = [part for part in (block.note, found, _below(block)) if part]
        notes += [f"{block.name}: {'; '.join(parts)}."] if parts else []
    if report.directions:
        notes.append(_effort(report))
    return notes


def _effort(report: GradientReport) -> str:
    """Return how much was looked at, and what that would miss."""
    effort = (
        f"{report.directions} lines through each block, {report.n_evaluations} evaluations of J"
    )
    chance = report.missed(0.01)
    if math.isnan(chance):
        return f"{effort}."
    return (
        f"{effort}; an error of 1 % of the gradient of a block that passed would be missed with a "
        f"chance of {_chance(chance)}."
    )


def _found(block: BlockReport) -> str:
    if not block.wrong:
        return ""
    named = ", ".join(block.wrong[:MOST_NAMED])
    if block.is_spread:
        return f"the error is spread over the block; wrong, among others: {named}"
    more = " and others" if len(block.wrong) > MOST_NAMED else ""
    return f"wrong: {named}{more}"


def _below(block: BlockReport) -> str:
    if not block.n_below:
        return ""
    entries = "entry" if block.n_below == 1 else "entries"
    return f"{block.n_below} {entries} below {block.floor:.1e} could not be judged"


def _chance(chance: float) -> str:
    return "less than 1e-12" if chance < 1e-12 else f"{chance:.1e}"


def _rows(report: GradientReport) -> list[tuple[str, ...]]:
    head, rows = list(HEAD), [list(_row(block)) for block in report.blocks]
    extra = [("bar", "bar"), ("kernel_error", "own dtype")]
    for name, title in extra:
        numbers = [getattr(block, name) for block in report.blocks]
        if any(not math.isnan(number) for number in numbers):
            head.insert(3, title)
            for row, number in zip(rows, numbers, strict=True):
                row.insert(3, f"{number:.1e}")
    return [tuple(head), *(tuple(row) for row in rows)]


def _row(block: BlockReport) -> tuple[str, ...]:
    return (
        block.name,
        block.verdict,
        f"{block.relative_error:.1e}",
        f"{block.scale:.1e}",
        block.worst,
        f"{block.analytic:.6e}",
        f"{block.numerical:.6e}",
        f"{block.n_checked} of {block.n_parameters}",
    )
