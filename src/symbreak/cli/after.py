"""What is printed after a training: the starts, the scores, and what to do next."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table

from symbreak.cli.result import Files, Result, spread, status_word
from symbreak.cli.say import say
from symbreak.cli.train_options import TrainOptions
from symbreak.optimize import Status
from symbreak.training.combine import combined_words
from symbreak.training.scores import NO_R2, Scores, low_words, most_frequent_share
from symbreak.words import counted

MOST_ROWS = 20
FEW_ROWS = 20  # of a hold-out


def print_starts(result: Result) -> None:
    """Print the table of the starts, lowest J first."""
    outcome, order = result.trained.outcome, result.best_first
    table = Table(title=f"{counted(len(order), 'start')}, lowest J first", title_justify="left")
    for heading in ("start", "J", f"validation {result.score_name}", "iterations"):
        table.add_column(heading, justify="right")
    table.add_column("status")
    table.add_column("used")
    for start in order[:MOST_ROWS]:
        table.add_row(
            str(start), f"{outcome.value[start]:#.6g}", _validation(result, start),
            str(outcome.n_iterations[start]), status_word(outcome.status[start]),
            "yes" if start in result.trained.kept else "no",
        )  # fmt: skip
    console = Console()
    with console.capture() as printed:
        console.print(table)
    say(printed.get().rstrip("\n"))
    rest = order[MOST_ROWS:]
    if rest:
        J = outcome.value[rest]
        say(f"and {counted(len(rest), 'more start')}, J {J[0]:.6g} to {J[-1]:.6g}")


def n_diverged(result: Result) -> int:
    """Return how many starts ended where J is not finite."""
    return result.trained.outcome.status.count(Status.DIVERGED)


def diverged_line(result: Result) -> str:
    """Return the warning of starts that diverged."""
    n, total = n_diverged(result), counted(len(result.trained.outcome.status), "start")
    return (
        f"Warning: {n} of {total} diverged; each keeps the best point before that. "
        "Lower --learning-rate."
    )


def score_line(result: Result) -> str:
    """Return the hold-out score of the combined prediction."""
    rows, trained = counted(result.parts.holdout.n, "row"), result.trained
    what = combined_words(trained.combine, trained.kept)
    return f"Hold-out ({rows}), {what}: {_both(result, result.holdout)}"


def single_line(result: Result) -> str:
    """Return the hold-out score of a single start: median and range over the starts."""
    found = [scores.score for scores in result.singles if scores is not None]
    one = spread(found)
    if math.isnan(one["median"]):
        why = NO_R2 if found else "has no value, as no prediction is finite"
        return f"Hold-out, a single start: {result.score_name} {why}"
    return (
        f"Hold-out, a single start: {result.score_name} {one['median']:.4f} (median of "
        f"{len(found)}; {one['lowest']:.4f} to {one['highest']:.4f})"
    )


def choice_line(result: Result) -> str:
    """Return what chose what."""
    if result.trained.combine == "average":
        idle = "validation and hold-out" if result.parts.validation.n else "the hold-out"
        return f"The average takes every start; {idle} chose nothing.{_left_out(result)}"
    is_best = result.trained.combine == "best"
    by = "its validation score" if is_best else "its J on the training rows"
    start = result.trained.kept[0]
    return f"Start {start} was chosen by {by}; the hold-out chose nothing.{_left_out(result)}"


def few_lines(result: Result) -> list[str]:
    """Return a caution where the hold-out is too small to tell much."""
    n = result.parts.holdout.n
    if n >= FEW_ROWS:
        return []
    return [
        f"A hold-out of {counted(n, 'row')} says little: on other rows the score may be far from "
        "this one. Train on more rows, or raise --holdout."
    ]


def low_lines(result: Result) -> list[str]:
    """Return what to try where the hold-out score is low and no other penalty was tried."""
    y = result.parts.holdout.y
    if result.options.search or result.holdout is None:
        return []
    # Symmetry and searches that have not arrived are to be mended first.
    if not (result.symmetry.is_broken and result.trained.outcome.restarts.lowest_converged):
        return []
    most_frequent = most_frequent_share(y) if result.parts.target.classes else None
    words = low_words(result.holdout.score, most_frequent)
    if not words:
        return []
    again = result.options.command_line(search=True, alpha=None)
    return [
        f"The hold-out {result.score_name} is {words}. Another penalty may do better; "
        f"cross-validation chooses one with: {again}"
    ]


def written_lines(result: Result) -> list[str]:
    """Return where things were written."""
    names = ("Model", "Everything found, as JSON", "The report, a page for the browser")
    files = zip(names, result.files, strict=True)
    return [f"{what}: {path}" for what, path in files if path is not None]


def beside_lines(result: Result) -> list[str]:
    """Return which files were there already, and where the interrupted result is instead."""
    asked = Files.of(result.options, is_interrupted=False)
    return [
        f"'{path}' was there already and stays as it was; the interrupted result is in '{other}'."
        for path, other in zip(asked, result.files, strict=True)
        if path != other
    ]


def next_line(result: Result) -> str:
    """Return one thing to try, as a command."""
    options = result.options
    if not result.symmetry.is_broken:
        again = options.command_line(init="glorot_uniform", epsilon=None)
        return f"Next, with the symmetry broken: {again}"
    if options.model is None:
        return f"Next, to keep the model: {keep_command(options)}"
    if options.data is not None:
        return f"Next: {predict_command(result)}"
    return "Next, to see why the starts are random: symbreak lesson"


def keep_command(options: TrainOptions) -> str:
    """Return the command that trains the same and keeps the model."""
    return options.command_line(model=Path("model.symbreak"))


def predict_command(result: Result) -> str:
    """Return the command that predicts with the model that is kept."""
    rows = "DATA" if result.options.data is None else str(result.options.data)
    model = str(result.files.model)
    return shlex.join(["symbreak", "predict", model, rows, "-o", "predictions.csv"])


def _both(result: Result, scores: Scores | None) -> str:
    if scores is None:
        return "no score, the prediction is not finite"
    error = "log-loss" if result.parts.target.classes else "RMSE"
    score = NO_R2 if math.isnan(scores.score) else f"{scores.score:.4f}"
    return f"{result.score_name} {score}, {error} {scores.error:.4g}"


def _validation(result: Result, start: int) -> str:
    scores = result.trained.validation[start] if result.trained.validation else None
    return "-" if scores is None or math.isnan(scores.score) else f"{scores.score:.4f}"


def _left_out(result: Result) -> str:
    usable = result.trained.usable
    lost = [str(start) for start in range(len(usable)) if not usable[start]]
    if not lost:
        return ""
    who = counted(len(lost), "start")
    return f" Left out, as their J is not finite: {who} ({', '.join(lost)})."
