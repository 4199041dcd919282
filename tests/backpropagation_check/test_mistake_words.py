"""Every wrong stage has a fixed word, whatever the sentences say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.backpropagation_check import cause, diagnose
from symbreak.backpropagation_check.mistakes import LAST_RESORT, MISTAKES, Mistake
from tests.backpropagation_check import test_mistakes as made
from tests.backpropagation_check.learner import Learner, check, problem

PAGE = Path(__file__).parents[2] / "docs" / "checking-back-propagation.md"
KNOWN = [one for table in (MISTAKES, LAST_RESORT) for group in table.values() for one in group]
CASES = [
    (change, layer)
    for step, layer, formula, _ in made.FORWARD + made.BACKWARD
    for change in [{step: formula}]
]
CASES += [({"gradients": formula}, 2) for formula, _ in made.GRADIENTS]
CASES += [({"J": formula}, None) for formula, _ in made.COSTS]


def words():
    return {word for one in KNOWN for word in one.word.split("+")} | set(cause.OTHERS)


def facts(report):
    return [(one.name, one.verdict, one.mistake, one.depends_on) for one in report.stages]


@pytest.mark.parametrize("only", [None, ["gradients"]], ids=["all", "gradients"])
def test_no_verdict_and_no_word_is_read_out_of_a_sentence(only, monkeypatch):
    case = problem(made.TWO)
    told = [facts(check(case, change, at=layer, only=only)) for change, layer in CASES]
    for found in told:
        for _, verdict, word, _ in found:
            assert set(word.split("+")) <= (words() if verdict == "fail" else {""})
    monkeypatch.setattr(Mistake, "said_of", lambda *_: "what it says")
    monkeypatch.setattr(diagnose, "_NONE_FITS", "something else")
    assert told == [facts(check(case, change, at=layer, only=only)) for change, layer in CASES]


@pytest.mark.parametrize("order", ["F", "C"])
def test_the_order_of_a_vector_is_not_read_out_of_a_sentence(order, monkeypatch):
    net, theta, X, y = problem(made.ONE, "sigmoid", "binary_cross_entropy")
    learner = Learner(net, {"gradients": lambda me, k: me.m * me.right("gradients", k)})

    def unrolled(thetas, X, y, alpha):
        gradients = learner(thetas, X, y, alpha)["gradients"]
        return np.concatenate([one.ravel(order=order) for one in gradients])

    told = sb.check_backpropagation(unrolled, net, theta, X, y, 1.0)
    monkeypatch.setattr(diagnose, "_NONE_FITS", "something else")
    again = sb.check_backpropagation(unrolled, net, theta, X, y, 1.0)
    assert (facts(again), again.layout) == (facts(told), told.layout)
    assert told.first_wrong is not None
    assert told.first_wrong.mistake == "gradient_nothing_divided_by_m"


@pytest.mark.parametrize(
    ("formula", "word"),
    [
        (lambda me, k: 1.7 * me.right("delta", k), "unknown"),
        (lambda me, k: 0.0 * me.right("delta", k), "zero"),
        (lambda me, k: me.right("delta", k)[:1], "wrong_shape"),
        (made.below, "delta_without_slope"),
    ],
)
def test_the_words(formula, word):
    report = check(problem(made.ONE), {"delta": formula}, at=2, only=["delta"])
    assert report.first_wrong.mistake == word
    assert report.to_dict()["stages"][-3]["mistake"] == word


def test_words_of_what_lies_behind_a_wrong_stage():
    wrong = {"z": made.without_bias, "delta": lambda me, k: 1.7 * me.right("delta", k)}
    words = {one.name: one.mistake for one in check(problem(made.TWO), wrong, at=3).stages}
    assert words["z(2)"] == ""
    assert (words["z(3)"], words["a(3)"]) == ("z_without_bias", "follows")
    assert words["delta(3)"] == "behind_wrong_stage"


def test_two_mistakes_of_one_kind_have_two_words():
    for group in MISTAKES.values():
        sentences: dict[str, set[str]] = {}
        for one in group:
            sentences.setdefault(one.word, set()).add(one.sentence)
        twice = {word for word, said in sentences.items() if len(said) > 1}
        # Of the output the sentence also names y - a.
        assert twice <= {"delta_wrong_sign"}


def test_the_page_names_every_word_and_no_other():
    table = PAGE.read_text("utf-8").split("| where | words |")[1].split("## ")[0]
    named = re.findall(r"`([\w<>]+)`", table)
    shown = [
        word.replace("<g>", name)
        for word in named
        if word != "<g>"
        for name in (ACTIVATIONS if "<g>" in word else [""])
    ]
    shown = [word for word in shown if not word.endswith("_identity")]
    shown += [f"J_penalty_without_Theta{k}" for k in range(2, 6)]
    assert sorted(word for word in shown if word != "5") == sorted(words())
