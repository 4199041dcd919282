"""A block that is wrong as a whole is told from single wrong entries, with kinks close by too."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbreak as sb
from symbreak.gradient_check import check_gradient
from symbreak.gradient_check.causes import Clues, cause_of
from symbreak.gradient_check.localisation import Entry, Located
from symbreak.gradient_check.parameter_groups import groups_of
from tests.gradient_check.conftest import Changed, cost_of

# What becomes of g beside theta, and the cause that may be named for it.
MISTAKES = {
    "twice": (lambda theta, g: 2.0 * g, "is 2 times"),
    "one percent": (lambda theta, g: 1.01 * g, "is 1.01 times"),
    "sign": (lambda theta, g: -g, "the wrong sign"),
    "zero": (lambda theta, g: 0.0 * g, "the gradient is zero"),
    "penalty": (lambda theta, g: g + 0.2 * theta, "0.2 theta more"),
}
NETS = [
    ("relu", "cross_entropy"),
    ("leaky_relu", "binary_cross_entropy"),
    ("tanh", "cross_entropy"),
    ("relu", "absolute_error"),
    ("sigmoid", "quantile"),
    ("tanh", "huber"),
]


def start_of(cost, seed):
    """Return a start with biases that are not zero."""
    return sb.initialize(cost.network, sb.rules.Uniform(epsilon=0.3), seed=seed)


def wrong_at(seed, activation, loss, choose, mistake):
    """Return the report on a net that is wrong at the chosen entries of a group of Theta1.

    Also the group, and the names of the entries whose derivative is not right.
    """
    cost = cost_of((4, 10, 3), activation, loss, seed=seed)
    theta = start_of(cost, seed)
    group, entries = choose(groups_of(cost.blocks, None, 0))

    def change(theta, gradient):
        gradient[..., entries] = mistake(theta, gradient)[..., entries]
        return gradient

    changed = Changed(cost, change)
    right, given = cost(theta)[1], changed(theta)[1]
    apart = np.abs(given - right)[entries]
    wrong = entries[apart > 1e-12 * np.abs(right).max()]
    names = {group.block.entry(int(index) - group.block.start) for index in wrong}
    return check_gradient(changed, theta), group, names


def assert_only(report, group):
    verdicts = {block.name: block.verdict for block in report.blocks}
    assert verdicts.pop(group.name) == "fail"
    assert set(verdicts.values()) == {"pass"}
    return next(block for block in report.blocks if block.name == group.name)


def assert_spread(seed, activation, loss, column, mistake, words):
    def whole(groups):
        return groups[column], groups[column].indices

    report, group, names = wrong_at(seed, activation, loss, whole, mistake)
    block = assert_only(report, group)
    assert block.is_spread, report
    assert set(block.wrong) <= names
    assert len(block.wrong) >= 3
    assert words in block.note, report


@pytest.mark.parametrize(("activation", "loss"), NETS)
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("column", [0, 1], ids=["biases", "weights"])
def test_a_part_that_is_wrong_as_a_whole_is_told_as_that(activation, loss, mistake, column):
    for seed in range(3):
        assert_spread(seed, activation, loss, column, *MISTAKES[mistake])


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("column", [0, 1], ids=["biases", "weights"])
def test_thirty_of_thirty_are_told(activation, mistake, column):
    for seed in range(30):
        assert_spread(seed, activation, "cross_entropy", column, *MISTAKES[mistake])


@pytest.mark.parametrize(("activation", "loss"), NETS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_wrong_entry_is_named_alone(activation, loss, mistake):
    change, words = MISTAKES[mistake]
    for seed in range(3):
        cost = cost_of((4, 10, 3), activation, loss, seed=seed)
        gradient = cost(start_of(cost, seed))[1]

        def one(groups, gradient=gradient):
            return groups[1], groups[1].indices[[int(np.abs(gradient[groups[1].indices]).argmax())]]

        report, group, names = wrong_at(seed, activation, loss, one, change)
        block = assert_only(report, group)
        assert (set(block.wrong), block.worst) == (names, *names)
        assert not block.is_spread
        if "theta" not in words:  # one entry cannot tell an excess of theta from a factor
            assert words in block.note, report


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("column", range(1, 5))
def test_a_column_of_many_is_a_sample_with_its_factor(activation, column):
    """Ten of forty entries are wrong: more than are searched for one by one."""

    def one_column(groups):
        return groups[1], groups[1].indices[column - 1 :: 4]

    report, group, names = wrong_at(column, activation, "cross_entropy", one_column,
                                   MISTAKES["twice"][0])  # fmt: skip
    block = assert_only(report, group)
    assert block.is_spread
    assert set(block.wrong) < names
    assert "in every wrong entry found, the gradient is 2 times" in block.note
    assert re.search(r"wrong, among others: Theta1\[\d, \d\]", str(report))


def test_every_entry_wrong_on_its_own_kink_is_told_as_a_whole():
    for n in (10, 200):
        report = check_gradient(lambda t: (np.abs(t).sum(), 0 * t + 3.0), np.zeros(n))
        assert (report.verdict, report.worst.is_spread) == ("fail", True)
        assert report.worst.wrong


@pytest.mark.parametrize(("are_all", "words"), [(True, "is 2 times"), (False, "")])
def test_one_entry_is_a_cause_only_where_all_others_are_right(are_all, words):
    found = Located((Entry(0, 2.0, 1.0, 1e-9, is_wrong=True),), is_spread=False, are_all=are_all)
    said = cause_of(found, Clues(None, np.ones(3), np.ones(3), (3,), 0))
    assert words in said
    assert bool(said) == are_all
