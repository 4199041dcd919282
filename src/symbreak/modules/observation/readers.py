"""Which values a parameter is applied to later, directly or through functions without parameters.

What units give out is read by a later layer; a margin or penalty of a loss is reduced to one
number, and no parameter is applied to it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from symbreak.modules.containers import tensors_in


class Readers:
    """Follows values through one pass until a parameter meets them."""

    def __init__(self) -> None:
        self.met: set[int] = set()
        # Tensors are held, so that no other can get their identity.
        self._carried: dict[int, tuple[Tensor, set[int]]] = {}

    def start(self, number: int, value: Tensor) -> None:
        """Follow a value under a number; `met` has it once a parameter was applied."""
        self._carry(value, {number})

    def follow(self, arguments: Iterable[Any], output: Any, used: Sequence[str]) -> None:
        """Take note of a call and of the parameters that it used."""
        known = (self._carried.get(id(tensor)) for tensor in tensors_in(arguments))
        numbers = {number for each in known if each for number in each[1]} - self.met
        if used:
            self.met |= numbers
        elif numbers:
            for result in tensors_in([output]):
                self._carry(result, numbers)

    def _carry(self, value: Tensor, numbers: set[int]) -> None:
        if value.dim():  # one number is no layer's units
            before = self._carried.get(id(value), (value, set()))[1]
            self._carried[id(value)] = value, before | numbers
