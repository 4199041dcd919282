"""Remedies name only options that their command has, and the commands that they propose run."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from symbreak.cli.advice_text import _AGAIN, _remedy
from symbreak.cli.train import TrainOptions
from symbreak.training.advised import Advice
from symbreak.training.remedies import REMEDIES, TRAIN

OPTIONS = {f"--{one.name.replace('_', '-')}" for one in dataclasses.fields(TrainOptions)}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("remedy", REMEDIES)
def test_remedies_name_options_of_train(remedy):
    words = REMEDIES[remedy].get(TRAIN, "")
    assert set(re.findall(r"--[a-z][a-z-]*", words)) <= OPTIONS


def test_commands_of_remedies_change_options_that_train_has():
    names = {one.name for one in dataclasses.fields(TrainOptions)}
    for remedy, changes in _AGAIN.items():
        assert TRAIN in REMEDIES[remedy]
        assert set(changes) <= names


@pytest.mark.parametrize("remedy", _AGAIN)
def test_no_remedy_asks_for_the_same_command_again(remedy):
    found = Advice("overfitting", "", "Found.", remedy)

    def told(**options: object) -> str:
        return _remedy(found, TrainOptions(dataset="iris", **options))

    assert "--budget" not in told(budget=0.0)
    assert told(budget=0.0) == told(quick=True, alpha=3.0)
    same = told(hidden="none") if remedy == "linear_model" else told()
    assert same == "Give the choice of network and penalty more time: raise --budget."


def held_out_loss(printed: str) -> float:
    found = re.search(r"held-out rows +(\S+)", printed)
    assert found is not None
    return float(found[1])


@pytest.fixture
def overfitted(run, tmp_path):
    """A command whose network overfits, and what it printed."""
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 5))
    y = np.where(X[:, 0] + 1.2 * random.normal(size=200) > 0, "up", "down")
    rows = [
        ",".join([*(f"{one:.4f}" for one in row), kind]) for row, kind in zip(X, y, strict=True)
    ]
    data = tmp_path / "some rows.csv"
    data.write_text("\n".join(["a,b,c,d,e,kind", *rows]) + "\n")
    words = ("train", data, "--target", "kind", "--hidden", 20, "--alpha", 0, "--starts", 2,
             "--max-iter", 100, "--holdout", 0.4)  # fmt: skip
    return run(*words)


def test_what_is_proposed_runs_and_does_better(run, overfitted):
    commands = re.findall(r"^Advice: .*?: (symbreak train .*)$", overfitted.out, re.MULTILINE)
    assert len(commands) == 2
    assert "Advice: Overfitting: log-loss " in overfitted.out
    loss = held_out_loss(overfitted.out)
    for command in commands:
        again = run(*shlex.split(command)[1:])
        assert again.code == 0, again.err
        assert held_out_loss(again.out) < 0.8 * loss


def test_nothing_proposes_to_predict_or_score_the_training_file(run, shop, tmp_path):
    model = tmp_path / "m.symbreak"
    ran = run("train", shop, "--target", "kind", "--quick", "--starts", 2, "--max-iter", 10,
              "--model", model)  # fmt: skip
    (told,) = re.findall(r"^Next.*$", ran.out, re.MULTILINE)
    assert "symbreak predict" in told
    assert str(shop) not in told
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "docs/reports.md").read_text("utf-8")
    trained = set(re.findall(r"symbreak train (\S+\.csv)", text))
    used = re.findall(r"symbreak (?:predict|report) \S+ (\S+\.csv)", text)
    assert used
    assert not trained & set(used)


def test_diverged_starts_are_told_of_with_options_that_the_method_takes(run):
    ran = run("train", "--dataset", "diabetes", "--quick", "--starts", 2, "--hidden", 3,
              "--method", "gradient-descent", "--learning-rate", 1e200)  # fmt: skip
    assert "Advice: 2 starts diverged; each keeps where it began, untrained. Lower " in ran.out
