"""What a page stores of numbers and words, and that no word gets out of its script element."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from symbreak.page import plain
from symbreak.page.to_json import island

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "&lt;",
    "'\"`",
    "a\u2028b\u2029",
]


@dataclass(frozen=True)
class Pair:
    first: float
    second: tuple[int, ...]


def test_floats_keep_four_digits_and_the_rest_stays():
    data = {"a": math.pi, 1: [1e-7 / 3, 12345.678], "n": 123456789, "yes": True, "none": None}
    found = plain(data)
    assert found == {
        "a": 3.142,
        "1": [3.333e-08, 12350.0],
        "n": 123456789,
        "yes": True,
        "none": None,
    }
    assert found["yes"] is True
    assert plain(math.pi, 2) == 3.1
    assert plain(math.pi, None) == math.pi


def test_arrays_and_dataclasses_become_lists_and_dictionaries():
    assert plain(np.array([[1, 2]])) == [[1, 2]]
    assert plain(np.float64(1 / 3)) == 0.3333
    assert plain(Pair(0.5, (1, 2))) == {"first": 0.5, "second": [1, 2]}


def test_tensors_become_lists(torch):
    assert plain(torch.tensor([1.0, math.inf])) == [1.0, "inf"]


def test_what_is_not_finite_becomes_a_word():
    assert plain([math.inf, -math.inf, math.nan]) == ["inf", "-inf", "nan"]


def test_json_reads_back_and_holds_nothing_that_ends_a_script():
    text = island(HOSTILE)
    assert json.loads(text) == HOSTILE
    assert not set(text) & set("<>&'\u2028\u2029")


def test_half_a_surrogate_can_be_written():
    island(["\ud800"]).encode("utf-8")
