"""Reading a file into a table: the kind is told by the ending of its name."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.header import Names, as_in_training, by_place, counts_columns, refuse_names
from symbreak.tables.read_arrays import read_mat, read_npz
from symbreak.tables.read_text import read_text
from symbreak.tables.table import Table

if TYPE_CHECKING:
    from symbreak.tables.preparation import Preparation
    from symbreak.tables.target import Target

ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".npz", ".mat")


def read_table(
    path: str | os.PathLike[str],
    *,
    text: Collection[str] = (),
    header: bool | None = None,
    names: Names = by_place,
) -> Table:
    """Read a CSV, TSV, TXT, Parquet, NPZ or MAT file; executes no code from it.

    Parameters
    ----------
    path
        The file; its ending tells its kind.
    text
        Names of columns of CSV, TSV and TXT files to keep as text although they look like
        numbers. Pass the `text_columns` of a `Preparation` and a `Target` to have the codes '01'
        and '02' compared as they were written.
    header
        Whether the first line of a CSV, TSV or TXT file holds the names of the columns; None tells
        it from what stands there: see `symbreak.tables.header`.
    names
        Gives the names of so many columns where a file has none; column_1, column_2 ... by default.

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
        return read_text(path, separators, frozenset(text), header=header, names=names)


class Read(Protocol):
    """What keeps how the table of a training was read."""

    @property
    def preparation(self) -> Preparation: ...

    @property
    def target(self) -> Target: ...

    @property
    def n_unnamed(self) -> int: ...


def read_alike(path: str | os.PathLike[str], known: Read, header: bool | None = None) -> Table:
    """Read a table as the one of a training was read.

    Parameters
    ----------
    known
        A model, or the parts of the training's table.
    header
        Whether the first line of the file holds names; None as in the training, or where the
        training's had none but this one counts them: column_1, column_2 and so on.

    Raises
    ------
    InvalidInput
        See `read_table`; or the training's file has no names and the first line of this one looks
        like names.
    """
    text = (*known.preparation.text_columns, *known.target.text_columns)
    n = known.n_unnamed
    names = as_in_training(n, known.target.name) if n else by_place
    table = read_table(path, text=text, header=not n if header is None else header, names=names)
    if header is None and table.is_unnamed:
        if counts_columns(table, n):
            return read_table(path, text=text, header=True)
        refuse_names(table, known.preparation, known.target)
    return table


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
