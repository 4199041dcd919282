"""The intervals of a score, and what the page and the terminal say that they are."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from symbreak.cli.advice_text import found_lines
from symbreak.cli.train_text import score_line
from symbreak.reports.collect.training import of_training
from symbreak.reports.report import Report
from symbreak.tables.read import read_table
from symbreak.training.cross_validation import cross_validated
from symbreak.training.data_split import DataSplit
from symbreak.training.record import Training
from symbreak.training.settings import Settings
from symbreak.training.share_interval import effective_rows, wilson
from symbreak.training.table_training import prepared, train_prepared

LINEAR = Settings(hidden=(), alpha=0.1, starts=2, search=False)
X = np.linspace(-1.0, 1.0, 60)
APART = np.where(X > 0, "b", "a")
CLASSES = np.where((X > 0) ^ (np.arange(60) % 7 == 0), "b", "a")


@pytest.fixture
def trained(tmp_path):
    """Train on x and y, and score it by folds where wanted."""

    def make(y, *, folds: bool, repeats: int = 1, **columns) -> Training:
        names = ["x", "y", *columns]
        cells = np.column_stack([X.round(4).astype(str), y, *columns.values()])
        path = tmp_path / "table.csv"
        path.write_text("\n".join([",".join(names), *map(",".join, cells)]))
        facts = {name: name for name in columns}
        split = DataSplit.of(read_table(path), "y", separate_test=folds, **facts)
        training = train_prepared(prepared(split, LINEAR))
        found = cross_validated(split, LINEAR, repeats=repeats) if folds else None
        return replace(training, cross_validation=found)

    return make


def words_of(training: Training) -> str:
    """Return the text of the page, without its data."""
    html = re.sub(r"<script.*?</script>|<[^>]+>", "", Report.of(of_training(training)).html,
                  flags=re.DOTALL)  # fmt: skip
    return " ".join(html.split())


def test_the_interval_of_an_accuracy_by_folds_is_wilsons(trained):
    training = trained(APART, folds=True)
    scores = of_training(training)["scores"]
    assert scores["accuracy"] > 0.9
    right = round(60 * scores["accuracy"])
    known = binomtest(right, 60).proportion_ci(method="wilson")
    assert scores["accuracy_interval"] == pytest.approx([known.low, known.high])
    assert "The interval is Wilson's: what other rows" in words_of(training)


def test_of_groups_and_weights_the_effective_rows_count():
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    assert effective_rows(4, None, None) == 4
    assert effective_rows(4, np.full(4, 7.0), None) == pytest.approx(4)
    assert effective_rows(4, weight, None) == pytest.approx(100 / 30)
    assert effective_rows(4, None, np.array([0, 0, 1, 1])) == pytest.approx(2)
    assert effective_rows(4, weight, np.array([0, 1, 1, 0])) == pytest.approx(2)


def test_the_interval_of_grouped_rows_is_that_of_the_groups(trained):
    training = trained(APART, folds=True, group=(np.arange(60) % 12).astype(str))
    scores = of_training(training)["scores"]
    assert scores["effective_rows"] == pytest.approx(12)
    share = scores["accuracy"]
    assert scores["accuracy_interval"] == pytest.approx(wilson(12 * share, 12))
    assert "Wilson's, of the 12 rows alike" in words_of(training)


def test_the_interval_of_weighted_rows_holds_their_score(trained):
    weight = np.where(np.arange(60) % 2, 9, 1).astype(str)
    for folds in (True, False):
        scores = of_training(trained(CLASSES, folds=folds, weight=weight))["scores"]
        assert scores["effective_rows"] < 0.7 * scores["rows"]
        low, high = scores["accuracy_interval"]
        assert low < scores["accuracy"] <= high
        assert (low, high) == wilson(
            scores["accuracy"] * scores["effective_rows"], scores["effective_rows"]
        )


def test_where_every_answer_is_right_the_terminal_says_how_surely(trained):
    training = trained(APART, folds=True)
    found = training.cross_validation
    shares = np.where(found.y[None, :, None] == np.arange(2), 0.99, 0.01)
    right = replace(training, cross_validation=replace(found, predictions=shares))
    low = wilson(60, 60)[0]
    assert f"accuracy 1.0000 (95 % interval {low:.4f} to 1.0000), log-loss 0.01005 ± " in (
        score_line(right)
    )
    assert of_training(right)["scores"]["accuracy_interval"] == pytest.approx([low, 1.0])


def test_the_page_says_which_intervals_those_of_numbers_are(trained):
    y = (3.0 * X + 0.3 * np.sin(40 * X)).round(4).astype(str)
    by_folds = words_of(trained(y, folds=True))
    assert "The intervals are 1.96 standard errors to both sides, over the 60 rows: " in by_folds
    assert "bootstrap" not in by_folds
    group = (np.arange(60) % 12).astype(str)
    assert "over the 12 groups: " in words_of(trained(y, folds=True, group=group))
    held_out = words_of(trained(y, folds=False))
    assert "The intervals are of 1000 samples of the 12 rows (bootstrap): " in held_out
    assert "standard errors to both sides" not in held_out


def test_what_the_confusion_counts_is_said(trained):
    twice = trained(CLASSES, folds=True, repeats=2)
    assert "Counts of rows of the first of 2 repeats. Rows: what is known." in words_of(twice)
    assert "Confusion, rows of the first of 2 repeats:" in found_lines(twice)
    weight = np.where(np.arange(60) % 2, 9, 1).astype(str)
    for folds in (True, False):
        weighed = trained(CLASSES, folds=folds, weight=weight)
        assert "Counts of rows each counted once, whatever it weighs. " in words_of(weighed)
        assert "Confusion, rows each counted once, whatever it weighs:" in found_lines(weighed)
    once = trained(CLASSES, folds=True)
    assert "Counts of rows" not in words_of(once)
    assert not any(line.startswith("Confusion") for line in found_lines(once))
    numbers = trained((3.0 * X).round(4).astype(str), folds=True, repeats=2)
    assert "Rows of the first of 2 repeats, here and in the drawing." in words_of(numbers)
