"""Charts place numbers where they belong, say what they are told, and run nothing."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from symbreak.reports.charts.gradient import gradient_blocks
from symbreak.reports.charts.iterations import cost_curves
from symbreak.reports.charts.search import candidates
from symbreak.reports.charts.signals import signals
from symbreak.reports.charts.starts import final_costs
from symbreak.reports.svg import BOTTOM, HEIGHT, TOP, AxisScale, Chart, axis_limit


def classes(made):
    return re.findall(r'<(?:circle|polyline) class="(.*?)"', "".join(made.marks))


def chart(x=(0.0, 10.0), y=(1.0, 100.0)):
    return Chart.of("a <label>", ("x & x", "linear", x), ("y", "log", y))


@pytest.mark.parametrize(
    ("kind", "numbers", "at", "share"),
    [
        ("linear", [2.0, 6.0], 3.0, 0.25),
        ("count", [0.0, 4.0], 1.0, 0.25),
        ("log", [1.0, 10_000.0], 10.0, 0.25),
        ("log1p", [0.0, 15.0], 1.0, 0.25),
        ("log", [-1.0, 0.0, 1.0, math.inf, 100.0], 10.0, 0.5),
        ("linear", [math.nan, 1.0, 3.0, -math.inf], 2.0, 0.5),
    ],
)
def test_a_number_lies_where_its_scale_says(kind, numbers, at, share):
    scale = AxisScale.over(kind, numbers, 100.0, 200.0)
    assert scale(at) == pytest.approx(100 + 100 * share)


@pytest.mark.parametrize("kind", ["linear", "count", "log", "log1p"])
@pytest.mark.parametrize("numbers", [[], [3.0], [0.0, 0.0], [1e-300, 1e300], [0.2441, 0.24410001]])
def test_every_scale_can_be_drawn(kind, numbers):
    scale = AxisScale.over(kind, numbers, 0.0, 1.0)
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks())
    assert len(set(scale.ticks())) == len(scale.ticks()) <= 12


def test_points_that_are_no_place_are_left_out():
    made = chart()
    made.dots([(1.0, 10.0), (math.nan, 10.0), (1.0, math.inf), (1.0, 0.0), (1.0, -5.0)], "dot")
    assert len(made.marks) == 1
    x, y = re.findall(r'c[xy]="([\d.]+)"', made.marks[0])
    assert float(x) == pytest.approx(0.9 * made.x.begin + 0.1 * made.x.end, abs=0.06)
    assert float(y) == pytest.approx((TOP + HEIGHT - BOTTOM) / 2, abs=0.06)


def test_words_are_text_and_nothing_else():
    made = chart()
    evil = "</title><script>alert(1)</script>"
    made.dots([(1.0, 2.0)], "dot", [evil])
    made.line([(1.0, 2.0), (2.0, 3.0)], "line", evil)
    root = ElementTree.fromstring(str(made))
    assert [one.text for one in root.iter("title")] == [evil, evil]
    assert not list(root.iter("script"))
    assert root.get("aria-label") == "a <label>"


def test_labels_of_ticks_tell_them_apart():
    made = Chart.of("l", ("x", "linear", [0, 1]), ("y", "linear", [0.244086, 0.244096]))
    words = [one.text for one in ElementTree.fromstring(str(made)).iter("text")]
    assert len(set(words)) == len(words)


def test_the_chosen_curve_is_drawn_last_and_alone_is_thick():
    lines = [{"start": n, "iterations": [0, 1], "J": [2.0, 1.0 + n]} for n in range(3)]
    made = cost_curves({"chosen": 1, "lines": lines, "of_starts": 3})
    assert made is not None
    assert not made.is_cut
    assert ["chosen" in mark for mark in made.marks] == [False, False, True]
    assert "start 1: J 2" in made.marks[-1]


@pytest.mark.parametrize(
    ("J", "top"), [([2.0, 1.0, 1e90, math.inf], 200.0), ([-2.0, -5.0, 9e307], 4.0)]
)
def test_a_curve_that_leaps_away_is_drawn_at_the_upper_edge_and_says_so(J, top):
    line = {"start": 0, "iterations": [*range(len(J))], "J": J, "kept": [1, J[1]]}
    made = cost_curves({"chosen": 0, "lines": [line], "of_starts": 1})
    assert made is not None
    assert made.is_cut
    assert (made.y.low, made.y.high) == (J[1], top)
    assert f"J {J[2]:.5g}" in made.marks[0]  # the words are true to the number
    assert float(re.findall(r"[\d.]+,([\d.]+)", made.marks[0])[2]) == TOP
    x, y = (float(one) for one in re.findall(r'c[xy]="([\d.]+)"', made.marks[1]))
    assert x == pytest.approx(made.x(1.0), abs=0.06)
    assert y == HEIGHT - BOTTOM


@pytest.mark.parametrize(
    ("lines", "log", "wanted"),
    [
        ([[2.0, 1.0], [3.0, 0.1]], True, 300.0),
        ([[1e307, 1.0]], True, float(np.finfo(float).max)),
        ([[2.0, -1.0]], False, 8.0),
        ([[2.0], [1.0, -1.0]], False, 8.0),
        ([[2.0, 3.0]], False, float(np.finfo(float).max)),
        ([[-1.0, -1.7e308]], False, float(np.finfo(float).max)),
    ],
)
def test_the_axis_of_j_ends_where_the_starts_are_still_seen(lines, log, wanted):
    assert axis_limit(lines, log=log) == pytest.approx(wanted, rel=1e-12)


def test_a_layer_without_spread_is_an_open_dot_at_the_lower_edge():
    layers = [
        {"layer": 2, "a": [0.0, 0.0, 0.0], "delta": [0.0, 0.1, 0.2]},
        {"layer": 3, "a": [0.3, 0.4, 0.5], "delta": [0.5, 0.5, 0.5]},
    ]
    made = signals({"layers": layers})
    assert made.is_cut
    dots = re.findall(r'class="(dot.*?)" cx=".*?" cy="(.*?)"', "".join(made.marks))
    assert [css for css, _ in dots] == ["dot open", "dot g1", "dot g2", "dot g2"]
    assert float(dots[0][1]) == HEIGHT - BOTTOM
    assert "layer 2: a spreads by 0<" in made.marks[1]


def test_where_nothing_is_finite_there_is_no_chart():
    lines = [{"start": 0, "iterations": [0], "J": ["inf"]}, {"start": 1, "iterations": [], "J": []}]
    assert cost_curves({"chosen": 0, "lines": lines, "of_starts": 2}) is None
    starts = [{"start": n, "J": "inf", "status": "s"} for n in range(3)]
    assert final_costs({"minima": []}, starts) is None
    assert final_costs({"minima": []}, [{"start": 0, "J": 1.0, "status": "s"}]) is None


@pytest.mark.parametrize("numbers", [[0.0, 1.0], [0.24391, 0.24392], [1e-300, 1e-299]])
def test_there_is_room_for_the_ticks(numbers):
    made = Chart.of("l", ("x", "linear", [0, 1]), ("y", "linear", numbers))
    longest = max(len(words) for words in re.findall(r'"end">(.*?)<', str(made)))
    assert made.x.begin - 7 >= 10.5 * longest  # half of 19 pixels, and some, for each letter


def test_starts_at_one_minimum_have_one_colour():
    starts = [{"start": n, "J": J, "status": "s"} for n, J in ((2, 1.0), (0, 1.0), (1, 3.0))]
    minima = [{"J": 1.0, "starts": [0, 2], "count": 2}]
    made = final_costs({"minima": minima}, starts)
    assert made is not None
    assert classes(made) == [
        "dot g1", "dot g1", "dot open",
    ]  # fmt: skip


def test_a_failed_block_stands_out():
    blocks = [{"block": "<b>", "verdict": word, "relative_error": 0.5, "bar": "nan"}
              for word in ("pass", "fail")]  # fmt: skip
    made = gradient_blocks({"blocks": blocks})
    assert classes(made) == ["dot g3", "dot g2 big"]


@pytest.mark.parametrize(
    "settings",
    [[{"a": "tanh"}, {"a": "relu"}], [{"a": None}, {"a": 1}], [{"a": 1, "b": 2}, {"a": 2, "b": 2}]],
)
def test_a_search_over_words_or_two_settings_has_no_chart(settings):
    rows = [
        {"settings": one, "mean": 0.5, "spread": None, "taken": False, "rank": 1}
        for one in settings
    ]
    assert candidates({"candidates": rows, "score": "score"}) is None
