"""Frozen parameters that the module writes by itself, such as the momentum encoder of MoCo or BYOL.

They are put back after each call, as buffers are: J depends on theta, not on the calls before. As
that takes a copy of all of them, it ends once it is known that no call writes any. An average of
trained parameters is not moved where it equals them, so a call that moves nothing tells only
that what the entries of theta that it changed are copied to is not written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from symbreak.parameters import Block


class Frozen:
    """The parameters of a module that theta does not hold.

    Attributes
    ----------
    are_written : whether a call has written one so far.
    """

    def __init__(self, module: nn.Module, blocks: Sequence[Block]) -> None:
        trained = {block.name for block in blocks}
        self._parameters = [
            p for name, p in module.named_parameters() if name not in trained and _is_plain(p)
        ]
        self._first: Tensor | None = None
        self._unmoved = list(blocks)  # the blocks of theta that were the same in all calls
        self.are_written = False

    @contextmanager
    def kept(self, theta: Tensor) -> Iterator[None]:
        """Give the parameters back what they held before a call with this theta (n,)."""
        if not self._parameters or not (self._unmoved or self.are_written):
            yield
            return
        with torch.inference_mode(False):
            had = [(p, p.data, p._version, p.detach().clone()) for p in self._parameters]
        try:
            yield
        finally:
            with torch.inference_mode(False):
                written = [_put_back(*each) for each in had]
                self.are_written |= any(written)
        self._learn(theta)

    def _learn(self, theta: Tensor) -> None:
        if self._first is None:
            self._first = theta.detach().clone()
        first = self._first
        self._unmoved = [b for b in self._unmoved if torch.equal(first[b.slice], theta[b.slice])]


def _is_plain(parameter: Tensor) -> bool:
    """Tell whether it has numbers of its own that can be copied and compared."""
    is_dense = parameter.layout == torch.strided and not parameter.is_meta
    return type(parameter) in (Tensor, nn.Parameter) and is_dense


def _put_back(parameter: Tensor, storage: Tensor, version: int, values: Tensor) -> bool:
    """Give a parameter back what it held; return whether it was written."""
    written = (
        parameter.data_ptr() != storage.data_ptr()
        or parameter._version != version
        # What is written through `.data` counts no version.
        or not torch.equal(storage, values)
    )
    if written:
        parameter.data = storage
        parameter.detach().copy_(values)
    return written
