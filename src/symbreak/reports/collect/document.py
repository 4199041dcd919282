"""The page as plain data: its sections, its first screen, and what it leaves out.

A document is a dict. Each of its sections may be absent:

    title, kind      what was made, in words
    scores           hold-out predictions: score, interval, confusion or residuals, reliability
    comparison       the losses on training and held-out rows, of a constant, without hidden layer
    importance       what the columns of the table matter, the largest first
    advice           what the training asks for, the most urgent first
    search           the candidates that a search chose from, best first
    restarts, starts what the starts show together; one row for each
    minima           how many minima there are beyond equal J, in words
    iteration        what an iteration is, in words
    curves, validation_curves   J and scores of validation over iterations
    network, distinct  the diagram and the distinct units, over iterations
    signals          spread of activations and deltas at the start
    gradient_check, symmetry, diagnosis   the verdicts
    data             rows, columns, target
    reproduce        command line, Python, settings
    first_screen     cards: what, how good, how sure, next
    limits           what is shown in part
"""

from __future__ import annotations

from typing import Any

from symbreak import __version__
from symbreak.reports.collect import (
    comparison,
    curves,
    data,
    findings,
    network,
    predictions,
    search,
    starts,
)
from symbreak.reports.collect.cards import cards
from symbreak.reports.numbers import CONVENTION
from symbreak.text import pluralize

FORMAT = 1


def finished(title: str, kind: str, sections: dict[str, Any]) -> dict[str, Any]:
    """Return the document of some sections, with its first screen and its limits."""
    document = {
        "symbreak": __version__,
        "format": FORMAT,
        "numbers": CONVENTION,
        "title": title,
        "kind": kind,
        **{name: section for name, section in sections.items() if section is not None},
    }
    document["first_screen"] = cards(document)
    document["limits"] = limits(document)
    return document


def limits(document: dict[str, Any]) -> list[str]:
    """Return sentences on what is shown in part."""
    pairs = [
        _part("starts", "rows of the table of starts", document, starts.MOST_ROWS),
        _of(
            document, "search", "of_candidates", "candidates (the best) of the search",
            search.MOST_CANDIDATES,
        ),
        _curves(document),
        _network(document),
        _of(
            document, "importance", "of_columns", "columns that matter (the most)",
            comparison.MOST_COLUMNS,
        ),
        _of(document, "data", "of_columns", "columns", data.MOST_FEATURES),
        _of(document, "data", "n_classes", "class names", data.MOST_CLASSES),
        _of(document, "gradient_check", "of_blocks", "blocks", findings.MOST_BLOCKS),
        _of(document, "diagnosis", "of_findings", "findings", findings.MOST_FINDINGS),
        _of(
            document.get("scores", {}), "confusion", "of_classes",
            "classes (those with most errors) in the confusion matrix", predictions.MOST_CLASSES,
        ),
    ]  # fmt: skip
    return [sentence for sentence in pairs if sentence]


def _of(document: dict[str, Any], section: str, key: str, what: str, most: int) -> str:
    total = document.get(section, {}).get(key, 0)
    return f"Shown are {most} of {total} {what}." if total > most else ""


def _part(section: str, what: str, document: dict[str, Any], most: int) -> str:
    total = document.get("restarts", {}).get("n_starts", 0)
    if total <= most or section not in document:
        return ""
    return f"Shown are {most} of {total} {what}, those with the lowest J."


def _curves(document: dict[str, Any]) -> str:
    drawn = document.get("curves")
    if not drawn or drawn["of_starts"] <= curves.MOST_CURVES:
        return ""
    return (
        f"Curves are drawn for {len(drawn['lines'])} of {pluralize(drawn['of_starts'], 'start')}, "
        "spread evenly over the final J."
    )


def _network(document: dict[str, Any]) -> str:
    diagram = document.get("network")
    if not diagram or diagram["shown"] == diagram["sizes"]:
        return ""
    shown, sizes = ("-".join(map(str, diagram[key])) for key in ("shown", "sizes"))
    return (
        f"The diagram draws {shown} of {sizes} units (at most {network.MOST_UNITS} of a layer); "
        "counts of distinct units are of all."
    )
