"""Reading a file into a table: the kind is told by the ending of its name."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.read_arrays import read_mat, read_npz
from symbreak.tables.read_text import read_text
from symbreak.tables.table import Table

ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".npz", ".mat")


def read_table(path: str | os.PathLike[str], *, text: Collection[str] = ()) -> Table:
    """Read a CSV, TSV, TXT, Parquet, NPZ or MAT file; executes no code from it.

    Parameters
    ----------
    path
        The file; its ending tells its kind.
    text
        Names of columns of CSV, TSV and TXT files to keep as text although they look like
        numbers. Pass the `text_columns` of a `Preparation` and a `Target` to have the codes '01'
        and '02' compared as they were written.

    Raises
    ------
    InvalidInput
        One sentence: the file is missing, empty, of another kind, damaged or not a table.
    """
    path = Path(path)
    ending = _checked_ending(path)
    with _one_sentence(path):
        if ending == ".npz":
            return Table.of(read_npz(path), path.name)
        if ending == ".mat":
            return Table.of(read_mat(path), path.name)
        if ending == ".parquet":
            return Table.of(pl.read_parquet(path, glob=False), path.name)
        separators = "\t" if ending == ".tsv" else ",;\t"
        return Table.of(read_text(path, separators, frozenset(text)), path.name)


def _checked_ending(path: Path) -> str:
    if os.path.isdir(path):
        raise InvalidInput(f"Data file '{path}' must be a file. Got a folder; name a file in it.")
    if not os.path.isfile(path):
        raise InvalidInput(
            f"Data file '{path}' must be an existing file. Got none of that name; "
            "check its spelling and folder."
        )
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InvalidInput(
            f"The name of data file '{path}' must end in {', '.join(ENDINGS)}. Got '{ending}'."
        )
    if not path.stat().st_size:
        raise InvalidInput(f"Data file '{path}' must hold a table. Got an empty file.")
    return ending


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InvalidInput:
        raise
    # The readers of other packages meet damaged files with errors of every kind.
    except (Exception, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InvalidInput(
            f"Data file '{path}' must be a readable {path.suffix.lower()[1:].upper()} file. "
            f"Got: {reason[0].rstrip('.')}."
        ) from error
