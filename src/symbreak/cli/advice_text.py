"""What `symbreak train` says of a training: how good, beside what, where it errs, what to try."""

from __future__ import annotations

from typing import Any

from symbreak.cli.choices import WITH_LEARNING_RATE
from symbreak.cli.train import TrainOptions
from symbreak.reports.numbers import score_shown, shown
from symbreak.text import format_table, pluralize
from symbreak.training.advised import Advice
from symbreak.training.comparison import Comparison, Entry
from symbreak.training.confusion import Confusion, counted_words
from symbreak.training.importance import ColumnImportance
from symbreak.training.record import Training
from symbreak.training.remedies import TRAIN, remedy_words

MOST_CLASSES, MOST_COLUMNS = 10, 5
# What a remedy changes in the command that was typed.
_CHOSEN: dict[str, Any] = {
    "quick": False, "hidden": None, "activation": None, "alpha": None,
    "budget": TrainOptions.budget,
}  # fmt: skip
_AGAIN: dict[str, dict[str, Any]] = {
    "choose_penalty": _CHOSEN,
    "linear_model": {**_CHOSEN, "hidden": "none"},
}


def found_lines(training: Training) -> list[str]:
    """Return the losses beside each other, the confusion and the columns that matter."""
    lines = comparison_lines(training.comparison)
    if training.confusion is not None:
        counted = counted_words(training)
        lines += [f"Confusion, rows {counted}:"] if counted else []
        lines += confusion_lines(training.confusion)
    return lines + importance_lines(training)


def advice_lines(training: Training, options: TrainOptions) -> list[str]:
    """Return what the training asks for, each with what to do."""
    return [f"Advice: {one.sentence} {_remedy(one, options)}".rstrip() for one in training.advice]


def given_line(scores: dict[str, Any]) -> str:
    """Return the score on rows that were given, and whether they tell of new ones.

    Parameters
    ----------
    scores : the section of the page's document.
    """
    rows = f"Score on {pluralize(scores['rows'], 'row')} {scores['where']}"
    if scores["kind"] == "none":
        return f"{rows}: none, as a prediction is not finite."
    score, loss = ("accuracy", "log_loss") if scores["kind"] == "classes" else ("r2", "rmse")
    first = score_shown(scores[score], 4)
    words = {"accuracy": "accuracy", "r2": "R2", "log_loss": "log-loss", "rmse": "RMSE"}
    line = f"{rows}: {words[score]} {first}, {words[loss]} {shown(scores[loss], 4)}."
    seen = scores["seen"]
    return f"{seen['sentence']} {line}" if seen["sentence"] else line


def comparison_lines(known: Comparison | None) -> list[str]:
    """Return the losses as a table, the network's own first."""
    if known is None:
        return []
    loss, score = ("log-loss", "accuracy") if known.is_classification else ("RMSE", "R2")
    rows = [["", loss, score, "beside the network"]]
    rows += [_row(one, known) for one in known.entries.values()]
    return format_table(rows)


def _row(entry: Entry, known: Comparison) -> list[str]:
    constant = "class shares" if known.is_classification else "the mean"
    words = {"training": "training rows", "holdout": known.where,
             "constant": f"  {constant}", "linear": "  no hidden layer"}  # fmt: skip
    score = "-" if entry.scores.score != entry.scores.score else f"{entry.scores.score:.4f}"
    return [words[entry.what], f"{entry.loss:.4g}", score, beside(entry)]


def beside(entry: Entry) -> str:
    """Return "0.12 +- 0.03 worse" for a loss that is higher than the network's, "" for its own."""
    if entry.what in ("training", "holdout"):
        return ""
    word = "worse" if entry.behind > 0.0 else "better"
    far = f"{abs(entry.behind):.2g} {word}, standard error {entry.noise:.2g}"
    return far if entry.is_worse or entry.is_better else f"{far}: not told apart"


def confusion_lines(confusion: Confusion) -> list[str]:
    """Return the confusion and the recall of each class; of many, those with most errors."""
    if len(confusion.classes) > MOST_CLASSES:
        return _worst_classes(confusion)
    names = [str(one) for one in confusion.classes]
    rows = [["known \\ predicted", *names, "recall"]]
    for name, counts, recall in zip(names, confusion.counts, confusion.recall, strict=True):
        rows.append([name, *map(str, counts.tolist()), _share(recall)])
    return format_table(rows)


def _worst_classes(confusion: Confusion) -> list[str]:
    rows = [["classes with most errors", "recall", "rows", "taken for"]]
    for place in confusion.by_errors[:MOST_CLASSES].tolist():
        errors = ", ".join(f"{other} ({n})" for other, n in confusion.taken_for(place))
        known = str(confusion.known[place])
        share = _share(confusion.recall[place])
        rows.append([str(confusion.classes[place]), share, known, errors or "-"])
    return format_table(rows)


def importance_lines(training: Training) -> list[str]:
    """Return the columns that matter most, and what they cost when shuffled."""
    known = training.importance
    if not known:
        return []
    loss = "log-loss" if training.network.loss.is_classification else "RMSE"
    listed = ", ".join(_column(one) for one in known[:MOST_COLUMNS])
    of = f" (of {pluralize(len(known), 'column')})" if len(known) > MOST_COLUMNS else ""
    return [
        f"Columns that matter most{of}, by the rise of the {loss} when shuffled: {listed}. "
        "Columns that tell the same share it."
    ]


def _column(one: ColumnImportance) -> str:
    return f"{one.column} {one.rise:.2g} +- {one.noise:.1g}"


def _share(recall: float | None) -> str:
    return "-" if recall is None else f"{recall:.3f}"


def _remedy(one: Advice, options: TrainOptions) -> str:
    """Return what to do, as a command where that is one option."""
    if one.remedy == "larger_holdout" and options.test is not None:
        return "Score on more rows."
    if one.remedy == "smaller_steps" and options.method not in WITH_LEARNING_RATE:
        return "Draw smaller starts: --epsilon."
    words = remedy_words(one.remedy, TRAIN)
    changes = _AGAIN.get(one.remedy)
    if changes is None:
        return f"{words}." if words else ""
    again = options.command_line(**changes)
    if again == options.command_line():  # it was asked for, and the time did not suffice
        return f"{remedy_words('larger_budget', TRAIN)}."
    return f"{words.rpartition(': ')[0]}: {again}"
