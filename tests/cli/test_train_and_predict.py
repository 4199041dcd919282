"""A table in, a model out, predictions for new rows."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from symbreak.arrays import alike
from symbreak.cli.train_text import time_line
from symbreak.optimize import bursts
from symbreak.training.finite_starts import draw_finite_starts

FEW = ("--quick", "--starts", 3, "--hidden", 4, "--max-iter", 30)


def test_a_table_of_all_kinds_trains_and_predicts(run, shop, tmp_path):
    model, found = tmp_path / "kind.symbreak", tmp_path / "kind.json"
    ran = run("train", shop, "--target", "kind", "--drop", "price", *FEW,
              "--model", model, "--json", found)  # fmt: skip
    assert ran.code == 0, ran.err
    for line in (
        "Data: shop.csv, 120 rows, 4 columns -> 5 features; classification of 'kind' (2 classes).",
        "Dropped constant column 'shelf'.",
        "Split: 96 rows train, 24 held out for the score (seed 0).",
        "Network: 5-4-2 (tanh; cross_entropy), 34 parameters; 3 starts by glorot_uniform",
        "Gradient check: pass",
        "Symmetry: 4 hidden units, all distinct in 3 of 3 starts.",
        "Hold-out (24 rows), average of 3 starts: accuracy ",
        "Hold-out, a single start: accuracy ",
        "The average takes every start; the hold-out chose nothing.",
        f"Model: {model}",
        f"Next, for new rows: symbreak predict {model} new.csv -o predictions.csv",
    ):
        assert line in ran.out
    record = json.loads(found.read_text(encoding="utf-8"))
    assert record["scores"]["holdout"]["accuracy"] >= 0.85

    predictions = tmp_path / "predictions.csv"
    assert run("predict", model, shop, "-o", predictions).code == 0
    frame = pl.read_csv(predictions)
    shares = ["probability of big", "probability of small"]
    assert frame.columns == ["prediction", *shares, "disagreement"]
    truth = pl.read_csv(shop)["kind"].to_numpy()
    assert np.mean(frame["prediction"].to_numpy() == truth) > 0.85
    np.testing.assert_allclose(frame[:, 1] + frame[:, 2], 1, rtol=1e-12)


def test_regression_predicts_in_the_unit_of_the_table(run, shop, tmp_path):
    model = tmp_path / "price.symbreak"
    ran = run("train", shop, "--target", "price", *FEW, "--alpha", 1, "--model", model)
    assert ran.code == 0, ran.err
    assert "average of 3 starts: R2 0.9" in ran.out
    predictions = tmp_path / "p.csv"
    run("predict", model, shop, "-o", predictions)
    frame, truth = pl.read_csv(predictions), pl.read_csv(shop)["price"]
    assert frame.columns == ["prediction", "lower", "upper"]
    middle = (frame["lower"] + frame["upper"]).to_numpy() / 2
    np.testing.assert_allclose(middle, frame["prediction"], rtol=1e-9)
    assert np.median(np.abs(frame["prediction"].to_numpy() - truth.to_numpy())) < 3


def test_the_coverage_of_the_intervals_is_a_choice(run, shop, tmp_path):
    model, found = tmp_path / "m", tmp_path / "f.json"
    words = ("--target", "price", "--hidden", "none", "--holdout", 0.3, "--starts", 2)
    ran = run("train", shop, *words, "--model", model, "--json", found)
    known = json.loads(found.read_text())["scores"]["intervals"]
    line = (
        f"90 % intervals: ± {known['half_width']:.4g}, median width; they cover "
        f"{100 * known['covered']:.1f} % of the hold-out; `symbreak predict` writes them."
    )
    assert line in ran.out
    assert known["rows"] == 36
    widths = []
    for coverage in ("0.5", "0.9"):
        run("predict", model, shop, "--coverage", coverage, "-o", tmp_path / "p.csv")
        frame = pl.read_csv(tmp_path / "p.csv")
        widths.append(np.median((frame["upper"] - frame["lower"]).to_numpy()))
    assert widths[0] < widths[1]
    assert run("predict", model, shop).out == (tmp_path / "p.csv").read_text()
    wrong = run("predict", model, shop, "--coverage", 0.999)
    assert (wrong.code, wrong.out) == (2, "")
    assert "coverage must be at most 0.9882 with 84 rows that were held out" in wrong.err


def test_columns_may_be_reordered_but_a_missing_one_is_named(run, shop, tmp_path):
    model = tmp_path / "m"
    run("train", shop, "--target", "kind", *FEW, "--model", model)
    frame = pl.read_csv(shop, null_values=["NA", ""])
    frame.select(reversed(frame.columns)).write_csv(tmp_path / "turned.csv")
    frame.drop("size in cm", "price").write_csv(tmp_path / "short.csv")
    straight = run("predict", model, shop)
    assert straight.out.startswith(
        "prediction,probability of big,probability of small,disagreement\n"
    )
    assert run("predict", model, tmp_path / "turned.csv").out == straight.out
    short = run("predict", model, tmp_path / "short.csv", "-o", tmp_path / "p.csv")
    assert (short.code, short.out) == (2, "")
    assert short.err.startswith("Error: Table 'short.csv' must have every column of the training.")
    assert "'size in cm', 'price'" in short.err
    assert not (tmp_path / "p.csv").exists()


def test_numbers_that_name_categories_are_read_as_they_are_written(run, tmp_path):
    """The codes 01, 02 and x stay text although the new file has only numbers."""
    data, new = tmp_path / "data.csv", tmp_path / "new.csv"
    rows = ["01,no", "02,yes", "x,no"] * 12
    data.write_text("code,kind\n" + "\n".join(rows) + "\n")
    new.write_text("code\n01\n02\n")
    model = tmp_path / "m"
    run("train", data, "--target", "kind", *FEW, "--alpha", 0.01, "--model", model)
    assert [line.split(",")[0] for line in run("predict", model, new).out.splitlines()] == [
        "prediction", "no", "yes",
    ]  # fmt: skip


def test_the_codes_of_a_test_file_are_read_as_they_are_written(run, tmp_path):
    data, test = tmp_path / "data.csv", tmp_path / "test.csv"
    data.write_text("code,kind\n" + "01,no\n02,yes\nx,no\n" * 12)
    test.write_text("code,kind\n" + "01,no\n02,yes\n" * 5)
    ran = run("train", data, "--target", "kind", *FEW, "--alpha", 0.01, "--test", test)
    assert "Hold-out (10 rows), average of 3 starts: accuracy 1.0000" in ran.out


def test_the_scores_of_a_regression_are_in_the_unit_of_the_table(run, shop, tmp_path):
    model, found = tmp_path / "m", tmp_path / "f.json"
    run(
        "train",
        "--quick",
        shop,
        "--target",
        "price",
        *FEW,
        "--test",
        shop,
        "--model",
        model,
        "--json",
        found,
    )
    run("predict", model, shop, "-o", tmp_path / "p.csv")
    truth = pl.read_csv(shop)["price"].to_numpy()
    residual = pl.read_csv(tmp_path / "p.csv")["prediction"].to_numpy() - truth
    scores = json.loads(found.read_text(encoding="utf-8"))["scores"]["holdout"]
    assert scores == pytest.approx(
        {"r2": 1 - residual.var() / truth.var() - residual.mean() ** 2 / truth.var(),
         "rmse": np.sqrt(np.mean(residual**2))}, rel=1e-9
    )  # fmt: skip


def test_a_test_file_gives_the_score_and_trains_nothing(run, shop, tmp_path):
    frame = pl.read_csv(shop)
    frame.head(20).write_csv(tmp_path / "test.csv")
    found = tmp_path / "f.json"
    ran = run("train", shop, "--target", "kind", *FEW, "--test", tmp_path / "test.csv",
              "--json", found)  # fmt: skip
    assert "Split: 120 rows train, 20 held out for the score in " in ran.out
    record = json.loads(found.read_text(encoding="utf-8"))
    assert [record["data"][f"{part}_rows"] for part in ("train", "validation", "holdout")] == [
        120, 0, 20,
    ]  # fmt: skip


def test_the_record_holds_everything_as_plain_numbers(run, tmp_path):
    found = tmp_path / "iris.json"
    ran = run("train", "--dataset", "iris", *FEW, "--combine", "best", "--json", found)
    record = json.loads(found.read_text(), parse_constant=lambda word: pytest.fail(word))
    assert record["settings"]["dataset"] == "iris"
    assert record["settings"]["alpha"] == 1.0
    assert record["data"]["classes"] == ["setosa", "versicolor", "virginica"]
    assert record["network"]["layers"] == [4, 4, 3]
    assert record["gradient_check"]["verdict"] == "pass"
    assert record["symmetry"]["least_distinct_units"] == [4]
    assert [start["start"] for start in record["starts"]] == [0, 1, 2]
    assert {"read", "check", "train", "score", "total"} == set(record["seconds"])
    scores = record["scores"]
    (chosen,) = scores["kept_starts"]
    ranks = [start["validation"]["accuracy"] for start in record["starts"]]
    assert ranks[chosen] == max(ranks)
    assert scores["holdout"] == record["starts"][chosen]["holdout"]
    each = sorted(start["holdout"]["accuracy"] for start in record["starts"])
    assert scores["single_start"]["accuracy"] == {
        "median": each[1], "lowest": each[0], "highest": each[2],
    }  # fmt: skip
    rows = [line.split("│") for line in ran.out.splitlines() if line.startswith("│")]
    assert [int(row[1]) for row in rows if row[6].strip() == "yes"] == [chosen]
    assert f"Start {chosen} was chosen by its validation score; the hold-out chose" in ran.out


def test_the_table_is_sorted_by_j_and_shows_at_most_twenty_starts(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", "--quick", "--dataset", "iris", "--hidden", 2, "--starts", 23,
              "--max-iter", 3, "--json", found)  # fmt: skip
    rows = [line.split("│")[1:-1] for line in ran.out.splitlines() if line.startswith("│")]
    shown = [float(row[1]) for row in rows]
    J = sorted(start["J"] for start in json.loads(found.read_text())["starts"])
    np.testing.assert_allclose(shown, J[:20], rtol=1e-5)
    assert f"and 3 more starts, J {J[20]:.6g} to {J[22]:.6g}" in ran.out


def test_lowest_cost_and_no_validation_part(run):
    ran = run("train", "--dataset", "iris", *FEW, "--combine", "lowest-cost")
    assert "validate" not in ran.out
    assert "was chosen by its J on the training rows; the hold-out chose nothing." in ran.out


def test_the_same_command_prints_the_same_table(run):
    words = ("train", "--dataset", "iris", *FEW)
    first, again = (run(*words).out.split("Took")[0] for _ in range(2))
    assert first == again


def test_where_the_time_went_is_said(run, tmp_path):
    found = tmp_path / "f.json"
    ran = run("train", "--dataset", "iris", *FEW, "--json", found)
    seconds = json.loads(found.read_text())["seconds"]
    assert f"\nTook {seconds['total']:.1f} s" in ran.out
    told = {"read": 0.01, "choose": 6.2, "check": 0.04, "train": 2.0, "score": 31.4}
    assert time_line(told) == "Took 40 s: choosing 6, training 2, scoring 31."
    assert time_line({"train": 1.0, "score": 0.06}) == "Took 1.1 s: training 1.0, scoring 0.1."
    assert time_line({"train": 0.01}) == "Took 0.0 s."


def test_quiet_prints_the_score_alone(run):
    ran = run("train", "--dataset", "iris", *FEW, "--quiet")
    assert ran.err == ""
    assert ran.out.startswith("Hold-out (30 rows), average of 3 starts: accuracy ")
    assert ran.out.count("\n") == 1


def test_progress_is_told_in_lines_where_there_is_no_terminal(run, monkeypatch):
    # Else so few iterations are one burst, between which progress is told.
    monkeypatch.setattr(bursts, "MOST_STEPS", 4)
    ran = run("train", "--dataset", "iris", *FEW)
    told = [int(line.split(",")[0].removeprefix("iteration ")) for line in ran.err.splitlines()]
    assert told == sorted(set(told))
    assert told
    assert "3 of 3 starts running" in ran.err


def test_a_hold_out_of_one_row_is_called_what_it_is(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n2,4\n3,6.5\n4,8\n5,9.9\n")
    ran = run("train", "--quick", tmp_path / "t.csv", "--target", "y", "--starts", 2)
    assert ran.code == 0
    for line in (
        "Hold-out (1 row), average of 2 starts: R2 not defined for one row, RMSE ",
        "Hold-out, a single start: R2 not defined for one row\n",
        "A hold-out of 1 row says little: on other rows the score may be far from this one. Train "
        "on more rows, or raise --holdout.\n",
    ):
        assert line in ran.out
    assert "nan" not in ran.out
    assert "says little" not in run("train", "--dataset", "iris", *FEW).out


def test_categories_that_training_did_not_see_are_told(run, tmp_path):
    rows = [("red", 1, "yes"), ("blue", 2, "no")] * 20
    new = [("purple", 1, "yes"), ("red", 2, "no"), ("green", 1, "yes"), ("", 2, "no")]
    for name, some in (("old.csv", rows), ("new.csv", new), ("same.csv", rows[:6])):
        lines = ["color,n,y", *(f"{c},{n},{y}" for c, n, y in some)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    old, model = tmp_path / "old.csv", tmp_path / "m"
    words = ("train", old, "--target", "y", *FEW, "--quiet")
    assert run(*words, "--model", model).err == ""
    note = (
        "Note: Column 'color' of 'new.csv' holds categories that training did not see in 2 of 4 "
        "rows, such as 'purple'; there it counts as missing.\n"
    )
    page = ("-o", tmp_path / "r.html")
    for command in (
        ("predict", model, tmp_path / "new.csv"), ("report", model, tmp_path / "new.csv", *page),
        (*words, "--test", tmp_path / "new.csv"),
    ):  # fmt: skip
        ran = run(*command)
        assert (ran.code, ran.err) == (0, note)
    assert "categories" not in run("predict", model, tmp_path / "same.csv").err


@pytest.mark.parametrize("hidden", ["none", ""])
def test_no_hidden_layer_is_logistic_regression_and_zeros_are_right(run, hidden):
    ran = run(
        "train",
        "--quick",
        "--dataset",
        "iris",
        "--hidden",
        hidden,
        "--init",
        "zeros",
        "--starts",
        1,
    )
    assert ran.code == 0
    assert "Network: 4-3 (no hidden layer; cross_entropy)" in ran.out
    assert "Symmetry: no hidden layer, so there is none to break." in ran.out
    assert "Warning" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("init", "left"),
    [("zeros", "act as none (zero)"), ("constant", "act as 1 (identical)")],
)
def test_a_symmetric_start_is_warned_of_even_when_quiet(run, init, left):
    ran = run("train", "--dataset", "iris", *FEW, "--hidden", "5,3", "--init", init, "--quiet")
    assert ran.code == 0
    assert ran.err == (
        f"Warning: Symmetry is not broken in 3 of 3 starts: the 5 units of hidden layer 1 {left}, "
        f"the 3 units of hidden layer 2 {left}. Equal units stay one unit; draw the starts at "
        "random, for example with --init glorot_uniform.\n"
    )


@pytest.fixture
def start_is_a_magic_square(monkeypatch):
    def drawn(cost, *args, **options):
        found = draw_finite_starts(cost, *args, **options)
        Theta1, Theta2, Theta3 = cost.network.thetas(found.theta)
        Theta1[:], Theta3[:] = 0.5, 0.5
        Theta2[:, :, 1:] = alike(np.array([[2.0, 7, 6], [9, 5, 1], [4, 3, 8]]) / 8, Theta2)
        Theta2[:, :, 0] = 0
        return found

    monkeypatch.setattr("symbreak.training.table_training.draw_finite_starts", drawn)


@pytest.mark.usefixtures("start_is_a_magic_square")
@pytest.mark.parametrize(
    ("method", "alpha", "update", "least"),
    [("l-bfgs", 1, "linear", 1), ("adam", 0, "elementwise", 1), ("adam", 1, "elementwise", 3)],
)
def test_method_and_penalty_of_the_run_are_those_of_the_certificate(
    run, tmp_path, method, alpha, update, least
):
    path = tmp_path / "f.json"
    ran = run("train", "--quick", "--dataset", "iris", "--hidden", "3,3", "--starts", 1,
              "--max-iter", 2,
              "--method", method, "--alpha", alpha, "--json", path, "--quiet")  # fmt: skip
    assert ran.code == 0, ran.err
    assert ("(equal sums)" in ran.err) == (least == 1)
    found = json.loads(path.read_text("utf-8"))["symmetry"]
    assert (found["update"], found["least_distinct_units"]) == (update, [least, least])


def test_epsilon_is_the_range_of_the_uniform_rule(run):
    words = ("train", "--dataset", "iris", *FEW, "--max-iter", 0, "--epsilon", 0.01)
    ran = run(*words)
    assert "3 starts by uniform in [-0.01, 0.01]" in ran.out
    # All outputs are nearly equal there: J is the log of the number of classes.
    J = [float(line.split("│")[2]) for line in ran.out.splitlines() if line.startswith("│")]
    np.testing.assert_allclose(J, np.log(3), rtol=0.02)
    # What is advised repeats the words of the command.
    told = ran.out.split("Trained")[0].replace("--epsilon", "--init uniform --epsilon")
    assert run(*words, "--init", "uniform").out.split("Trained")[0] == told


def test_gradient_descent_takes_its_options(run):
    ran = run("train", "--dataset", "iris", *FEW, "--method", "gradient-descent",
              "--learning-rate", 0.05, "--momentum", 0.5)  # fmt: skip
    assert ran.code == 0
    assert "gradient-descent, alpha 1" in ran.out


@pytest.fixture
def first_start_is_huge(monkeypatch):
    def drawn(*args, **options):
        found = draw_finite_starts(*args, **options)
        found.theta[0] = 1e300  # as if ten redraws had been no better
        return found

    monkeypatch.setattr("symbreak.training.table_training.draw_finite_starts", drawn)


@pytest.mark.usefixtures("first_start_is_huge")
def test_a_start_that_is_not_finite_is_left_out_and_named(run, tmp_path):
    words = ("train", "--quick", "--dataset", "diabetes", "--hidden", "none", "--starts", 3)
    ran = run(*words, "--json", tmp_path / "f.json")
    assert ran.code == 0, ran.err
    assert "average of 2 starts" in ran.out
    assert "Left out, as their J is not finite: 1 start (0)." in ran.out
    start = json.loads((tmp_path / "f.json").read_text())["starts"][0]
    assert (start["J"], start["kept"], start["holdout"]) == (None, False, None)


def test_starts_none_of_which_is_finite_are_refused(run):
    ran = run("train", "--quick", "--dataset", "diabetes", "--hidden", "none", "--epsilon", 1e200,
              "--starts", 2)  # fmt: skip
    assert ran.code == 2
    assert ran.err.startswith("Error: At least one start must have a finite J. Got none of 2")


def test_activations_for_each_layer_and_float32(run):
    ran = run("train", "--dataset", "iris", *FEW, "--hidden", "4,3", "--activation", "relu,tanh",
              "--dtype", "float32")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "Network: 4-4-3-3 (relu, tanh; cross_entropy)" in ran.out
    assert "float32." in ran.out


def test_a_dash_is_standard_output(run, shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("train", shop, "--target", "kind", *FEW, "--model", "m")
    dash = run("predict", "m", shop, "-o", "-")
    assert dash.code == 0
    assert dash.err.startswith("Note: 96 of 120 rows of 'shop.csv' trained this model; ")
    assert dash.out == run("predict", "m", shop).out
    assert not (tmp_path / "-").exists()


def test_another_target_of_a_bundled_data_set_has_its_own_task(run):
    ran = run("train", "--dataset", "wine", "--target", "alcohol", *FEW)
    assert ran.code == 0, ran.err
    assert "regression of 'alcohol' (numbers)" in ran.out


def test_starts_that_diverged_are_told_of(run):
    words = (
        "train",
        "--quick",
        "--dataset",
        "diabetes",
        "--method",
        "gradient-descent",
        *FEW,
        "--quiet",
    )
    ran = run(*words, "--learning-rate", 1e200)
    assert ran.err == (
        "Warning: 3 of 3 starts diverged; each keeps the best point before that. "
        "Lower --learning-rate.\n"
    )
    assert run(*words, "--learning-rate", 0.01).err == ""


def test_a_method_of_scipy_trains(run, shop, tmp_path):
    found = tmp_path / "found.json"
    ran = run(
        "train",
        "--quick",
        shop,
        "--target",
        "kind",
        *FEW,
        "--method",
        "scipy:bfgs",
        "--json",
        found,
    )
    assert ran.code == 0, ran.err
    assert "scipy:bfgs" in ran.out
    assert json.loads(found.read_text(encoding="utf-8"))["scores"]["holdout"]["accuracy"] > 0.8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_starts_of_zeros_do_not_stop_at_the_gradient_check(run, dtype):
    # All outputs are equal there, so that the errors of many examples nearly cancel.
    ran = run("train", "--dataset", "iris", "--init", "zeros", "--dtype", dtype, *FEW)
    assert ran.code == 0
    assert "Gradient check: pass" in ran.out
    assert ran.err.startswith("Warning: Symmetry is not broken")
