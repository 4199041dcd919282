"""Containers as users and other packages write them."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from typing import Any

import torch
from torch.utils import _pytree


class Forbidding(OrderedDict[str, Any]):
    """As outputs of transformers: items are attributes too; update and pop are refused."""

    def __init__(self, **items):
        super().__init__()
        for key, value in items.items():
            super().__setitem__(key, value)
            object.__setattr__(self, key, value)

    def __setitem__(self, key, value):
        raise TypeError("no")

    def update(self, *_args, **_kwargs):
        raise TypeError("no")

    def pop(self, *_args):
        raise TypeError("no")

    __delitem__ = pop

    def __copy__(self):
        raise TypeError("no")


class Closed(Mapping[str, Any]):
    def __init__(self, items):
        self._items = items

    def __getitem__(self, key):
        return self._items[key]

    def __iter__(self):
        return iter(self._items)

    def __len__(self):
        return len(self._items)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: torch.Tensor
    twice: torch.Tensor = dataclasses.field(init=False)
    name: str = "kept"

    def __post_init__(self):
        object.__setattr__(self, "twice", 2 * self.x)


@dataclasses.dataclass(slots=True)
class Slotted:
    x: torch.Tensor


class Asking(namedtuple("Asking", "x label")):
    def __new__(cls, x):  # asks for less than it holds
        return super().__new__(cls, x, "label")


class Graph:
    """As batches of graphs: tensors are attributes, behind a store of its own."""

    def __init__(self, **store):
        self.__dict__["_store"] = store

    def __getattr__(self, name):
        store = self.__dict__.get("_store", {})
        if name not in store:
            raise AttributeError(name)
        return store[name]

    def __setattr__(self, name, value):
        self._store[name] = value


class Movable:
    """A class that only offers .to()."""

    def __init__(self, x):
        self.x = x

    def to(self, device):
        return Movable(self.x.to(device))


class Registered:
    def __init__(self, *parts):
        self._hidden = lambda: parts


_pytree.register_pytree_node(
    Registered, lambda data: (list(data._hidden()), None), lambda parts, _: Registered(*parts)
)
