"""Containers of the user are rebuilt whatever their classes forbid, and left as they were."""

import dataclasses
import types
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from collections.abc import Mapping

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence
from torch.utils import _pytree

from symbreak.objectives.containers import mapped, mapped_tensors, tensors_of

ONE, TWO = torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])


class Forbidding(OrderedDict):
    """As outputs of transformers: items are attributes too; update, pop and deletion are refused."""

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


class Closed(Mapping):
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
FORMS = {
    "dictionary": ({"a": ONE, "b": [TWO]}, lambda d: (d["a"], d["b"][0])),
    "ordered": (OrderedDict(a=ONE, b=TWO), lambda d: (d["a"], d["b"])),
    "forbidding": (Forbidding(a=ONE, b=TWO), lambda d: (d.a, d["b"])),
    "user's mapping": (UserDict(a=ONE, b=TWO), lambda d: (d["a"], d["b"])),
    "closed mapping": (Closed({"a": ONE, "b": TWO}), lambda d: (d["a"], d["b"])),
    "frozen dataclass": (Frozen(ONE), lambda d: (d.x, d.twice)),
    "slotted dataclass": (Slotted(ONE), lambda d: (d.x,)),
    "named tuple": (Asking(ONE), lambda d: (d.x,)),
    "returned by torch": (torch.max(torch.eye(2), 0), lambda d: (d.values,)),
    "packed": (pack_sequence([ONE, ONE[:1]]), lambda d: (d.data,)),
    "queue": (deque([ONE, TWO], maxlen=2), lambda d: tuple(d)),
    "graph": (Graph(x=ONE, edge=TWO), lambda d: (d.x, d.edge)),
    "with to": (Movable(ONE), lambda d: (d.x,)),
    "namespace": (types.SimpleNamespace(x=ONE, inner=Movable(TWO)), lambda d: (d.x, d.inner.x)),
    "registered": (Registered(ONE, TWO), lambda d: d._hidden()),
    "distribution": (torch.distributions.Normal(ONE, ONE), lambda d: (d.loc, d.scale)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_tensor_is_changed_and_the_given_container_is_not(form):
    data, parts = FORMS[form]
    before = [part.clone() for part in parts(data)]
    fresh = mapped_tensors(data, lambda t: t + 10)
    assert type(fresh) is type(data)
    assert fresh is not data
    for was, part, old in zip(before, parts(fresh), parts(data), strict=True):
        assert torch.equal(part, was + 10)
        assert torch.equal(old, was)
    given = {id(part) for part in parts(data)}
    assert given <= {id(tensor) for tensor in tensors_of(data)}


def test_what_is_no_tensor_stays():
    frozen = mapped_tensors(Frozen(ONE), lambda t: t + 1)
    assert frozen.name == "kept"
    assert mapped_tensors(Asking(ONE), lambda t: t + 1).label == "label"
    assert mapped_tensors(deque([ONE], maxlen=2), torch.clone).maxlen == 2
    factory = mapped_tensors(defaultdict(list, a=ONE), lambda t: t + 1)
    assert factory["absent"] == []


def test_a_tensor_in_two_places_is_changed_once():
    calls = []
    fresh = mapped_tensors({"a": ONE, "b": [ONE]}, lambda t: calls.append(t) or t + 1)
    assert len(calls) == 1
    assert fresh["a"] is fresh["b"][0]


def test_leaves_are_handed_over_as_they_are():
    class Holder:
        def __init__(self):
            self.words = ["a"]

    leaves = [nn.Linear(1, 1), Holder(), iter([ONE]), {1, 2}, len, int, None, "word", 3]
    fresh = mapped_tensors(leaves, lambda t: t + 1)
    assert all(one is other for one, other in zip(fresh, leaves, strict=True))


def test_what_refuses_to_be_rebuilt_is_a_leaf():
    class Single:
        def __init__(self):
            self.x = ONE

        def __copy__(self):
            raise TypeError("one only")

    single = Single()
    assert mapped_tensors([single], lambda t: t + 1)[0] is single
    assert torch.equal(single.x, torch.tensor([1.0, 2.0]))


def test_what_stands_within_itself_ends():
    ring = types.SimpleNamespace(x=ONE)
    ring.ring = ring
    assert torch.equal(mapped_tensors(ring, lambda t: t + 1).x, ONE + 1)


def test_containers_are_fresh_where_nothing_changes():
    data = {"a": [ONE], "b": Movable(ONE)}
    fresh = mapped(data, lambda leaf: leaf)
    fresh["a"].clear()
    fresh["b"].x = None
    assert data["a"][0] is ONE
    assert data["b"].x is ONE


def test_errors_of_the_change_come_through():
    def refuse(_tensor):
        raise TypeError("no float64 here")

    with pytest.raises(TypeError, match="no float64 here"):
        mapped_tensors(Movable(ONE), refuse)
