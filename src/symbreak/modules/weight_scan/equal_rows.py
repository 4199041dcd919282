"""Which rows of a tensor, and which tensors, are equal bit by bit.

A row is the flat content at one index of the first axis. Its key are the bits of a few of its
entries, mixed; rows of different keys differ. Only where keys agree is the whole row looked at
again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.modules.diagnosis.tensor_stats import pieces

_WORD = 8  # bytes in the middle of a row that make its key: one line of the cache is touched
BYTES_PER_ROW = 64  # key, order and working copies, each of eight bytes
_MIX = 0x9E3779B97F4A7C15 - 2**64  # odd; spreads bits over the word (Knuth, vol. 3, 6.4)
Keys = np.ndarray[tuple[int], np.dtype[np.signedinteger[Any]]]
_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def equal_rows(tensor: Tensor, piece: int) -> tuple[tuple[int, ...], ...]:
    """Return the groups of two or more rows that are equal bit by bit, in order.

    Parameters
    ----------
    tensor : of two axes or more, dense in memory in any order of axes.
    piece : entries looked at in one go.
    """
    if tensor.dim() < 2 or tensor.shape[0] < 2 or not tensor.numel():
        return ()
    # Equal rows are equal in any order of the other axes; that of the memory needs no copy.
    inner = sorted(range(1, tensor.dim()), key=tensor.stride, reverse=True)
    rows = tensor.detach().permute(0, *inner).flatten(1)
    found = []
    for candidates in _agreeing(_keys(rows)):
        found += _groups((int(row), digest(rows[int(row)], piece)) for row in candidates)
    return tuple(sorted(found))


def digest(tensor: Tensor, piece: int) -> bytes:
    """Return a cryptographic hash of the tensor's bits; equal content, equal hash."""
    code = hashlib.blake2b(digest_size=16)
    for part in pieces(tensor.detach(), piece):
        code.update(_bits(part.contiguous()).cpu().numpy().data)
    return code.digest()


def _bits(tensor: Tensor) -> Tensor:
    return tensor.view(_INTEGERS[tensor.element_size()])


def _keys(rows: Tensor) -> Keys:
    words = _words(rows)
    key = words[:, 0].to("cpu", torch.int64, copy=True)
    for word in words.unbind(1)[1:]:
        key.mul_(_MIX).add_(word.cpu())
    return (key.mul_(_MIX) >> 32).to(torch.int32).numpy()


def _words(rows: Tensor) -> Tensor:
    """Return the bits in the middle of each row: one word where memory allows, or its entries."""
    size = rows.element_size()
    few = min(rows.shape[1], _WORD // size)
    first = (rows.shape[1] - few) // 2
    steps = (rows.shape[1], rows.stride(0), rows.storage_offset())
    if rows.stride(1) == 1 and all(step * size % _WORD == 0 for step in steps):
        middle = first // few
        return rows.view(torch.int64)[:, middle : middle + 1]
    return _bits(rows[:, first : first + few].contiguous())


def _agreeing(keys: Keys) -> list[Keys]:
    """Return the groups of two or more rows of one key."""
    ordered = np.sort(keys)
    shared = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(shared):
        return []
    rows = np.flatnonzero(np.isin(keys, shared))
    rows = rows[np.argsort(keys[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(keys[rows])) + 1)


def _groups(coded: Iterable[tuple[int, bytes]]) -> list[tuple[int, ...]]:
    by_code: defaultdict[bytes, list[int]] = defaultdict(list)
    for row, code in coded:
        by_code[code].append(row)
    return [tuple(sorted(rows)) for rows in by_code.values() if len(rows) > 1]
