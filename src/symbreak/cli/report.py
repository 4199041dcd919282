"""`symbreak report`: a page of a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbreak.cli.header_option import HeaderOfModel
from symbreak.cli.loading import loading


def report(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model that `symbreak train --model` wrote.")
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="Rows with the target, to score the model on; without it the page shows the "
            "score that was noted at the training.",
        ),
    ] = None,
    header: HeaderOfModel = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The HTML page; report.html, unless --json is given alone.",
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every number of the page here, as JSON."),
    ] = None,
) -> None:
    """Write a page, or its numbers, of a saved model.

    A saved model holds its kept starts, columns and score: the page shows these, the network, and
    on DATA the confusion or the residuals. Curves, the other starts and the gradient check are in
    the page that `symbreak train --report` writes.
    """
    with loading():
        from symbreak.cli.advice_text import given_line
        from symbreak.cli.console import say, say_notes
        from symbreak.cli.outputs import check_outputs, write_json
        from symbreak.model_file import content_of
        from symbreak.reports.collect.model import of_model
        from symbreak.reports.report import Report
        from symbreak.tables.read import read_alike
        from symbreak.training.model import Model

    if output is None and json is None:
        output = Path("report.html")
    check_outputs([output, json], [model, data])
    loaded = Model.load(model)
    table = None if data is None else read_alike(data, loaded, header)
    with content_of(model):
        document = of_model(loaded, table)
        page = None if output is None else Report.of(document)
    if table is not None:
        say_notes(loaded.preparation.unknown_notes(table))
        say(given_line(document["scores"]))
    if json is not None:
        write_json(json, document)
        typer.echo(f"The numbers, as JSON: {json}")
    if output is not None and page is not None:
        page.save(output)
        typer.echo(f"The report, a page for the browser: {output}")
