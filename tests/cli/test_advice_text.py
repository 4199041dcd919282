"""What `symbreak train` says before the starts, and how equal starts are folded."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from symbreak.cli.advice_text import confusion_lines
from symbreak.training.confusion import Confusion

FEW = ("--starts", 3, "--hidden", 4, "--max-iter", 40, "--quick")


def test_losses_confusion_columns_and_advice_stand_before_the_starts(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", "--dataset", "iris", *FEW, "--json", found)
    assert ran.code == 0, ran.err
    places = [
        ran.out.index(words) for words in (
            "Hold-out (30 rows), average of 3 starts: accuracy ", "training rows ", "held-out rows",
            "class shares ", "no hidden layer ", "known \\ predicted", "Columns that matter most",
            "lowest J",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    record = json.loads(found.read_text())
    known = {one["what"]: one for one in record["comparison"]["entries"]}
    assert list(known) == ["training", "holdout", "constant", "linear"]
    assert known["holdout"]["log_loss"] == record["scores"]["holdout"]["log_loss"]
    for words, what in (("training rows", "training"), ("class shares", "constant")):
        assert re.search(rf"{words} +{known[what]['log_loss']:.4g} ", ran.out)
    first = record["importance"][0]
    assert f"{first['column']} {first['rise']:.2g} +- {first['noise']:.1g}" in ran.out
    rises = [one["rise"] for one in record["importance"]]
    assert rises == sorted(rises, reverse=True)
    assert sum(map(sum, record["confusion"]["counts"])) == 30
    for one in record["advice"]:
        assert f"Advice: {one['sentence']}" in ran.out


def test_of_numbers_rmse_and_r2_stand_beside_the_mean(run):
    ran = run("train", "--dataset", "diabetes", *FEW)
    assert re.search(r"^ +RMSE +R2 +beside the network$", ran.out, re.MULTILINE)
    assert "  the mean " in ran.out
    assert "known \\ predicted" not in ran.out
    assert "by the rise of the RMSE" in ran.out


def test_starts_at_one_minimum_take_one_line(run):
    ran = run("train", "--dataset", "iris", "--hidden", "none", "--alpha", 1, "--starts", 5)
    known = r"^5 starts: 5 converged to one minimum, J 0\.\d+; without a hidden layer there is no "
    assert re.search(f"{known}other$", ran.out, re.MULTILINE)
    assert "reached the lowest J" not in ran.out
    assert "The next start" not in ran.out
    assert "│" not in ran.out


def test_starts_of_one_minimum_among_others_are_folded(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", "--dataset", "iris", "--hidden", 4, "--alpha", 1, "--starts", 8,
              "--json", found)  # fmt: skip
    minima = json.loads(found.read_text())["restarts"]["minima"]
    assert len(minima) > 1
    folded = [int(n) for n in re.findall(r"│ and (\d+) │ the same", ran.out)]
    assert folded == [len(one["starts"]) - 1 for one in minima if len(one["starts"]) > 1]


def test_the_start_that_is_used_stands_for_its_minimum(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", "--dataset", "iris", "--hidden", 4, "--alpha", 1, "--starts", 8,
              "--combine", "best", "--json", found)  # fmt: skip
    (kept,) = json.loads(found.read_text())["scores"]["kept_starts"]
    rows = [line.split("│")[1:-1] for line in ran.out.splitlines() if line.startswith("│")]
    assert [int(row[0]) for row in rows if row[5].strip() == "yes"] == [kept]


def test_of_many_classes_those_with_most_errors_are_shown():
    random = np.random.default_rng(0)
    y = random.integers(0, 14, 400)
    guess = np.where(random.random(400) < 0.8, y, random.integers(0, 14, 400))
    guess[y == 5] = 6
    confusion = Confusion.of(y, guess, tuple(f"class {n}" for n in range(14)))
    np.testing.assert_array_equal(confusion.counts, confusion_matrix(y, guess))
    lines = confusion_lines(confusion)
    assert len(lines) == 11
    n = int((y == 5).sum())
    shown = next(line for line in lines if line.startswith("class 5 "))
    assert shown.split() == ["class", "5", "0.000", str(n), "class", "6", f"({n})"]


def test_the_recall_of_a_class_without_rows_is_not_known():
    confusion = Confusion.of(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert confusion.recall == [0.5, 1.0, None]
    assert confusion_lines(confusion)[-1].split() == ["c", "0", "0", "0", "-"]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_hold_out_in_a_file_is_made_larger_by_more_rows(run, shop, tmp_path, quiet):
    test = tmp_path / "test.csv"
    test.write_text("\n".join(shop.read_text().splitlines()[:9]) + "\n")
    ran = run("train", shop, "--target", "kind", "--test", test, *FEW, *["--quiet"] * quiet)
    assert ("far from this one. Score on more rows.\n" in ran.out) != quiet
    assert "--holdout" not in ran.out
