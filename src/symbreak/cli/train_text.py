"""What `symbreak train` prints: the data first; starts, scores and what to do next at the end."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from symbreak.cli.console import say
from symbreak.cli.outputs import Files
from symbreak.cli.reproduce import shortened
from symbreak.cli.train import TrainOptions
from symbreak.network import Network
from symbreak.text import pluralize
from symbreak.training.choosing import Choice
from symbreak.training.combine import combined_words
from symbreak.training.cross_validation import CrossValidation
from symbreak.training.data_split import DataSplit
from symbreak.training.plain_data import spread
from symbreak.training.record import Training
from symbreak.training.scores import NO_R2, Scores
from symbreak.training.selection import name_of
from symbreak.training.share_interval import effective_rows, wilson

MOST_ROWS = 20
_STAGES = {"read": "reading", "choose": "choosing", "check": "checking", "train": "training",
           "score": "scoring"}  # fmt: skip


def data_line(source: str, split: DataSplit) -> str:
    """Return what was read and what became of it."""
    target, features = split.target, len(split.preparation.feature_names)
    what = f"{len(target.classes)} classes" if target.classes else "numbers"
    line = (
        f"Data: {source}, {pluralize(split.n_rows, 'row')}, "
        f"{pluralize(split.n_columns, 'column')} -> {pluralize(features, 'feature')}; "
        f"{target.task} of '{target.name}' ({what})."
    )
    return " ".join([line, *split.preparation.notes])


def split_line(split: DataSplit, options: TrainOptions, repeats: int) -> str:
    """Return how many rows do what.

    Parameters
    ----------
    repeats : of the cross-validation that scores; 0 for a hold-out.
    """
    validation = f", {split.validation.n} validate" if split.validation.n else ""
    where = f" in {options.test}" if options.test is not None else ""
    how = f"seed {options.seed}"
    if options.group is not None:
        how += f", rows of one '{options.group}' together"
    if options.time is not None:
        how = f"the latest by '{options.time}'"
    if repeats:
        return (
            f"Split: all {split.train.n} rows train; few as they are, the score comes from "
            f"cross-validation of the whole training ({how})."
        )
    return (
        f"Split: {split.train.n} rows train{validation}, {split.holdout.n} held out for the "
        f"score{where} ({how})."
    )


def network_line(network: Network, options: TrainOptions, alpha: float) -> str:
    """Return what is trained, from where and how."""
    return (
        f"Network: {network}; {pluralize(options.starts, 'start')} by {options.rule_words}, "
        f"{options.method}, alpha {alpha:.4g}, {options.dtype}."
    )


def search_line(choice: Choice | None, options: TrainOptions) -> str:
    """Return which network and penalty were chosen, from what and by what."""
    if choice is None:
        return (
            "Search: no candidate has a score, as there are too few rows for folds or the "
            f"{options.budget:g} s of --budget were spent; what was not given is as with --quick."
        )
    best, alphas = choice.best, [one.alpha for one in choice.candidates]
    among = pluralize(len(choice.candidates), "candidate")
    networks = ", ".join(name_of(*one) for one in choice.networks)
    cut = (
        f" The {options.budget:g} s of --budget, for all searches, were spent after "
        f"{len(choice.networks)} of {choice.n_networks} networks had scores."
    )
    return (
        f"Search: {name_of(*best.network)}, alpha {best.alpha:.4g}, of {among} ({networks}; alpha "
        f"{min(alphas):.4g} to {max(alphas):.4g}); its {choice.score_words} over {choice.folds} "
        f"folds of the training rows, {-best.mean:.4f}, chose it.{cut if choice.is_cut else ''}"
    )


def print_starts(training: Training) -> None:
    """Print the table of the starts, lowest J first; those of one minimum take one line."""
    if _is_one_minimum(training):
        n, J = training.outcome.restarts.n_starts, training.outcome.restarts.lowest
        only = "" if training.network.n_hidden else "; without a hidden layer there is no other"
        say(f"{n} starts: {n} converged to one minimum, J {J:.6g}{only}")
        return
    order = np.argsort(training.outcome.value, kind="stable").tolist()
    table = Table(title=f"{pluralize(len(order), 'start')}, lowest J first", title_justify="left")
    validation = [f"validation {score_name(training)}"] * bool(training.validation)
    for heading in ("start", "J", *validation, "iterations"):
        table.add_column(heading, justify="right")
    table.add_column("status")
    table.add_column("used")
    folded = _folded(training, order)
    for start, more in folded[:MOST_ROWS]:
        table.add_row(*_cells(training, start))
        if more:
            table.add_row(f"and {more}", "the same")
    console = Console()
    with console.capture() as printed:
        console.print(table)
    say(printed.get().rstrip("\n"))
    rest = folded[MOST_ROWS:]
    if rest:
        values = training.outcome.value[[start for start, _ in rest]]
        n = sum(1 + more for _, more in rest)
        say(f"and {pluralize(n, 'more start')}, J {values[0]:.6g} to {values[-1]:.6g}")


def _is_one_minimum(training: Training) -> bool:
    """Whether all of several starts converged to one J."""
    restarts = training.outcome.restarts
    return (
        restarts.n_starts > 1
        and len(restarts.minima) == 1
        and (restarts.n_converged == restarts.n_starts)
    )


def _folded(training: Training, order: list[int]) -> list[tuple[int, int]]:
    """Return starts to show, and how many others of the same minimum each stands for."""
    groups = {start: one.starts for one in training.outcome.restarts.minima for start in one.starts}
    found, seen = [], set[int]()
    for start in order:
        if start in seen:
            continue
        group = groups.get(start, (start,))
        seen.update(group)
        # Where a single start is used, its own line is shown.
        used = [one for one in group if one in training.kept and len(training.kept) == 1]
        found.append((used[0] if used else start, len(group) - 1))
    return found


def _cells(training: Training, start: int) -> list[str]:
    outcome = training.outcome
    return [
        str(start), f"{outcome.value[start]:#.6g}", *_validation(training, start),
        str(outcome.n_iterations[start]), outcome.status[start].word,
        "yes" if start in training.kept else "no",
    ]  # fmt: skip


def diverged_line(training: Training) -> str:
    """Return the warning of starts that diverged."""
    total = pluralize(len(training.outcome.status), "start")
    return (
        f"Warning: {training.n_diverged} of {total} diverged; each keeps the best point before "
        "that. Lower --learning-rate."
    )


def score_line(training: Training) -> str:
    """Return the score of the combined prediction on rows that have chosen nothing."""
    if training.cross_validation is not None:
        return _cross_validated(training, training.cross_validation)
    if "holdout" not in training.predictions:
        return "No score: its cross-validation did not end, or there are too few rows for folds."
    rows = pluralize(training.predictions["holdout"].n, "row")
    what = combined_words(training.combine, training.kept)
    return f"Hold-out ({rows}), {what}: {_both(training, training.holdout)}"


def _cross_validated(training: Training, found: CrossValidation) -> str:
    head = f"{found.words.capitalize()} ({pluralize(len(found.y), 'row')})"
    if found.scores is None:
        return f"{head}: no score, a prediction is not finite"
    name = "log-loss" if _has_classes(training) else "RMSE"
    of_score, of_error = found.standard_errors
    sure = f"± {of_score:.4f} (standard error)"
    if found.target.classes and of_score == 0.0:
        # All right, or all wrong: no row differs from another, and still others may.
        n = effective_rows(len(found.y), found.weight, found.groups)
        low, high = wilson(found.scores.score * n, n)
        sure = f"(95 % interval {low:.4f} to {high:.4f})"
    return (
        f"{head}: {score_name(training)} {found.scores.score:.4f} {sure}, "
        f"{name} {found.scores.error:.4g} ± {of_error:.2g}"
    )


def interval_lines(training: Training) -> list[str]:
    """Return how sure predictions of numbers are; nothing where it is not known."""
    found = training.intervals
    if found is None:
        return []
    covered = (
        ""
        if found.covered is None
        else (f"; they cover {100 * found.covered:.1f} % of the hold-out")
    )
    return [
        f"{100 * found.coverage:.0f} % intervals: ± {found.half_width:.4g}, median width{covered}; "
        "`symbreak predict` writes them."
    ]


def single_lines(training: Training) -> list[str]:
    """Return the hold-out score of a single start: median and range over the starts."""
    return [_single(training)] if "holdout" in training.predictions else []


def _single(training: Training) -> str:
    finite = [scores.score for scores in training.singles if scores is not None]
    over_starts = spread(finite)
    if math.isnan(over_starts["median"]):
        why = NO_R2 if finite else "has no value, as no prediction is finite"
        return f"Hold-out, a single start: {score_name(training)} {why}"
    return (
        f"Hold-out, a single start: {score_name(training)} {over_starts['median']:.4f} (median of "
        f"{len(finite)}; {over_starts['lowest']:.4f} to {over_starts['highest']:.4f})"
    )


def choice_line(training: Training) -> str:
    """Return what chose what."""
    if training.combine == "average":
        return (
            f"The average takes every start; {_idle(training)} chose nothing.{_left_out(training)}"
        )
    is_best = training.combine == "best"
    by = "its validation score" if is_best else "its J on the training rows"
    start = training.kept[0]
    return (
        f"Start {start} was chosen by {by}; {_idle(training)} chose nothing.{_left_out(training)}"
    )


def _idle(training: Training) -> str:
    """Return which rows chose nothing."""
    if "holdout" not in training.predictions:
        return "the rows of a fold, for what scored them,"
    if training.combine == "average" and "validation" in training.predictions:
        return "validation and hold-out"
    return "the hold-out"


def restart_lines(training: Training) -> list[str]:
    """Return what the starts show together, and how many were drawn again."""
    restarts = training.outcome.restarts
    # What to do is said with what else there is to do.
    lines = [line for line in str(restarts).splitlines() if line != restarts.advice]
    if _is_one_minimum(training) and not training.network.n_hidden:
        lines = []  # the line of the starts has said it all
    if training.redrawn:
        times = pluralize(training.redrawn, "time")
        lines.append(f"A start was drawn again {times}, as J or its gradient was not finite there.")
    return lines


def time_line(seconds: Mapping[str, float]) -> str:
    """Return where the time went; stages that took none of it are left out."""
    total = sum(seconds.values())
    digits = 0 if total >= 10.0 else 1
    spent = {_STAGES[stage]: f"{time:.{digits}f}" for stage, time in seconds.items()}
    parts = [f"{stage} {time}" for stage, time in spent.items() if float(time) > 0.0]
    return f"Took {total:.{digits}f} s{': ' if parts else ''}{', '.join(parts)}."


def written_lines(files: Files) -> list[str]:
    """Return where things were written."""
    names = ("Model", "Everything found, as JSON", "The report, a page for the browser")
    return [f"{what}: {path}" for what, path in zip(names, files, strict=True) if path is not None]


def beside_lines(options: TrainOptions, files: Files) -> list[str]:
    """Return which files were there already, and where the interrupted result is instead."""
    asked = Files.of(options, is_interrupted=False)
    return [
        f"'{path}' was there already and stays as it was; the interrupted result is in '{other}'."
        for path, other in zip(asked, files, strict=True)
        if path != other
    ]


def next_line(training: Training, options: TrainOptions, files: Files) -> str:
    """Return one thing to try, as a command."""
    if training.symmetry is not None and not training.symmetry.is_broken:
        again = options.command_line(init="glorot_uniform", epsilon=None)
        return f"Next, with the symmetry broken: {again}"
    if options.model is None:
        return f"Next, to keep the model: {keep_command(options)}"
    if options.data is not None:
        return f"Next, for new rows: {predict_command(options, files)}"
    return "Next, to see why the starts are random: symbreak lesson"


def then_line(options: TrainOptions, files: Files) -> str:
    """Return what a page says to do with a training that nothing stands against."""
    if options.model is None:
        return f"To keep the model, train with --model: {shortened(keep_command(options))}"
    return f"Predict rows with it: {shortened(predict_command(options, files))}"


def keep_command(options: TrainOptions) -> str:
    """Return the command that trains the same and keeps the model."""
    return options.command_line(model=Path("model.symbreak"))


def predict_command(options: TrainOptions, files: Files) -> str:
    """Return the command that predicts new rows with the model that is kept.

    The rows that it was trained on are not proposed: what is said of them is known.
    """
    ending = "csv" if options.data is None else options.data.suffix.removeprefix(".")
    rows = f"new.{ending or 'csv'}"
    return shlex.join(["symbreak", "predict", str(files.model), rows, "-o", "predictions.csv"])


def score_name(training: Training) -> str:
    """ "accuracy" or "R2"."""
    return "accuracy" if _has_classes(training) else "R2"


def _has_classes(training: Training) -> bool:
    return training.network.loss.is_classification


def _both(training: Training, scores: Scores | None) -> str:
    if scores is None:
        return "no score, the prediction is not finite"
    error = "log-loss" if _has_classes(training) else "RMSE"
    score = NO_R2 if math.isnan(scores.score) else f"{scores.score:.4f}"
    return f"{score_name(training)} {score}, {error} {scores.error:.4g}"


def _validation(training: Training, start: int) -> list[str]:
    """Return the cell of a start in that column, none where nothing was validated."""
    if not training.validation:
        return []
    scores = training.validation[start]
    return ["-" if scores is None or math.isnan(scores.score) else f"{scores.score:.4f}"]


def _left_out(training: Training) -> str:
    lost = [str(start) for start in np.flatnonzero(~training.usable)]
    if not lost:
        return ""
    who = pluralize(len(lost), "start")
    return f" Left out, as their J is not finite: {who} ({', '.join(lost)})."
