"""`symbreak train --search` chooses the penalty on the training rows and says so."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np

import symbreak as sb
from symbreak.tables.datasets import load_dataset
from symbreak.training.choosing import choose_alpha
from symbreak.training.data_split import DataSplit
from tests.reports.conftest import island_of

FEW = ("--starts", 2, "--hidden", 3, "--max-iter", 15)


def test_the_penalty_is_chosen_on_the_training_rows(run, tmp_path):
    ran = run("train", "--dataset", "iris", "--search", "--json", tmp_path / "all.json", *FEW)
    assert ran.code == 0, ran.err
    said = re.search(
        r"Search: alpha (\S+) of 8 from 0.0001 to 1000; its log-loss over 5 folds of the training "
        r"rows, (\S+), is the lowest and chose it. The hold-out score is apart from this.",
        " ".join(ran.out.split()),
    )
    assert said is not None
    split = DataSplit.of(load_dataset("iris")[0], "target")
    choice = choose_alpha(sb.Network((4, 3, 3), "tanh", split.loss), *split.train, max_iter=15)
    assert float(said[1]) == choice.alpha
    assert said[2] == f"{choice.score:.4f}"
    written = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert written["search"] == choice.as_dict()
    assert written["settings"]["alpha"] == choice.alpha
    assert f"alpha {choice.alpha:g}, float64" in " ".join(ran.out.split())


def test_the_page_shows_the_penalties_and_their_scores(run, tmp_path):
    page, numbers = tmp_path / "page.html", tmp_path / "all.json"
    ran = run("train", "--dataset", "iris", "--search", "--report", page, "--json", numbers, *FEW)
    assert ran.code == 0, ran.err
    found = island_of(page.read_text("utf-8"))["search"]
    known = json.loads(numbers.read_text("utf-8"))["search"]
    shown = {row["settings"]["alpha"]: row["mean"] for row in found["candidates"]}
    assert shown == dict(zip(known["alphas"], known["scores"], strict=True))
    assert found["candidates"][0]["settings"]["alpha"] == known["alpha"]
    assert (found["score"], found["folds"]) == ("log-loss", known["folds"])


def test_where_the_score_is_low_cross_validation_is_proposed(run, tmp_path):
    """The usual penalty of regression flattens a wave of few rows; another one follows it."""
    x = np.linspace(-3, 3, 80)
    rows = "\n".join(f"{a},{np.sin(2 * a)}" for a in x)
    (tmp_path / "wave.csv").write_text(f"x,y\n{rows}\n")
    words = ("train", tmp_path / "wave.csv", "--target", "y", "--starts", 4, "--max-iter", 200)
    ran = " ".join(run(*words).out.split())
    assert "The hold-out R2 is " in ran
    proposed = re.search(r"cross-validation chooses one with: symbreak (train .*? --search)", ran)
    assert proposed is not None
    better = " ".join(run(*shlex.split(proposed[1])).out.split())
    assert "The hold-out R2 is " not in better
    score = re.search(r"average of 4 starts: R2 (\S+),", better)
    assert score is not None
    assert float(score[1]) > 0.9
    assert "The hold-out" not in run("train", "--dataset", "iris", *FEW).out


def test_a_given_penalty_beside_it_is_refused(run):
    ran = run("train", "--dataset", "iris", "--search", "--alpha", 1)
    assert ran.code != 0
    assert "--alpha must not stand beside --search, which chooses it. Got --alpha 1" in ran.err
