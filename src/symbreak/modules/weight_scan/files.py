"""Named tensors of a state dict or a file, without loading the file and without running its code.

A safetensors file is mapped, not read: a tensor is a view of the mapping, and a page of the file
is in memory while it is looked at; the system takes it back when it needs room. Files of
`torch.save` are opened by `torch.load(weights_only=True, mmap=True)`, which builds tensors and
plain containers and refuses everything else.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from symbreak.errors import InvalidInput, InvalidType

PICKLED = (".pt", ".pth", ".bin", ".ckpt")


class Source:
    """Names and tensors; `tensor(name)` is a view wherever the source allows it."""

    def __init__(self, names: list[str], read: Callable[[str], Tensor]) -> None:
        self.names = names
        self._read = read

    def tensor(self, name: str) -> Tensor:
        """Return the tensor of that name, detached."""
        tensor: Tensor = self._read(name)
        return tensor.detach()


@contextmanager
def opened(weights: Any) -> Iterator[Source]:
    """Open a path or a mapping of names to tensors.

    Raises
    ------
    InvalidInput
        The file is missing, no such file, cut off or would need code to be run.
    InvalidType
        `weights` is neither a path nor a mapping of names to tensors.
    """
    if isinstance(weights, Mapping):
        yield _of_mapping(weights, "weights")
    elif not isinstance(weights, str | os.PathLike):
        raise InvalidType(
            "weights of scan_weights must be a path or a mapping of names to tensors. "
            f"Got {type(weights).__name__}."
        )
    elif os.fspath(_existing(weights)).lower().endswith(PICKLED):
        yield _of_mapping(_unpickled(weights), f"content of '{os.fspath(weights)}'")
    else:
        with _safetensors(weights) as file:
            yield Source(list(file.keys()), file.get_tensor)


def _existing(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    if os.path.isfile(path):
        return path
    got = "a folder" if os.path.isdir(path) else "none of that name"
    raise InvalidInput(f"Weights '{path}' must be an existing file. Got {got}.")


def _of_mapping(mapping: Mapping[Any, Any], what: str) -> Source:
    tensors = _untied(_flat(mapping, ""))
    if not tensors:
        raise InvalidInput(f"The {what} must hold tensors by name. Got none.")
    return Source(list(tensors), tensors.__getitem__)


def _untied(named: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Return each tensor under the first of its names; tied ones share all of their memory."""
    places, kept = set(), {}
    for name, tensor in named:
        real = not tensor.is_meta and tensor.layout is torch.strided and tensor.numel() > 0
        seen = tensor.dtype, tensor.shape, tensor.stride()
        place: Any = (tensor.data_ptr(), *seen) if real else id(tensor)
        if name in kept:
            raise InvalidInput(f"Names of weights must be distinct. Got {name!r} twice.")
        if place not in places:
            places.add(place)
            kept[name] = tensor
    return kept


def _flat(mapping: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for key, value in mapping.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield from _flat(dict(enumerate(value)), f"{prefix}{key}.")


def _unpickled(path: str | os.PathLike[str]) -> Mapping[Any, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise InvalidInput(
            f"Weights '{path}' must hold tensors alone. Got a pickle that would run code; "
            "save model.state_dict() as a safetensors file."
        ) from error
    except (RuntimeError, ValueError, EOFError, OSError) as error:
        raise InvalidInput(
            f"Weights '{path}' must be a whole file of torch.save, in its zip format. Got another "
            f"({type(error).__name__}); save model.state_dict() anew."
        ) from error
    if isinstance(content, Mapping):
        return content
    raise InvalidInput(
        f"Weights '{path}' must hold a state dict. Got {type(content).__name__}; "
        "save model.state_dict()."
    )


@contextmanager
def _safetensors(path: str | os.PathLike[str]) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        file = safe_open(path, framework="pt")
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise _refused(path, error) from error
    with file as entered:
        yield entered


def _refused(path: str | os.PathLike[str], error: Exception) -> InvalidInput:
    reason = str(error).splitlines()[0] if str(error) else "no content"
    return InvalidInput(
        f"Weights '{path}' must be a whole safetensors file. Got: {reason}; "
        "copy it again or save it anew."
    )
