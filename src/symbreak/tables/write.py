"""Writing predictions."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from symbreak.atomic import check_writable, replace_file
from symbreak.errors import InvalidInput

__all__ = ["check_ending", "check_writable", "write_predictions"]

ENDINGS = (".csv", ".tsv", ".txt", ".parquet")


def check_ending(path: str | os.PathLike[str]) -> None:
    """Refuse a name whose ending promises what is not written.

    Raises
    ------
    InvalidInput
        The name has an ending, and it is none of `ENDINGS`.
    """
    ending = Path(path).suffix
    if ending and ending.lower() not in ENDINGS:
        raise InvalidInput(
            f"The name of output '{path}' must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}. "
            f"Got '{ending}'."
        )


def write_predictions(path: str | os.PathLike[str], columns: Mapping[str, npt.ArrayLike]) -> None:
    """Write columns as Parquet (.parquet), tab-separated (.tsv) or else CSV, whole or not at all.

    Numbers are written so that reading them gives the same float64 back.

    Parameters
    ----------
    columns
        Arrays of shape (m,) by name.

    Raises
    ------
    InvalidInput
        The arrays are not of one length, or `path` cannot be written.
    """
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise InvalidInput(
            f"The columns of predictions must be vectors of one length. Got shapes {list(shapes)}."
        )
    content = _content(pl.DataFrame(arrays), Path(path).suffix.lower())
    with replace_file(path) as file:
        file.write(content)


def _content(frame: pl.DataFrame, ending: str) -> bytes:
    if ending == ".parquet":
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()
    return frame.write_csv(separator="\t" if ending == ".tsv" else ",").encode()
