"""`symbreak train`, step by step; what it says on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from symbreak import native
from symbreak.cli import INTERRUPTED, advice_text, train_text
from symbreak.cli.console import say, say_notes, shown
from symbreak.cli.outputs import Files, check_outputs, write_json
from symbreak.cli.reproduce import provenance_of
from symbreak.cli.train import TrainOptions
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.methods import method_of
from symbreak.optimize.scipy_options import is_scipy, method_named
from symbreak.page import check_renderable
from symbreak.reports.collect.training import of_training
from symbreak.reports.report import Report
from symbreak.tables.datasets import load_dataset
from symbreak.tables.read import read_alike, read_table
from symbreak.tables.table import Table
from symbreak.training.checks import Symmetry
from symbreak.training.combine import check_combine
from symbreak.training.cross_validation import cross_validated, repeats_for
from symbreak.training.data_split import DataSplit
from symbreak.training.folds import FOLDS
from symbreak.training.record import Training
from symbreak.training.settings import Settings
from symbreak.training.table_errors import with_errors
from symbreak.training.table_training import (
    Prepared,
    chosen_for,
    prepared,
    timed,
    train_prepared,
)

DONE, GRADIENT_FAILED = 0, 1
WRONG_GRADIENT = (
    "Error: The gradient must be the derivative of J. Got another one, so nothing was trained; "
    "please report it with this command line."
)


def run(options: TrainOptions) -> int:
    """Train as asked; return the exit code."""
    _check(options)
    if options.search:
        say_notes(["--search is the default now and may be left out; it will go."])
    seconds: dict[str, float] = {}
    with timed(seconds, "read"):
        table, task = _table(options)
        repeats = _repeats(options, table)
        split = _split(options, table, task, repeats)
    _say(
        options,
        train_text.data_line(table.source, split),
        train_text.split_line(split, options, repeats),
    )
    settings = _settings(options, repeats)
    ready = _prepared(options, split, settings, seconds)
    _say(options, train_text.network_line(ready.network, options, ready.alpha))
    if note := native.why_missing():
        _say(options, note)
    gradient, symmetry = ready.gradient, ready.symmetry
    _say(options, gradient.line)
    if gradient.verdict == "fail":
        say(WRONG_GRADIENT, err=True)
        return GRADIENT_FAILED
    _say_symmetry(options, symmetry)
    written: list[Path] = []
    try:
        # The first Ctrl-C ends the training; what was trained is scored and written all the same.
        with DeferredInterrupt() as interrupt:
            training = _trained(options, ready, table.source)
            training = _scored(options, training, settings, repeats)
            files = Files.of(options, is_interrupted=training.is_interrupted)
            _write(training, options, files, written)
            _tell(training, options, files)
    except KeyboardInterrupt:
        if not written:
            raise
        say(f"Interrupted; written was {' and '.join(map(str, written))}.", err=True)
        return INTERRUPTED
    if training.is_interrupted:
        return INTERRUPTED
    if interrupt.is_requested:
        what = _lost(training, repeats) or "nothing was lost"
        say(f"Interrupted after the training: {what}.", err=True)
        return INTERRUPTED
    return DONE


def _check(options: TrainOptions) -> None:
    """Refuse what can be refused before anything is read."""
    outputs = [options.model, options.json, options.report]
    check_outputs(outputs, [options.data, options.test])
    if options.report is not None:
        check_renderable()
    check_combine(options.combine, has_validation=options.validation_share > 0)
    if is_scipy(options.method):
        method_named(options.method)
    else:
        method_of(options.method, options.method_options)


def _table(options: TrainOptions) -> tuple[Table, str | None]:
    if options.dataset is None:
        assert options.data is not None
        table = read_table(options.data, header=options.header)
        say_notes(table.notes)
        return table, options.task
    table, task = load_dataset(options.dataset)
    # The task is that of the usual target; another column has its own.
    return table, options.task or (task if options.target_column == "target" else None)


def _split(options: TrainOptions, table: Table, task: str | None, repeats: int) -> DataSplit:
    split = DataSplit.of(
        table, options.target_column, task=task, drop=options.drop, holdout=options.holdout_share,
        validation=options.validation_share, seed=options.seed,
        separate_test=options.test is not None or repeats > 0, group=options.group,
        time=options.time, weight=options.weight, keep=options.keep,
    )  # fmt: skip
    if options.test is None:
        return split
    test = read_alike(options.test, split, options.header)
    complete = split.with_test(test)
    say_notes(split.preparation.unknown_notes(test))
    if complete.overlap is not None and complete.overlap.sentence:
        say(f"Warning: '{test.source}': {complete.overlap.sentence}", err=True)
    return complete


def _repeats(options: TrainOptions, table: Table) -> int:
    """Return how many times the score is cross-validated; 0 for a hold-out."""
    if not options.may_cross_validate:
        return 0
    return repeats_for(table.n_rows, len(table.columns))


def _settings(options: TrainOptions, repeats: int) -> Settings:
    """Return the settings of each training: those that score share the budget with the first."""
    settings = options.settings
    return replace(settings, budget=settings.budget / (1 + repeats * FOLDS))


def _prepared(
    options: TrainOptions, split: DataSplit, settings: Settings, seconds: dict[str, float]
) -> Prepared:
    """Return what can be trained, network and penalty chosen where they are not given."""
    choice = None
    if settings.chooses:
        with timed(seconds, "choose"), shown(options.max_iter, quiet=options.quiet) as show:
            choice = chosen_for(split, settings, show)
        _say(options, train_text.search_line(choice, options))
    return prepared(split, settings, choice, seconds)


def _trained(options: TrainOptions, ready: Prepared, source: str) -> Training:
    """Train; keep where the starts stood on the way if the page will show it."""
    provenance = provenance_of(options, source, ready)
    with shown(options.max_iter, quiet=options.quiet) as show:
        return train_prepared(
            ready, look=show, keeps_trajectories=options.report is not None, provenance=provenance
        )


def _scored(
    options: TrainOptions, training: Training, settings: Settings, repeats: int
) -> Training:
    """Return the training with its score by cross-validation where wanted, and with its errors.

    Ctrl-C leaves them out: the training itself is finished.
    """
    assert training.split is not None
    seconds = dict(training.seconds)
    try:
        with timed(seconds, "score"), shown(options.max_iter, quiet=options.quiet) as show:
            if repeats and not training.is_interrupted:
                found = cross_validated(training.split, settings, repeats=repeats, look=show)
                training = replace(training, cross_validation=found)
            training = with_errors(training, settings, show)
    except KeyboardInterrupt:
        return training
    return replace(training, seconds=seconds)


def _lost(training: Training, repeats: int) -> str:
    """Return what a Ctrl-C after the training has left out; "" for nothing."""
    if repeats and training.cross_validation is None:
        return "its score was not cross-validated"
    is_without = training.network.loss.fits_any_number and training.held_out is None
    return "the errors that intervals are made of were not found" if is_without else ""


def _write(training: Training, options: TrainOptions, files: Files, written: list[Path]) -> None:
    """Write what was asked for, and note in `written` what is on the disk."""
    if files.model is not None:
        training.model().save(files.model)
        written.append(files.model)
    if files.json is not None:
        write_json(files.json, training.to_dict())
        written.append(files.json)
    if files.report is not None:
        page = Report.of(of_training(training, then=train_text.then_line(options, files)))
        page.save(files.report)
        written.append(files.report)


def _tell(training: Training, options: TrainOptions, files: Files) -> None:
    if training.is_interrupted:
        say("Interrupted: every start keeps its best point so far.", err=True)
        for line in train_text.beside_lines(options, files):
            say(line, err=True)
    if training.n_diverged:
        say(train_text.diverged_line(training), err=True)
    if options.quiet:
        say(train_text.score_line(training))
        return
    _say(options, train_text.score_line(training), *train_text.single_lines(training))
    _say(options, *train_text.interval_lines(training))
    _say(options, train_text.choice_line(training), *advice_text.found_lines(training))
    _say(options, *advice_text.advice_lines(training, options))
    train_text.print_starts(training)
    _say(options, *train_text.restart_lines(training))
    _say(options, train_text.time_line(training.seconds), *train_text.written_lines(files))
    _say(options, train_text.next_line(training, options, files))


def _say(options: TrainOptions, *lines: str) -> None:
    if not options.quiet:
        for line in lines:
            say(line)


def _say_symmetry(options: TrainOptions, symmetry: Symmetry) -> None:
    if symmetry.is_broken:
        _say(options, symmetry.line)
    else:
        say(symmetry.line, err=True)
