"""Where a test file shares rows or groups with the training, whoever sees the score is told."""

from __future__ import annotations

import json

import numpy as np
import pytest

from symbreak.tables.read import read_table
from symbreak.training.data_split import DataSplit
from tests.reports.conftest import island_of

FEW = ("--quick", "--starts", 2, "--hidden", "none", "--max-iter", 20)


@pytest.fixture
def write(tmp_path):
    """Write x, y and who from rows of a long table."""
    random = np.random.default_rng(0)
    x = random.normal(size=200).round(4)
    y = (2 * x + 0.1 * random.normal(size=200)).round(4)

    def file(name, first, last, who=lambda row: row // 5):
        lines = [f"{x[row]},{y[row]},{who(row)}" for row in range(first, last)]
        path = tmp_path / name
        path.write_text("\n".join(["x,y,who", *lines]) + "\n")
        return path

    return file


def overlap(train, test, **facts):
    split = DataSplit.of(read_table(train), "y", separate_test=True, **facts)
    return split.with_test(read_table(test)).overlap


def test_rows_that_were_trained_on_are_recognised(write):
    known = write("a.csv", 0, 60)
    assert overlap(known, known, drop=["who"]).sentence == (
        "60 of 60 rows were trained on: this score says nothing about new data."
    )
    part = overlap(known, write("b.csv", 50, 90), drop=["who"])
    assert part.sentence == "10 of 40 rows were trained on: this score is too good for new data."
    assert overlap(known, write("c.csv", 60, 90), drop=["who"]).sentence == ""


def test_groups_of_both_files_are_counted(write):
    known = write("a.csv", 0, 60)
    shared = overlap(known, write("b.csv", 60, 90, who=lambda row: row // 5 - 3), group="who")
    assert (shared.groups, shared.rows) == (3, 0)
    assert shared.sentence == (
        "3 groups of 'who' are in the training too: this score is too good for new groups."
    )
    # The same numbers, whether or not the other file writes a point.
    other = write("c.csv", 60, 90, who=lambda row: row / 5 - 1)
    assert overlap(known, other, group="who").groups == 1
    assert overlap(known, write("d.csv", 60, 90), group="who").sentence == ""
    assert overlap(known, write("e.csv", 60, 90), drop=["who"]).groups == 0


def test_the_terminal_and_the_page_say_so(run, write, tmp_path):
    known, page, found = write("a.csv", 0, 60), tmp_path / "t.html", tmp_path / "t.json"
    words = ("train", known, "--target", "y", "--drop", "who", *FEW, "--report", page)
    for quiet in ((), ("--quiet",)):
        ran = run(*words, "--test", known, "--json", found, *quiet)
        assert ran.code == 0, ran.err
        assert "Warning: 'a.csv': 60 of 60 rows were trained on: this score says " in ran.err
    html = page.read_text("utf-8")
    data = island_of(html)
    assert data["scores"]["seen"]["rows"] == 60
    cards = {card["name"]: card for card in data["first_screen"]}
    assert cards["How good"]["value"] == "No score of new data"
    assert cards["What to do next"]["value"] == "Score it on new rows"
    assert "Score on rows that trained nothing" not in html
    assert json.loads(found.read_text())["data"]["test"]["rows_trained_on"] == 60
    ran = run(*words, "--test", write("c.csv", 60, 90))
    assert "Warning" not in ran.err
    assert "None of these rows" in page.read_text("utf-8")
