"""How often intervals cover is shown of rows that made neither the network nor the intervals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

import symbreak as sb
from symbreak.reports.collect.model import of_model
from symbreak.tables.table import Table
from symbreak.training import Settings, train_split
from symbreak.training.data_split import DataSplit


def table(seed: int) -> Table:
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, 200)
    return Table.of(pl.DataFrame({"x": x, "y": 3 * x + random.normal(size=200)}), f"{seed}.csv")


@pytest.fixture(scope="module")
def training():
    return train_split(DataSplit.of(table(0), "y"), Settings(hidden=(), starts=1))


@pytest.fixture(scope="module")
def quick():
    settings = Settings(hidden=(), alpha=0.1, starts=1, search=False)
    return train_split(DataSplit.of(table(0), "y"), settings)


def test_the_page_of_a_training_tells_how_often_the_hold_out_is_covered(training):
    page = sb.report(training)
    found = page.data["scores"]["intervals"]
    right = round(40 * training.intervals.covered)
    interval = binomtest(right, 40).proportion_ci(method="wilson")
    assert found["covered"] == training.intervals.covered
    assert found["covered_interval"] == pytest.approx([interval.low, interval.high])
    assert f"they cover {100 * found['covered']:.4g} % of these rows" in page.html


def test_a_hold_out_that_made_the_intervals_does_not_tell_how_often_they_cover(quick):
    page = sb.report(quick)
    assert page.data["scores"]["intervals"]["covered"] is None
    assert "they cover" not in page.html
    assert "90 % intervals of single rows: ± " in page.html


def test_the_page_of_a_model_tells_it_of_new_rows_alone(training, quick):
    model, fresh = training.model(), table(1)
    columns, y = model.columns(fresh), fresh.column("y").to_numpy()
    found = of_model(model, fresh)["scores"]["intervals"]
    assert found["covered"] == np.mean((columns["lower"] <= y) & (y <= columns["upper"]))
    assert "intervals" not in of_model(model, table(0))["scores"]
    # It cannot tell its hold-out, which made the intervals, from other rows.
    assert "intervals" not in of_model(quick.model(), fresh)["scores"]
