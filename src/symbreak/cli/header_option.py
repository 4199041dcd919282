"""`--header` and `--no-header`, of every command that reads a table."""

from __future__ import annotations

from typing import Annotated

import typer

_WHAT = "Whether the first line of a CSV, TSV or TXT file holds the names of the columns; "
_WORDS = "--header/--no-header"

Header = Annotated[
    bool | None, typer.Option(_WORDS, help=_WHAT + "by default told from what stands there.")
]
HeaderOfModel = Annotated[
    bool | None, typer.Option(_WORDS, help=_WHAT + "by default as in the file of the training.")
]
