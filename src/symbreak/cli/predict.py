"""`symbreak predict`: a trained model on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.header_option import HeaderOfModel
from symbreak.cli.loading import loading

NO_INTERVALS = (
    "No lower and upper: the model knows no errors, or too few, on rows that were held out of its "
    "training."
)


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model that `symbreak train --model` wrote.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="CSV, TSV, TXT, Parquet, NPZ or MAT file with the training's columns.",
        ),
    ],
    header: HeaderOfModel = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Of numbers: the chance that a new one lies between lower and upper; by default "
            "0.9.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write: CSV, or by its ending .tsv or .parquet; standard output if "
            "not given or -.",
        ),
    ] = None,
) -> None:
    """Predict with a trained model.

    Writes a column "prediction"; for numbers "lower" and "upper", the ends of an interval that a
    new one lies in with the chance --coverage; for classes "probability of CLASS" for each of them,
    and "disagreement" of the starts in nats. The columns of DATA may stand in any order.
    """
    with loading():
        from symbreak.cli.console import say_notes
        from symbreak.cli.outputs import check_outputs
        from symbreak.tables.read import read_alike
        from symbreak.tables.write import check_ending, write_predictions
        from symbreak.training.model import Model

    if output == Path("-"):
        output = None
    if output is not None:
        check_ending(output)
    check_outputs([output], [model, data])
    loaded = Model.load(model)
    table = read_alike(data, loaded, header)
    columns = loaded.columns(table, coverage)
    say_notes(loaded.preparation.unknown_notes(table))
    if not (loaded.target.classes or "lower" in columns):
        say_notes([NO_INTERVALS])
    if seen := loaded.seen_in(table):
        say_notes([f"{seen.of(table.source)}; what it predicts there does not show how good it is "
                   "on new rows."])  # fmt: skip
    if output is None:
        import polars as pl

        typer.echo(pl.DataFrame(columns).write_csv(), nl=False)
        return
    write_predictions(output, columns)
    typer.echo(f"Wrote {len(columns['prediction'])} predictions to {output}", err=True)
