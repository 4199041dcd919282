"""What a score is held against, what it rests on, and what the training asks for."""

from __future__ import annotations

from typing import Any

from symbreak.reports.numbers import section, short
from symbreak.training import Training
from symbreak.training.advised import Advice
from symbreak.training.remedies import remedy_words

MOST_COLUMNS = 20  # of those that matter


def comparison_sections(training: Training) -> dict[str, Any]:
    """Return the losses beside each other and the columns that matter; None without a hold-out."""
    known, columns = training.comparison, training.importance
    rises = [{**one.as_dict(), "column": short(one.column)} for one in columns[:MOST_COLUMNS]]
    return {
        "comparison": None if known is None else section(known.as_dict()),
        "importance": section({"of_columns": len(columns), "columns": rises}) if columns else None,
    }


def advised(found: list[Advice], place: str) -> list[dict[str, str]]:
    """Return advice as plain data, with what to do in the words of a place."""
    todo = [remedy_words(one.remedy, place) for one in found]
    return [
        {**one.as_dict(), "todo": f"{words}." if words else ""}
        for one, words in zip(found, todo, strict=True)
    ]
