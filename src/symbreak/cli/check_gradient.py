"""`symbreak check-gradient`: the options and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.check_options import CheckOptions
from symbreak.cli.choices import DATASETS, LOSSES, listed
from symbreak.cli.header_option import Header
from symbreak.cli.loading import loading


def check_gradient(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="SUBJECT",
            help="A model that `symbreak train --model` wrote, a table (CSV, TSV, TXT, Parquet, "
            "NPZ or MAT), or FILE.py:FUNCTION.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Argument(metavar="DATA", help="After a model: the table to check it on."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column to learn; a model knows its own."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Instead of a table: {listed(DATASETS)}.",
        ),
    ] = None,
    header: Header = None,
    start: Annotated[
        int | None,
        typer.Option(metavar="K", help="Of a model: only its start K, from 0; all by default."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK", help="classification or regression; inferred as `train` does."
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Leave a column out; may be repeated."),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Units of each hidden layer, such as 25,10; none for no layer; 25 by default.",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One, or one for each hidden layer; tanh by default. See `train`."
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=listed(
                LOSSES, cross_entropy="default for classes", squared_error="default for numbers"
            )
            + ".",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RULE", help="How the start is drawn; glorot_uniform by default. See `train`."
        ),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(help="Draw every parameter from [-EPSILON, EPSILON] (rule uniform)."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            help="L2 penalty alpha/(2m) times the sum of squared weights; 1 by default for "
            "classification, 10 for regression."
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            metavar="DTYPE", help="float64 or float32; by default that of the model, or float64."
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="DEVICE", help="A PyTorch device, such as cuda; cpu by default."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Use N rows, spread evenly; 0 for all. 64 by default; of FILE.py:FUNCTION the "
            "whole batch.",
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="directions: random lines through each block; or coordinates: each parameter by "
            "itself.",
        ),
    ] = CheckOptions.method,
    thorough: Annotated[
        bool,
        typer.Option(
            "--thorough/--no-thorough",
            help="Check also after a few steps down the gradient, and data and penalty each alone.",
        ),
    ] = CheckOptions.thorough,
    no_locate: Annotated[
        bool,
        typer.Option("--no-locate", help="Do not search for the wrong entries and their cause."),
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of the start and of the lines.")
    ] = CheckOptions.seed,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report here, as JSON.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the first line.")] = False,
) -> None:
    """Check a gradient, and name the entries that are wrong.

    The gradient is compared with differences of J, along random lines through each block.

    MODEL DATA checks a saved model on the rows of a table, or of --dataset. A table with --target,
    or --dataset alone, checks a network built for it, at a random start. FILE.py:FUNCTION checks
    any PyTorch module: FILE.py is your own program and is run; FUNCTION() must return (module,
    loss, batch), or a dictionary with the keys module, batch, and loss or step.

    Exit codes: 0 pass, 1 fail, 3 inconclusive, 2 something given is not what it must be.
    """
    options = CheckOptions(
        subject=subject, data=data, target=target, dataset=dataset, header=header, start=start,
        task=task, drop=tuple(drop or ()), hidden=hidden, activation=activation, loss=loss,
        init=init, epsilon=epsilon, alpha=alpha, dtype=dtype, device=device, rows=rows,
        method=method, thorough=thorough, locate=not no_locate, seed=seed, json=json, quiet=quiet,
    )  # fmt: skip
    with loading():
        from symbreak.cli.check_run import run

    raise typer.Exit(run(options))
