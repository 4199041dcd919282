"""`symbreak train`: the options and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.choices import (
    ACTIVATIONS,
    DATASETS,
    ON_ALL_EXAMPLES,
    ON_BATCHES,
    RULES,
    WITH_LEARNING_RATE,
    WITH_MOMENTUM,
    listed,
)
from symbreak.cli.header_option import Header
from symbreak.cli.loading import loading
from symbreak.cli.train_options import TrainOptions


def train(
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="CSV, TSV, TXT, Parquet, NPZ or MAT file with one example in a row.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to learn.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Instead of DATA: {listed(DATASETS)}.",
        ),
    ] = None,
    header: Header = None,
    test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Score on this file instead of a hold-out part."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="classification or regression; by default text, true/false and up to 20 "
            "different whole numbers are classes.",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Leave a column out; may be repeated."),
    ] = None,
    holdout: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the rows kept for the score.")
    ] = TrainOptions.holdout,
    validation: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Share of the other rows that scores single starts; 0 for none.",
        ),
    ] = TrainOptions.validation,
    hidden: Annotated[
        str,
        typer.Option(
            metavar="UNITS", help="Units of each hidden layer, such as 25,10; none for no layer."
        ),
    ] = TrainOptions.hidden,
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"{listed(ACTIVATIONS)}; one, or one for each hidden layer: relu,tanh.",
        ),
    ] = TrainOptions.activation,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help=f"How starts are drawn: {listed(RULES, glorot_uniform='default')}.",
        ),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(help="Draw every parameter from [-EPSILON, EPSILON] (rule uniform)."),
    ] = None,
    starts: Annotated[
        int, typer.Option(metavar="N", help="Number of starts.")
    ] = TrainOptions.starts,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of split and starts.")
    ] = TrainOptions.seed,
    combine: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="average of the starts' predictions, best (by the validation part) or "
            "lowest-cost.",
        ),
    ] = TrainOptions.combine,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"{listed(ON_ALL_EXAMPLES)}, on all examples at once; {listed(ON_BATCHES)}, on "
            "mini-batches; or scipy:NAME, a method of scipy.optimize.minimize, such as scipy:BFGS.",
        ),
    ] = TrainOptions.method,
    learning_rate: Annotated[
        float | None, typer.Option(help=f"Of {listed(WITH_LEARNING_RATE, 'and')}.")
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option(help=f"Of {listed(WITH_MOMENTUM, 'and')}; 0.9 by default."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            help="L2 penalty alpha/(2m) times the sum of squared weights; 1 by default for "
            "classification, 10 for regression."
        ),
    ] = None,
    search: Annotated[
        bool,
        typer.Option(
            "--search",
            help="Choose the penalty from 1e-4, 1e-3, ..., 1000 by cross-validation with 5 folds "
            "of the training rows and 4 starts, all trained as one stack.",
        ),
    ] = False,
    max_iter: Annotated[
        int, typer.Option(metavar="N", help="Most iterations of each start.")
    ] = TrainOptions.max_iter,
    dtype: Annotated[
        str, typer.Option(metavar="DTYPE", help="float64 or float32.")
    ] = TrainOptions.dtype,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="A PyTorch device, such as cpu or cuda.")
    ] = TrainOptions.device,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trained model here.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write everything found here, as JSON.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an HTML page of the run here.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only the hold-out score and warnings.")
    ] = False,
) -> None:
    """Train a network on a table from many random starts.

    Checks the gradient and the symmetry of the starts first. Ctrl-C keeps the best so far; files
    that are there already stay, and it is written beside them.
    """
    options = TrainOptions(
        data=data, target=target, dataset=dataset, header=header, test=test, task=task,
        drop=tuple(drop or ()), holdout=holdout, validation=validation, hidden=hidden,
        activation=activation, init=init, epsilon=epsilon, starts=starts, seed=seed,
        combine=combine, method=method, learning_rate=learning_rate, momentum=momentum,
        alpha=alpha, search=search, max_iter=max_iter, dtype=dtype, device=device, model=model,
        json=json, report=report, quiet=quiet,
    )  # fmt: skip
    with loading():
        from symbreak.cli.train_run import run

    raise typer.Exit(run(options))
