"""`symbreak train` chooses network and penalty on the training rows and says so."""

from __future__ import annotations

import json
import re
import shlex

import numpy as np

from symbreak.tables.datasets import load_dataset
from symbreak.training.data_split import DataSplit
from symbreak.training.settings import Settings
from symbreak.training.table_choice import choose_for
from tests.reports.conftest import island_of

FEW = ("--starts", 2, "--hidden", 3, "--max-iter", 15, "--holdout", 0.2)


def words_of(ran):
    return " ".join(ran.out.split())


def test_network_and_penalty_are_chosen_on_the_training_rows(run, tmp_path):
    ran = run("train", "--dataset", "iris", "--json", tmp_path / "all.json", *FEW)
    assert ran.code == 0, ran.err
    said = re.search(
        r"Search: 3 (\S+), alpha (\S+), of \d+ candidates \(3 tanh, 3 silu; alpha .*?\); its "
        r"log-loss over 5 folds of the training rows, (\S+), chose it\.",
        words_of(ran),
    )
    assert said is not None
    split = DataSplit.of(load_dataset("iris")[0], "target")
    choice = choose_for(split, Settings(hidden=(3,), max_iter=15))
    assert choice is not None
    best = choice.best
    assert said.groups() == (best.activation, f"{best.alpha:.4g}", f"{-best.mean:.4f}")
    written = json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert written["search"] == choice.as_dict()
    assert written["settings"]["alpha"] == best.alpha
    assert written["settings"]["activation"] == best.activation
    assert written["network"]["activations"] == [best.activation]
    assert f"alpha {best.alpha:.4g}, float64" in words_of(ran)


def test_the_page_shows_the_candidates_and_their_scores(run, tmp_path):
    page, numbers = tmp_path / "page.html", tmp_path / "all.json"
    ran = run("train", "--dataset", "iris", "--report", page, "--json", numbers, *FEW)
    assert ran.code == 0, ran.err
    found = island_of(page.read_text("utf-8"))["search"]
    known = json.loads(numbers.read_text("utf-8"))["search"]
    shown = {tuple(row["settings"].values()): row["mean"] for row in found["candidates"]}
    assert shown == {
        (f"3 {one['activation']}", one["alpha"]): one["mean"] for one in known["candidates"]
    }
    taken = known["candidates"][known["taken"]]
    assert [row["settings"]["alpha"] for row in found["candidates"] if row["taken"]] == [
        taken["alpha"]
    ]
    assert (found["score"], found["folds"]) == ("log-loss", known["folds"])


def test_where_a_quick_score_is_low_the_search_is_proposed(run, tmp_path):
    """The usual penalty of regression flattens a wave of few rows; another one follows it."""
    x = np.linspace(-3, 3, 80)
    rows = "\n".join(f"{a},{np.sin(2 * a)}" for a in x)
    (tmp_path / "wave.csv").write_text(f"x,y\n{rows}\n")
    words = ("train", tmp_path / "wave.csv", "--target", "y", "--starts", 4, "--max-iter", 200)
    ran = words_of(run(*words, "--quick"))
    assert "Advice: Underfitting: the penalty is " in ran
    proposed = re.search(r"Let cross-validation choose [^:]*: symbreak (train .*? 200)", ran)
    assert proposed is not None
    better = words_of(run(*shlex.split(proposed[1])))
    assert "Underfitting" not in better
    score = re.search(r"cross-validation, twice \(80 rows\): R2 (\S+) ±", better)
    assert score is not None
    assert float(score[1]) > 0.9


def test_a_quick_training_searches_nothing(run):
    ran = run("train", "--dataset", "iris", "--quick", "--starts", 2, "--max-iter", 5)
    assert ran.code == 0, ran.err
    assert "Search:" not in ran.out
    assert "Network: 4-25-3 (tanh; cross_entropy)" in ran.out
    assert "alpha 1, float64" in words_of(ran)


def test_what_is_all_given_is_not_searched(run):
    given = ("--activation", "relu", "--alpha", 0.5)
    ran = run("train", "--dataset", "iris", *given, *FEW)
    assert "Search:" not in ran.out
    assert "alpha 0.5, float64" in words_of(ran)


def test_the_word_of_before_is_accepted_and_said_to_be_the_default(run):
    ran = run("train", "--dataset", "iris", "--search", "--alpha", 1, *FEW)
    assert ran.code == 0
    assert "Note: --search is the default now and may be left out; it will go." in ran.err
    ran = run("train", "--dataset", "iris", "--search", "--quick")
    assert ran.code == 2
    assert "--quick must not stand beside --search" in ran.err


def test_a_budget_that_is_spent_is_said(run):
    ran = run("train", "--dataset", "iris", "--budget", 0, *FEW)
    assert ran.code == 0, ran.err
    assert "Search: no candidate has a score" in words_of(ran)
    assert "the 0 s of --budget were spent" in words_of(ran)
    assert "alpha 1, float64" in words_of(ran)
    ran = run("train", "--dataset", "iris", "--budget", -1)
    assert (ran.code, ran.err) == (2, "Error: --budget must be seconds, 0 or above. Got -1.\n")


def test_a_budget_without_a_search_is_refused(run):
    ran = run("train", "--dataset", "iris", "--quick", "--budget", 5, *FEW)
    assert ran.code == 2
    assert ran.err == (
        "Error: --quick must not stand beside --budget, the time for what it turns off. "
        "Got --budget 5; leave one out.\n"
    )
