"""Reading NPZ and MAT files: arrays by name become columns.

A matrix X of shape (m, n) gives the columns X[0] ... X[n-1], rows being examples; a vector of m
values, also (m, 1) or (1, m), gives one column of its own name. m is the number of rows of X if
there is such a matrix, else that of the array with the most values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile, is_zipfile

import numpy as np
import numpy.typing as npt
import polars as pl

from symbreak.errors import InvalidInput
from symbreak.tables.table import refuse_repeated

Array = npt.NDArray[Any]
_UNPACKED, _TIMES = 1 << 30, 100  # bytes that are always taken; size in memory to that of the file
_MAT_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_npz(path: Path) -> pl.DataFrame:
    """Read the arrays of an NPZ file; pickled objects are refused, unread.

    Raises
    ------
    InvalidInput
        An array cannot be columns of one table.
    """
    if not is_zipfile(path):
        raise InvalidInput(
            f"Data file '{path}' must be an NPZ file, arrays by name. Got other bytes; "
            "write it with numpy.savez."
        )
    _refuse_unpacking(path)
    with np.load(path, allow_pickle=False) as content:
        return _frame({name: content[name] for name in content.files}, path.name)


def _refuse_unpacking(path: Path) -> None:
    """Refuse arrays that take far more memory than their file, by what its headers say of them."""
    most = max(_UNPACKED, _TIMES * path.stat().st_size)
    with ZipFile(path) as archive:
        for part in archive.infolist():
            with archive.open(part) as file:
                declared = max(part.file_size, _declared(file))
            most -= declared
            if most < 0:
                raise InvalidInput(
                    f"Data file '{path}' must not unpack to more than {_TIMES} times its size. Got "
                    f"array '{part.filename.removesuffix('.npy')}' of {declared / 1e9:.3g} GB; "
                    "write it with numpy.savez, which does not compress."
                )


def _declared(file: IO[bytes]) -> int:
    """Return the bytes that the header of an array asks for; none where it is no array."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0,
               (2, 0): np.lib.format.read_array_header_2_0}  # fmt: skip
    try:
        shape, _, dtype = readers[np.lib.format.read_magic(file)](file)
    except (ValueError, KeyError):
        return 0  # numpy says so, or reads no more of it than there is
    return math.prod(shape) * dtype.itemsize


def read_mat(path: Path) -> pl.DataFrame:
    """Read the variables of a MAT file (version 4 to 7.2).

    Raises
    ------
    InvalidInput
        The file is of version 7.3, or a variable cannot be columns of one table.
    """
    from scipy.io import loadmat

    with path.open("rb") as file:
        start = file.read(520)
    # Version 7.3 is HDF5, with or without a block of 512 bytes in front.
    if _MAT_HDF5 in (start[:8], start[512:]):
        raise InvalidInput(
            f"Data file '{path}' must be a MAT file of version 7.2 or older. Got version 7.3 "
            "(HDF5); save it again with save(..., '-v7')."
        )
    content = loadmat(str(path), appendmat=False)
    arrays = {name: value for name, value in content.items() if not name.startswith("__")}
    return _frame({name: _cell_text(value) for name, value in arrays.items()}, path.name)


def _cell_text(value: Any) -> Any:
    """Turn a cell array of words into an array of words; leave everything else alone."""
    if not isinstance(value, np.ndarray) or value.dtype != object:
        return value
    cells = [np.asarray(cell) for cell in value.ravel()]
    if not all(cell.dtype.kind == "U" and cell.size <= 1 for cell in cells):
        return value
    return np.array([str(cell.item()) if cell.size else "" for cell in cells])


def _frame(arrays: Mapping[str, Any], source: str) -> pl.DataFrame:
    plain = {name: _plain(name, value, source) for name, value in arrays.items()}
    if not plain:
        raise InvalidInput(f"Data file '{source}' must hold arrays. Got none.")
    rows = _n_rows(plain)
    columns = [
        column for name, array in plain.items() for column in _columns(name, array, rows, source)
    ]
    refuse_repeated((name for name, _ in columns), source)
    return pl.DataFrame(dict(columns))


def _plain(name: str, value: Any, source: str) -> Array:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufUSM":
        kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise InvalidInput(
            f"Array '{name}' of '{source}' must be a dense array of real numbers, text or "
            f"booleans. Got {kind}; save the file without it."
        )
    if value.dtype.kind == "S":
        value = np.char.decode(value, "utf-8")
    if value.dtype.kind == "f" and value.dtype.itemsize not in (4, 8):
        value = value.astype(np.float64)
    return np.atleast_1d(value)


def _n_rows(arrays: Mapping[str, Array]) -> int:
    matrix = arrays.get("X")
    if matrix is not None and matrix.ndim == 2 and matrix.shape[1] > 1:
        return int(matrix.shape[0])
    largest = max(arrays.values(), key=lambda array: array.size)
    return int(largest.size if _is_vector(largest) else largest.shape[0])


def _is_vector(array: Array) -> bool:
    return array.ndim == 1 or (array.ndim == 2 and 1 in array.shape)


def _columns(name: str, array: Array, rows: int, source: str) -> Iterable[tuple[str, Array]]:
    if array.size == rows and _is_vector(array):
        return [(name, array.ravel())]
    if array.ndim == 2 and array.shape[0] == rows:
        return [(f"{name}[{j}]", array[:, j]) for j in range(array.shape[1])]
    raise InvalidInput(
        f"Array '{name}' of '{source}' must have {rows} rows, as the other arrays, and at most "
        f"two dimensions. Got shape {array.shape}; save the file without it."
    )
