"""`symbreak check-gradient`: a saved model, a network for a table, a module of a program."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from symbreak.arrays import word_of
from symbreak.cli import check_run
from symbreak.cli.program import NAME
from symbreak.gradient_check import GradientReport, check_gradient
from symbreak.training.checks import spread_rows
from tests.cli.gradient_programs import BAD_PROGRAMS, FILES

IRIS = ("--dataset", "iris")
LEAST = ("--no-thorough", "--hidden", 3)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("helper", "helper_of_later"):
        sys.modules.pop(name, None)


@pytest.fixture
def check(run):
    return lambda *words: run("check-gradient", *words)


@pytest.fixture
def reported(monkeypatch) -> list[tuple[object, np.ndarray, dict[str, object]]]:
    """What the library was asked to check: the objective, theta and the arguments."""
    asked = []

    def look(objective, theta, **arguments) -> GradientReport:
        asked.append((objective, np.asarray(theta), arguments))
        return check_gradient(objective, theta, **arguments)

    monkeypatch.setattr(check_run, "check_gradient", look)
    return asked


@pytest.fixture
def model(run) -> Path:
    """A model of three starts for 'kind' in good.csv."""
    ran = run("train", "--quick", "good.csv", "--target", "kind", "--starts", 3, "--hidden", 3,
              "--max-iter", 5, "--model", "m.symbreak", "--quiet")  # fmt: skip
    assert ran.code == 0, ran.err
    return Path("m.symbreak")


def test_a_network_for_a_data_set(check, reported):
    ran = check(*IRIS, "--hidden", "4,3", "--activation", "relu,tanh", "--alpha", 0.5)
    assert (ran.code, ran.err) == (0, "")
    first, *rest = ran.out.splitlines()
    assert first.startswith("Gradient check: pass, largest relative error ")
    for name in ("Theta1 weights", "Theta3 biases", "after 10 steps:", "penalty alone:"):
        assert any(line.strip().startswith(name) for line in rest), name
    assert rest[-1] == (
        "Checked: network 4-4-3-3 (relu, tanh; cross_entropy), 47 parameters; a start by "
        "glorot_uniform (seed 0), 64 of 150 rows of iris, alpha 0.5, float64."
    )
    (objective, theta, arguments) = reported[0]
    assert (objective.n_examples, theta.shape) == (64, (47,))
    assert arguments == {"method": "directions", "locate": True, "thorough": True, "seed": 0}


def test_a_network_for_a_file_with_every_option_of_the_network(check, reported):
    ran = check("good.csv", "--target", "price", "--drop", "kind", "--task", "regression",
                "--hidden", "2", "--activation", "sigmoid", "--epsilon", 0.12,
                "--dtype", "float32", "--seed", 5, "--rows", 7, "--no-thorough",
                "--device", "cpu")  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == (
        "Checked: network 3-2-1 (sigmoid; squared_error), 11 parameters; a start by uniform in "
        "[-0.12, 0.12] (seed 5), 7 of 90 rows of good.csv, alpha 10, float32."
    )
    (objective, theta, arguments) = reported[0]
    assert word_of(objective.dtype) == "float32"
    assert objective.n_examples == 7
    assert np.abs(theta).max() <= 0.12
    assert arguments["seed"] == 5
    assert not arguments["thorough"]


def test_the_start_is_that_of_the_seed_and_the_rule(check, reported):
    for words in (("--seed", 1), ("--seed", 2), ("--seed", 2, "--init", "he_normal")):
        assert check(*IRIS, *LEAST, *words).code == 0
    first, second, third = (theta for _, theta, _ in reported)
    assert not np.allclose(first, second)
    assert not np.allclose(second, third)


def test_another_column_of_a_data_set_has_its_own_task(check):
    ran = check(*IRIS, *LEAST, "--target", "petal length (cm)")
    assert ran.code == 0, ran.err
    assert "-3-1 (tanh; squared_error)" in ran.out


def test_a_start_of_equal_units_is_checked_without_a_warning(check):
    ran = check(*IRIS, *LEAST, "--init", "zeros")
    assert (ran.code, ran.err) == (0, "")
    assert "gradient exactly zero in Theta1 biases, Theta1 weights" in ran.out


@pytest.mark.parametrize(
    "loss",
    ["cross_entropy", "binary_cross_entropy", "squared_error", "poisson", "huber", "quantile"],
)
def test_classes_with_every_loss(check, loss):
    ran = check(*IRIS, *LEAST, "--loss", loss)
    assert ran.code == 0, ran.err
    assert f"network 4-3-3 (tanh; {loss}" in ran.out


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "absolute_error"])
def test_numbers_with_every_loss(check, loss):
    ran = check("good.csv", "--target", "price", "--task", "regression", *LEAST, "--loss", loss)
    assert ran.code == 0, ran.err


def test_all_starts_of_a_model_on_the_rows_of_a_table(check, model, reported):
    ran = check(model, "good.csv", "--rows", 0)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == (
        "Checked: model m.symbreak, 4-3-2 (tanh; cross_entropy), 23 parameters; 3 starts, "
        "90 of 90 rows of good.csv, alpha 1, float64."
    )
    (_, theta, _) = reported[0]
    assert theta.shape == (3, 23)
    assert ", worst start " in ran.out.splitlines()[0]


def test_one_start_of_a_model(check, model, reported):
    check(model, "good.csv")
    ran = check(model, "good.csv", "--start", 2, "--alpha", 0, "--dtype", "float32")
    assert ran.code == 0, ran.err
    assert "; start 2, 64 of 90 rows of good.csv, alpha 0, float32." in ran.out
    assert "penalty alone" not in ran.out
    np.testing.assert_array_equal(reported[1][1], reported[0][1][2])


def test_the_rows_of_a_model_are_prepared_as_they_were_for_the_training(check, model, reported):
    # The two columns change places; a column the training has not seen is ignored.
    frame = pl.read_csv("good.csv").select("kind", "color", pl.lit(1).alias("new"), "price", "x")
    frame.write_csv("turned.csv")
    for table in ("good.csv", "turned.csv"):
        assert check(model, table, "--no-thorough").code == 0
    (one, theta, _), (other, _, _) = reported
    np.testing.assert_array_equal(one.value(theta), other.value(theta))


def test_codes_are_compared_as_they_are_written(run, check):
    head = "x,kind\n"
    Path("codes.csv").write_text(head + "1,01\n2,02\n3,X\n" * 9)
    Path("numbers.csv").write_text(head + "1,01\n2,02\n" * 9)
    run("train", "--quick", "codes.csv", "--target", "kind", "--starts", 1, "--hidden", 2,
        "--max-iter", 2, "--model", "m")  # fmt: skip
    ran = check("m", "numbers.csv", "--no-thorough")
    assert ran.code == 0, ran.err


def test_a_model_on_a_bundled_data_set(run, check):
    run("train", "--quick", *IRIS, "--starts", 1, "--hidden", 2, "--max-iter", 2, "--model", "m")
    ran = check("m", *IRIS, "--no-thorough")
    assert ran.code == 0, ran.err
    assert "1 start, 64 of 150 rows of iris" in ran.out


@pytest.mark.needs_torch
@pytest.mark.parametrize("function", ["right", "named", "late"])
def test_a_module_of_a_program_passes(check, function, reported):
    path = list(sys.path)
    ran = check(f"mine.py:{function}")
    assert ran.code == 0, ran.err
    assert "; 40 examples, float32." in ran.out.splitlines()[-1]
    assert reported[0][0].n_examples == 40
    assert sys.path == path
    assert NAME not in sys.modules


@pytest.mark.needs_torch
def test_a_module_with_a_step(check):
    ran = check("mine.py:stepped")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == (
        "Checked: Linear of mine.py:stepped, 10 parameters; its batch, float32."
    )


@pytest.mark.needs_torch
def test_a_program_in_another_folder_finds_its_neighbours(check, folder, monkeypatch):
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert check(f"{folder / 'mine.py'}:right", "--no-thorough").code == 0


@pytest.mark.needs_torch
def test_a_wrong_backward_pass_fails_and_is_named(check):
    ran = check("mine.py:wrong", "--no-thorough")
    assert (ran.code, ran.err) == (1, "")
    first = ran.out.splitlines()[0]
    assert first.startswith("Gradient check: fail, relative error ")
    # The gradient of the first layer is 2/3 of what it must be; the second layer is right.
    assert "the gradient is 0.666667 (1 / 1.5) times the numerical one" in first
    verdicts = dict(line.split()[:2] for line in ran.out.splitlines()[2:6])
    assert verdicts == {
        "first.weight": "fail", "first.bias": "fail", "second.weight": "pass",
        "second.bias": "pass",
    }  # fmt: skip


@pytest.mark.needs_torch
def test_without_a_search_no_entry_is_named(check):
    ran = check("mine.py:wrong", "--no-thorough", "--no-locate")
    assert ran.code == 1
    assert "wrong are" not in ran.out


@pytest.mark.needs_torch
def test_a_module_that_draws_is_inconclusive(check):
    ran = check("mine.py:random")
    assert (ran.code, ran.err) == (3, "")
    assert ran.out.startswith("Gradient check: inconclusive, J or its gradient changes from ")


@pytest.mark.needs_torch
def test_rows_of_a_batch(check, reported):
    ran = check("mine.py:named", "--rows", 10, "--no-thorough")
    assert ran.code == 0
    assert "; 10 of 40 examples, " in ran.out
    assert reported[0][0].n_examples == 10


@pytest.mark.parametrize(
    ("total", "n", "rows"),
    [(10, 3, [0, 4, 9]), (5, 0, range(5)), (3, 64, range(3)), (7, 1, [0]), (1, 64, [0])],
)
def test_rows_are_spread_evenly(total, n, rows):
    assert spread_rows(total, n).tolist() == list(rows)


def test_coordinates(check):
    ran = check(*IRIS, "--hidden", "none", "--method", "coordinates", "--no-thorough")
    assert ran.code == 0
    assert "15 of 15 parameters." in ran.out
    assert "lines through each block" not in ran.out


def test_quiet_prints_the_first_line(check):
    loud, quiet = check(*IRIS, *LEAST), check(*IRIS, *LEAST, "--quiet", "--json", "r.json")
    assert quiet.out == loud.out.splitlines()[0] + "\n"
    assert quiet.code == 0


@pytest.mark.needs_torch
@pytest.mark.parametrize(("function", "code"), [("right", 0), ("wrong", 1), ("random", 3)])
def test_the_report_as_json(check, function, code):
    ran = check(f"mine.py:{function}", "--json", "r.json")
    assert ran.code == code
    assert ran.out.splitlines()[-1] == "The report, as JSON: r.json"

    def refuse(constant):
        raise AssertionError(constant)

    record = json.loads(Path("r.json").read_text("utf-8"), parse_constant=refuse)
    assert record["verdict"] == {0: "pass", 1: "fail", 3: "inconclusive"}[code]
    assert record["tolerance"] is None  # NaN in the report: there is none along lines
    if function == "random":  # no number means anything
        assert record["also"] == {}
        assert {block["relative_error"] for block in record["blocks"]} == {None}
        return
    assert [*record["also"]] == ["after 10 steps"]
    worst = max(block["relative_error"] for block in record["blocks"])
    assert f"{worst:.1e}" in ran.out


def test_json_holds_every_number_of_the_report(check, monkeypatch):
    kept = []

    def keep(*words, **arguments):
        kept.append(check_gradient(*words, **arguments))
        return kept[0]

    monkeypatch.setattr(check_run, "check_gradient", keep)
    check(*IRIS, *LEAST, "--json", "r.json")

    def same(read, known):
        if isinstance(known, dict):
            assert read.keys() == known.keys()
            return all(same(read[key], known[key]) for key in known)
        if isinstance(known, list | tuple):
            return all(same(one, other) for one, other in zip(read, known, strict=True))
        return read is None if known != known or known == math.inf else read == known

    assert same(json.loads(Path("r.json").read_text("utf-8")), kept[0].to_dict())


FUNCTION = "mine.py:right"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "What is checked must be a model and a table"),
        (("good.csv",), "--target must name the column to learn. Got none."),
        (("missing.csv", "--target", "kind"), "'missing.csv' must be an existing file"),
        (("good.csv", "--target", "knid"), "Did you mean 'kind'?"),
        (("good.csv", "--target", "kind", "--drop", "colour"), "Did you mean 'color'?"),
        (("good.csv", "--target", "kind", "--drop", "kind"), "--drop must name a column other"),
        (("good.csv", "--target", "kind", "--task", "regression"), "must hold numbers. Got 'a'"),
        (("--dataset", "irs"), "Did you mean 'iris'?"),
        ((*IRIS, "--hidden", "2,x"), "--hidden must be numbers of units"),
        ((*IRIS, "--activation", "tahn"), "Did you mean 'tanh'?"),
        ((*IRIS, "--loss", "cross_entrpy"), "Did you mean 'cross_entropy'?"),
        (("--dataset", "diabetes", "--loss", "cross_entropy"), "must be 2 or more"),
        ((*IRIS, "--init", "glorot"), "Did you mean 'glorot_"),
        ((*IRIS, "--epsilon", "0.1", "--init", "zeros"), "--epsilon must come with --init"),
        ((*IRIS, "--alpha", "-1"), "--alpha must be a finite number, 0 or above. Got -1.0"),
        ((*IRIS, "--dtype", "float16"), "dtype must be float32 or float64"),
        ((*IRIS, "--rows", "-1"), "--rows must be 0 or above. Got -1."),
        ((*IRIS, "--seed", "-1"), "--seed must be 0 or above. Got -1."),
        ((*IRIS, "--method", "direction"), "Did you mean 'directions'?"),
        ((*IRIS, "--start", "0"), "--start must come with a saved model. Got it with a table"),
        ((*IRIS, "--json", "no/f.json"), "The folder of output 'no/f.json' must exist"),
        (("missing.csv", "--target", "kind", "--json", "no/f.json"), "The folder of output"),
        ((*IRIS, "--json", "."), "Output '.' must be a file that can be written"),
        (("good.csv", "--target", "kind", "--json", "good.csv"), "must be a file of its own"),
        ((FUNCTION, "--json", "mine.py"), "must be a file of its own"),
        (("m.symbreak", "good.csv", "--json", "m.symbreak"), "must be a file of its own"),
        (("m.symbreak",), "A model must be followed by a table"),
        (("m.symbreak", "good.csv", *IRIS), "DATA must stand alone after a model"),
        (("missing", "good.csv"), "Model 'missing' must be an existing file"),
        (("good.csv", "good.csv"), "Model 'good.csv' must be a whole symbreak model file"),
        (("m.symbreak", "missing.csv"), "'missing.csv' must be an existing file"),
        (("m.symbreak", "bare.csv"), "must have every column"),
        (("m.symbreak", "other.csv"), "must hold the classes of the training, 'a', 'b'"),
        (("m.symbreak", "good.csv", "--start", "3"), "of the model, 0 to 2. Got 3."),
        (("m.symbreak", "good.csv", "--start", "-1"), "--start must be 0 or above. Got -1."),
        (("m.symbreak", "good.csv", "--hidden", "3"), "--hidden must come with a table"),
        (("m.symbreak", "good.csv", "--target", "kind"), "--target must come with a table"),
        (("mine.py",), "must be given with its function, as FILE.py:FUNCTION. Got 'mine.py'"),
        (("mine.py:",), "must be given with its function"),
        (("missing.py:f",), "Program 'missing.py' must be an existing file"),
        ((FUNCTION, "good.csv"), "DATA must stand alone after a model. Got it beside FILE.py"),
        ((FUNCTION, *IRIS), "--dataset must come with a saved model or a table"),
        ((FUNCTION, "--alpha", "1"), "--alpha must come with a saved model or a table"),
        (("a", "b", "c"), "unexpected extra argument"),
        ((*IRIS, "--colour", "red"), "No such option: --colour"),
        *(pytest.param(*case, marks=pytest.mark.needs_torch) for case in BAD_PROGRAMS),
        pytest.param(
            (*IRIS, "--device", "abacus"), "device must be", marks=pytest.mark.needs_torch
        ),
    ],
)
def test_bad_input(run, check, words, sentence):
    if "m.symbreak" in words:
        run("train", "--quick", "good.csv", "--target", "kind", "--starts", 3, "--hidden", 2,
            "--max-iter", 2, "--model", "m.symbreak", "--quiet")  # fmt: skip
    before = {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}
    ran = check(*words)
    assert ran.code == 2
    assert sentence in ran.err
    assert len(re.findall(r"\bError: ", ran.err)) == 1
    assert ran.err.rstrip().count("\n") == 0 or ran.err.startswith("Usage: ")
    assert ran.out == ""
    after = {name: Path(name).read_bytes() for name in os.listdir() if os.path.isfile(name)}
    assert after == before
