"""Containers of the user are rebuilt whatever their classes forbid, and left as they were."""

import types
from collections import OrderedDict, UserDict, defaultdict, deque

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from symbreak.modules.containers import mapped, mapped_tensors, tensors_of
from tests.modules.cost.containers import (
    Asking,
    Closed,
    Forbidding,
    Frozen,
    Graph,
    Movable,
    Registered,
    Slotted,
)

ONE, TWO = torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])


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
    inner, moved = [ONE], Movable(ONE)
    fresh = mapped([inner, moved], lambda leaf: leaf)
    fresh[0].clear()
    fresh[1].x = None
    assert inner == [ONE]
    assert moved.x is ONE


def test_errors_of_the_change_come_through():
    def refuse(_tensor):
        raise TypeError("no float64 here")

    with pytest.raises(TypeError, match="no float64 here"):
        mapped_tensors(Movable(ONE), refuse)
