"""`symbreak train`, step by step; what it says on the way."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from symbreak import __version__
from symbreak.cli import INTERRUPTED, after, before
from symbreak.cli.outputs import check_outputs, write_json
from symbreak.cli.progress import shown
from symbreak.cli.result import (
    Files,
    Result,
    record,
    restart_lines,
    single_scores,
    summary,
)
from symbreak.cli.say import say, say_notes
from symbreak.cli.train_options import TrainOptions
from symbreak.cli.train_report import report_of
from symbreak.errors import SymmetryWarning
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Progress
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.methods import method_of
from symbreak.optimize.scipy_options import is_scipy, method_named
from symbreak.page import check_renderable
from symbreak.reports.numbers import plain
from symbreak.tables.datasets import load_dataset
from symbreak.tables.read import read_alike, read_table
from symbreak.tables.table import Table
from symbreak.training import Trained, train_from
from symbreak.training.checks import Symmetry, gradient_report
from symbreak.training.choosing import Choice, choose_alpha
from symbreak.training.combine import check_combine
from symbreak.training.model import Model
from symbreak.training.parts import Parts
from symbreak.training.path import Path as StartsPath
from symbreak.training.scores import target_scores
from symbreak.training.starts import Drawn, drawn_starts

DONE, GRADIENT_FAILED = 0, 1
WRONG_GRADIENT = (
    "Error: The gradient must be the derivative of J. Got another one, so nothing was trained; "
    "please report it with this command line."
)


def run(options: TrainOptions) -> int:
    """Train as asked; return the exit code."""
    _check(options)
    seconds: dict[str, float] = {}
    with _timed(seconds, "read"):
        table, task = _table(options)
        parts = _parts(options, table, task)
    _say(options, before.data_line(table.source, parts), before.split_line(parts, options))
    with _timed(seconds, "check"):
        cost, (theta, redrawn), alpha, choice = _start(options, parts)
        _say(options, before.network_line(cost.network, options, alpha))
        gradient = gradient_report(cost, theta)
        symmetry = Symmetry.of(cost.network, theta, alpha=alpha, method=options.method)
    _say(options, gradient.line)
    if gradient.verdict == "fail":
        say(WRONG_GRADIENT, err=True)
        return GRADIENT_FAILED
    _say_symmetry(options, symmetry)
    written: list[Path] = []
    try:
        # The first Ctrl-C ends the training; what was trained is scored and written all the same.
        with DeferredInterrupt() as interrupt:
            with _timed(seconds, "train"):
                trained, path = _train(options, cost, theta, parts)
                trained = replace(trained, redrawn=redrawn)
            is_cut = trained.outcome.is_interrupted
            if is_cut and not trained.outcome.n_iterations.any():
                raise KeyboardInterrupt
            with _timed(seconds, "score"):
                prediction = trained.predict(parts.holdout.X)
                holdout = target_scores(parts.target, parts.holdout.y, prediction)
                singles = single_scores(parts, trained)
            result = Result(
                options, table.source, parts, alpha, gradient, symmetry, trained, holdout, singles,
                {**seconds, "total": sum(seconds.values())}, theta, path, choice,
                Files.of(options, is_interrupted=is_cut),
            )  # fmt: skip
            _write(result, written)
            _tell(result)
    except KeyboardInterrupt:
        if not written:
            raise
        say(f"Interrupted; written was {' and '.join(map(str, written))}.", err=True)
        return INTERRUPTED
    if result.is_interrupted:
        return INTERRUPTED
    if interrupt.is_requested:
        say("Interrupted after the training: nothing was lost.", err=True)
        return INTERRUPTED
    return DONE


def _check(options: TrainOptions) -> None:
    """Refuse what can be refused before anything is read."""
    outputs = [options.model, options.json, options.report]
    check_outputs(outputs, [options.data, options.test])
    if options.report is not None:
        check_renderable()
    check_combine(options.combine, has_validation=options.validation > 0)
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


def _parts(options: TrainOptions, table: Table, task: str | None) -> Parts:
    parts = Parts.of(
        table, options.target_column, task=task, drop=options.drop, holdout=options.holdout,
        validation=options.validation, seed=options.seed, separate_test=options.test is not None,
    )  # fmt: skip
    if options.test is None:
        return parts
    test = read_alike(options.test, parts, options.header)
    found = parts.with_test(test)
    say_notes(parts.preparation.unknown_notes(test))
    return found


def _start(options: TrainOptions, parts: Parts) -> tuple[NetworkCost, Drawn, float, Choice | None]:
    """Return the cost on the training rows, the starts, the penalty and what chose it."""
    layers = (parts.train.X.shape[1], *options.hidden_layers, parts.n_outputs)
    network = Network(layers, options.activations, parts.loss)
    choice = _searched(options, network, parts)
    alpha = options.alpha_for(parts.target.task) if choice is None else choice.alpha
    cost = NetworkCost(
        network, *parts.train, alpha=alpha, dtype=options.dtype, device=options.device
    )
    with _without_symmetry_warning():
        drawn = drawn_starts(cost, options.rule, starts=options.starts, seed=options.seed)
    return cost, drawn, alpha, choice


def _searched(options: TrainOptions, network: Network, parts: Parts) -> Choice | None:
    """Return what --search found of the penalties on the training rows, None without it."""
    if not options.search:
        return None
    with _without_symmetry_warning(), shown(options.max_iter, quiet=options.quiet) as show:
        choice = choose_alpha(
            network, *parts.train, rule=options.rule, seed=options.seed, method=options.method,
            max_iter=options.max_iter, dtype=options.dtype, device=options.device, look=show,
            method_options=options.method_options,
        )  # fmt: skip
    _say(options, before.search_line(choice))
    return choice


def _train(
    options: TrainOptions, cost: NetworkCost, theta: Tensor, parts: Parts
) -> tuple[Trained, StartsPath | None]:
    """Train; keep where the starts stood on the way if the page will show it."""
    path = None if options.report is None else StartsPath(theta)
    validation = parts.validation if parts.validation.n else None
    with _without_symmetry_warning(), shown(options.max_iter, quiet=options.quiet) as show:

        def look(progress: Progress) -> None:
            if path is not None:
                path(progress)
            if show is not None:
                show(progress)

        trained = train_from(
            cost, theta, method=options.method, max_iter=options.max_iter, callback=look,
            combine=options.combine, validation=validation, **options.method_options,
        )  # fmt: skip
    return trained, path


def _write(result: Result, written: list[Path]) -> None:
    """Write what was asked for, and note in `written` what is on the disk."""
    files, trained, parts = result.files, result.trained, result.parts
    if files.model is not None:
        about = {
            "symbreak": __version__, "source": result.source, **summary(result),
            "interrupted": result.is_interrupted,
        }  # fmt: skip
        theta = trained.theta.cpu().numpy()
        model = Model(
            trained.network, theta, parts.preparation, parts.target, trained.combine, plain(about),
            parts.n_unnamed,
        )  # fmt: skip
        model.save(files.model)
        written.append(files.model)
    if files.json is not None:
        write_json(files.json, record(result))
        written.append(files.json)
    if files.report is not None:
        report_of(result).save(files.report)
        written.append(files.report)


def _tell(result: Result) -> None:
    options = result.options
    if result.is_interrupted:
        say("Interrupted: every start keeps its best point so far.", err=True)
        for line in after.beside_lines(result):
            say(line, err=True)
    if after.n_diverged(result):
        say(after.diverged_line(result), err=True)
    if options.quiet:
        say(after.score_line(result))
        return
    after.print_starts(result)
    _say(options, *restart_lines(result))
    lines = (after.score_line, after.single_line, after.choice_line)
    _say(options, *(line(result) for line in lines), *after.few_lines(result))
    _say(options, *after.low_lines(result))
    _say(options, f"Trained in {result.seconds['train']:.1f} s.", *after.written_lines(result))
    _say(options, after.next_line(result))


def _say(options: TrainOptions, *lines: str) -> None:
    if not options.quiet:
        for line in lines:
            say(line)


def _say_symmetry(options: TrainOptions, symmetry: Symmetry) -> None:
    if symmetry.is_broken:
        _say(options, symmetry.line)
    else:
        say(symmetry.line, err=True)


@contextmanager
def _without_symmetry_warning() -> Iterator[None]:
    """Silence the library's warning: the line on symmetry has said it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymmetryWarning)
        yield


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - began
