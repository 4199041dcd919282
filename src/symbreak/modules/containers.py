"""Containers of tensors, in each other, and the map over the tensors in them.

A container is rebuilt as a fresh one, beneath the rules that its class may have:

    dict, list, tuple and their classes    item by item, also where they forbid `update`
    types registered with torch's pytree   by the functions that they were registered with
    objects that keep tensors              attribute by attribute, in a shallow copy: dataclasses
                                           (frozen ones too), other mappings, batches of graphs,
                                           caches, distributions

All else is a leaf: modules, optimisers, arrays, sets, iterators, objects without tensors, and what
refuses to be rebuilt. What stands in several places is changed once and stands in all of them.
"""

from __future__ import annotations

import copy
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils import _pytree

_DICTIONARIES: tuple[Any, ...] = (OrderedDict, defaultdict, dict)
_NO_CONTAINERS = (nn.Module, Optimizer, type)
_MADE_AT_RUN_TIME = 1 << 9  # the flag Py_TPFLAGS_HEAPTYPE: classes, but not functions and modules


def mapped(data: Any, change: Callable[[Any], Any]) -> Any:
    """Return the same containers, fresh ones, with every leaf changed."""
    return _Walk(change)(data)


def mapped_tensors(data: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return the same containers, fresh ones, with every tensor changed."""
    return mapped(data, lambda leaf: change(leaf) if isinstance(leaf, Tensor) else leaf)


def tensors_of(data: Any) -> Iterator[Tensor]:
    """Yield all tensors, each once."""
    tensors: list[Tensor] = []
    mapped_tensors(data, lambda tensor: tensors.append(tensor) or tensor)  # type: ignore[func-returns-value]
    yield from tensors


def tensors_in(values: Iterable[Any]) -> Iterator[Tensor]:
    """Yield the tensors among arguments, also those in lists and tuples."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


class _Walk:
    """One walk through containers."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change
        # By identity: what was met (held, so that no other gets its identity), what became of it,
        # and how many tensors it holds.
        self._met: dict[int, tuple[Any, Any, int]] = {}
        self._tensors = 0

    def __call__(self, data: Any) -> Any:
        """Return what `data` becomes."""
        if id(data) in self._met:
            self._tensors += self._met[id(data)][2]
        else:
            self._met[id(data)] = (data, data, 0)  # for what stands within itself
            before = self._tensors
            fresh = self._fresh(data)
            self._met[id(data)] = (data, fresh, self._tensors - before)
        return self._met[id(data)][1]

    def _fresh(self, data: Any) -> Any:
        if isinstance(data, Tensor):
            self._tensors += 1
            return self._change(data)
        if isinstance(data, dict | list | tuple):
            return self._of_items(data)
        registered = _pytree.SUPPORTED_NODES.get(type(data))
        if registered is not None:
            return self._of_registered(data, registered)
        has_own = type(data).__flags__ & _MADE_AT_RUN_TIME or isinstance(data, SimpleNamespace)
        if has_own and not isinstance(data, _NO_CONTAINERS):
            return self._of_attributes(data)
        return self._change(data)

    def _of_items(self, data: Any) -> Any:
        if isinstance(data, dict):
            fresh = _filled(data, {key: self(value) for key, value in dict.items(data)})
        else:
            fresh = _sequence(data, [self(value) for value in data])
        for name, value in _attributes(data).items():
            _set(fresh, name, self(value))
        return fresh

    def _of_registered(self, data: Any, registered: Any) -> Any:
        try:
            values, context = registered.flatten_fn(data)
        except Exception:  # whatever the user's code raises
            return self._change(data)
        values = [self(value) for value in values]
        try:
            return registered.unflatten_fn(values, context)
        except Exception:
            return self._change(data)

    def _of_attributes(self, data: Any) -> Any:
        before = self._tensors
        values = {name: self(value) for name, value in _attributes(data).items()}
        if self._tensors == before:
            return self._change(data)
        try:
            fresh = copy.copy(data)
        except Exception:  # whatever the user's code raises
            return self._change(data)
        if fresh is data:
            return self._change(data)
        for name, value in values.items():
            _set(fresh, name, value)
        return fresh


def _filled(data: dict[Any, Any], values: dict[Any, Any]) -> Any:
    """Return a dictionary of the class of `data`, by the methods of the built-in one."""
    kind = next(kind for kind in _DICTIONARIES if isinstance(data, kind))
    fresh = kind.__new__(type(data))
    if isinstance(data, defaultdict):
        fresh.default_factory = data.default_factory
    for key, value in values.items():
        kind.__setitem__(fresh, key, value)
    return fresh


def _sequence(data: Any, values: list[Any]) -> Any:
    if isinstance(data, list):
        fresh: list[Any] = list.__new__(type(data))
        list.extend(fresh, values)
        return fresh
    try:
        return tuple.__new__(type(data), values)  # a class of it may ask for something else
    except TypeError:  # one that was made in C, such as what torch.max returns
        return type(data)(values)


def _attributes(data: Any) -> dict[str, Any]:
    """Return the attributes that an object has of its own, those in slots too."""
    named = dict(getattr(data, "__dict__", {}))
    for home in type(data).__mro__:
        slots = vars(home).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(data, name):
                named[name] = getattr(data, name)
    return named


def _set(fresh: Any, name: str, value: Any) -> None:
    """Set an attribute beneath the rules of a class, such as those of a frozen one."""
    own = getattr(fresh, "__dict__", {})
    if name in own or not hasattr(type(fresh), name):
        own[name] = value
    else:
        object.__setattr__(fresh, name, value)
