"""`symbreak report`, and what `train --report` refuses and says."""

from __future__ import annotations

import json
import sys

import pytest

from tests.reports.conftest import island_of

FEW = ("--quick", "--starts", 2, "--hidden", 3, "--max-iter", 10)


@pytest.fixture
def model(run, shop, tmp_path):
    path = tmp_path / "kind.symbreak"
    assert run("train", shop, "--target", "kind", *FEW, "--model", path).code == 0
    return path


def test_a_model_gives_a_page_and_its_numbers(run, model, tmp_path):
    page, numbers = tmp_path / "r.html", tmp_path / "r.json"
    ran = run("report", model, "-o", page, "--json", numbers)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        f"The numbers, as JSON: {numbers}", f"The report, a page for the browser: {page}",
    ]  # fmt: skip
    data = json.loads(numbers.read_text("utf-8"))
    assert island_of(page.read_text("utf-8")) == data
    assert data["note"].startswith("A saved model holds its kept starts")
    assert {"network", "data", "at_training"} <= set(data)
    assert not {"curves", "gradient_check", "starts", "scores"} & set(data)


def test_rows_with_the_target_are_scored(run, shop, model, tmp_path):
    numbers, predictions = tmp_path / "r.json", tmp_path / "p.csv"
    assert run("report", model, shop, "--json", numbers).code == 0
    assert not (tmp_path / "report.html").exists()
    run("predict", model, shop, "-o", predictions)
    import polars as pl

    right = pl.read_csv(predictions)["prediction"] == pl.read_csv(shop)["kind"]
    scores = json.loads(numbers.read_text("utf-8"))["scores"]
    assert scores["accuracy"] == pytest.approx(right.mean())
    assert scores["where"] == "of shop.csv"


def test_without_a_name_the_page_is_report_html(run, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("report", model).code == 0
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_the_page_may_not_be_written_over_the_model(run, model):
    ran = run("report", model, "-o", model)
    assert ran.code == 2
    assert "must be a file of its own" in ran.err


def test_train_says_where_the_page_is_and_keeps_every_output_apart(run, shop, tmp_path):
    page = tmp_path / "r.html"
    ran = run("train", shop, "--target", "kind", *FEW, "--report", page)
    assert f"The report, a page for the browser: {page}" in ran.out
    ran = run("train", shop, "--target", "kind", *FEW, "--report", page, "--json", page)
    assert ran.code == 2
    assert "must be a file of its own" in ran.err


def test_without_jinja2_nothing_is_trained(run, shop, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ran = run("train", shop, "--target", "kind", *FEW, "--report", tmp_path / "r.html")
    assert ran.code == 2
    assert 'pip install "symbreak[report]"' in ran.err
    assert ran.out == ""


def test_rows_that_were_given_are_not_said_to_have_trained_nothing(run, shop, model, tmp_path):
    page, of_training = tmp_path / "given.html", tmp_path / "training.html"
    assert run("report", model, shop, "-o", page).code == 0
    text = page.read_text("utf-8")
    assert "Score on the rows that were given" in text
    assert "rows that trained nothing" not in text
    assert "Use the model" in text
    assert "As it was trained" in text
    ran = run("train", "--quick", shop, "--target", "price", "--starts", 2, "--report", of_training)
    assert ran.code == 0, ran.err
    assert "Score on rows that trained nothing" in of_training.read_text("utf-8")
