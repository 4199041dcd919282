"""`symbreak diagnose`: the options and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.choices import DATASETS, ELEMENTWISE, listed
from symbreak.cli.diagnose_options import DiagnoseOptions
from symbreak.cli.header_option import HeaderOfModel
from symbreak.cli.loading import loading


def diagnose(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SUBJECT",
            help="FILE.py:FUNCTION, a model that `symbreak train --model` wrote, or a file of "
            "weights (safetensors, or PT, PTH, BIN or CKPT with tensors alone).",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="After a model: a table, to measure when rounding tears equal units apart.",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"After a model, instead of DATA: {listed(DATASETS)}.",
        ),
    ] = None,
    header: HeaderOfModel = None,
    start: Annotated[
        int | None,
        typer.Option(metavar="K", help="Of a model: only its start K, from 0; all by default."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            help="Of a model: the L2 penalty it is trained with; 1 by default for classification, "
            "10 for regression."
        ),
    ] = None,
    update: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Of a model: linear (default: l-bfgs, sgd, gradient-descent and others) or "
            f"elementwise ({', '.join(ELEMENTWISE)}).",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="Of a model: warn also of units that are one unit within this relative difference."
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Of FILE.py:FUNCTION: sgd (with momentum), adamw or both; whether equal units "
            "stay equal is tried with it. By default that of FUNCTION, or both.",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Use N rows, spread evenly; 0 for all. 64 of DATA by default; of "
            "FILE.py:FUNCTION the whole batch.",
        ),
    ] = None,
    memory_budget: Annotated[
        int | None,
        typer.Option(
            metavar="BYTES", help="Of weights: what the scan may allocate; 67108864 by default."
        ),
    ] = None,
    level: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="Print findings of this level and above: error, warning or note.",
        ),
    ] = DiagnoseOptions.level,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all findings here, as JSON.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the first line.")] = False,
) -> None:
    """Tell whether a start is sound, and what is wrong with it.

    Which units are wasted, for ever or not, why, and what to do.

    FILE.py:FUNCTION diagnoses any PyTorch module on a batch: FILE.py is your own program and is
    run; FUNCTION() must return (module, loss, batch), or a dictionary with the keys module, batch,
    and loss or step, and optimizer if wanted. Of a model the symmetries of all starts are
    certified exactly. A file of weights is scanned for what weights alone can tell.

    Exit codes: 0 sound, 1 a finding at error level, 2 something given is not what it must be.
    """
    options = DiagnoseOptions(
        subject=subject, data=data, dataset=dataset, header=header, start=start, alpha=alpha,
        update=update, tolerance=tolerance, optimizer=optimizer, rows=rows,
        memory_budget=memory_budget, level=level, json=json, quiet=quiet,
    )  # fmt: skip
    with loading():
        from symbreak.cli.diagnose_run import run

    raise typer.Exit(run(options))
