"""The model file: arrays and plain settings in one safetensors file.

Layout: a safetensors file whose metadata has one entry, "symbreak", holding JSON:

    {"format": 1, "checksum": "<blake2b>", "settings": {...}}

The checksum covers the settings and, in the order of their names, every array's name, kind,
shape and bytes: a file that was changed anywhere is refused. Loading reads numbers and JSON and
executes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from symbreak.atomic import replace_file
from symbreak.errors import InvalidInput, InvalidType, SymbreakError

FORMAT = 1
_KEY = "symbreak"
_HEADER = ("format", "checksum", "settings")
_KINDS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
          "float16", "float32", "float64")  # fmt: skip

Arrays = dict[str, npt.NDArray[Any]]


def save_model(
    path: str | os.PathLike[str], arrays: Mapping[str, npt.NDArray[Any]], settings: dict[str, Any]
) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path
        Where to write; an older file is replaced only when the new one is complete.
    arrays
        Real or boolean arrays of any shape by name.
    settings
        Whatever JSON can hold (tuples come back as lists); floats come back bit-exactly.

    Raises
    ------
    InvalidInput
        `path` cannot be written, or an array's name cannot be stored.
    InvalidType
        An array is not of a plain kind, or the settings are not JSON.
    """
    from safetensors.numpy import save

    stored = {_checked_name(name): _stored(name, array) for name, array in arrays.items()}
    try:
        plain = json.loads(json.dumps(settings))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidType(f"Settings of a model must be plain JSON data. Got: {error}.") from error
    header = {"format": FORMAT, "checksum": _checksum(stored, plain), "settings": plain}
    content = save(stored, metadata={_KEY: json.dumps(header)})
    with replace_file(path) as file:
        file.write(content)


def load_model(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, Any]]:
    """Read a model file back, bit by bit as it was saved; executes no code from it.

    Returns
    -------
    (arrays, settings)

    Raises
    ------
    InvalidInput
        The file is missing, no model file, of another format version, truncated or altered.
    """
    header, settings, arrays = _read(path)
    if header.get("checksum") != _checksum(arrays, settings):
        raise _refused(path, "content that does not match its checksum: it was altered or damaged")
    return arrays, settings


@contextmanager
def content_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """A context of all that is made of what a model file says.

    Checksums tell damage; a file may be whole and yet say what cannot be.

    Raises
    ------
    InvalidInput
        Whatever was raised but errors of symbreak, in one sentence that names the file.
    """
    try:
        yield
    except SymbreakError:
        raise
    except Exception as error:
        raise _refused(path, "content that does not fit together") from error


def is_model_file(path: str | os.PathLike[str]) -> bool | None:
    """Tell whether a safetensors file says that it is a model file; None where none can be read.

    One whose entry of metadata has lost its name to damage is one too.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError):
        return None
    return _KEY in metadata or any(_is_header(text) for text in metadata.values())


def _is_header(text: str) -> bool:
    return all(f'"{name}":' in text for name in _HEADER)


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any], Arrays]:
    """Return header, settings and arrays; these only of a file that says it is a model file."""
    from safetensors import SafetensorError, safe_open

    if os.path.isdir(path):
        raise InvalidInput(f"Model '{path}' must be a file. Got a folder; name a file in it.")
    if not os.path.isfile(path):
        raise InvalidInput(f"Model '{path}' must be an existing file. Got none of that name.")
    try:
        with safe_open(path, framework="np") as file:
            header = _header(path, file.metadata())
            settings = _settings(path, header)
            names = file.keys()
            return header, settings, {name: file.get_tensor(name) for name in names}
    except InvalidInput:
        raise
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    # safetensors passes on what NumPy raises for kinds that NumPy does not know.
    except (SafetensorError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise _refused(path, str(error).splitlines()[0] if str(error) else "no content") from error


def _header(path: str | os.PathLike[str], metadata: object) -> dict[str, Any]:
    if not isinstance(metadata, dict) or _KEY not in metadata:
        raise _refused(path, "a safetensors file without symbreak's settings")
    try:
        header = json.loads(metadata[_KEY])
    except (ValueError, RecursionError) as error:
        raise _refused(path, "settings that cannot be read") from error
    if not isinstance(header, dict):
        raise _refused(path, "settings of another form")
    return header


def _settings(path: str | os.PathLike[str], header: dict[str, Any]) -> dict[str, Any]:
    version = header.get("format")
    if type(version) is not int or version != FORMAT:
        raise InvalidInput(
            f"Model '{path}' must be of format version {FORMAT}. Got {version!r}; "
            "read it with the symbreak release that wrote it."
        )
    settings = header.get("settings")
    if not isinstance(settings, dict):
        raise _refused(path, "settings of another form")
    return settings


def _checksum(arrays: Arrays, settings: dict[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=32)
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _stored(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = np.asarray(array)
    if array.dtype.name not in _KINDS:
        raise InvalidType(
            f"Array {name!r} of a model must hold real numbers or booleans. Got {array.dtype.name}."
        )
    # safetensors stores the memory as it lies: only rows-first, little-endian memory reads back.
    return np.array(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _checked_name(name: str) -> str:
    if name == "__metadata__" or not name.isprintable():
        raise InvalidInput(
            f"The name of an array of a model must be printable and not '__metadata__'. "
            f"Got {name!r}."
        )
    return name


def _refused(path: str | os.PathLike[str], found: str) -> InvalidInput:
    return InvalidInput(
        f"Model '{path}' must be a whole symbreak model file. Got: {found}; "
        "copy it again or train it again."
    )
