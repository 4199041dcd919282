"""`symbreak lesson` as a reader meets it."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from symbreak.lesson import run_lesson

QUICK = ("--hidden", "4", "--updates", "5")


@pytest.fixture(autouse=True)
def narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def balanced(tmp_path):
    """Two classes of 20 rows each, with a category and a missing value."""
    random = np.random.default_rng(0)
    lines = ["length,color,shelf,kind"]
    for row in range(40):
        length = "" if row == 3 else f"{random.normal() + row % 2:.3f}"
        lines.append(f"{length},{random.choice(['red', 'blue'])},A,{('no', 'yes')[row % 2]}")
    path = tmp_path / "[bold]kinds.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def steps_of(out):
    """Return the text of the opening and of every step, on one line each, without frames."""
    texts = re.split(r"--- \d+ of \d+\. .* ---", out)
    return [" ".join(re.sub(r"[│┃]", "|", text).split()) for text in texts]


def row_of(step, *cells):
    return re.search(r"\| *" + r" \| ".join(map(re.escape, cells)), step)


def test_html_writes_a_page_instead_and_its_numbers_as_json(run, balanced, tmp_path):
    page, numbers = tmp_path / "lesson.html", tmp_path / "lesson.json"
    ran = run(
        "lesson", balanced, "--target", "kind", "--html", page, "--json", numbers,
        "--hidden", "3,2", "--updates", "1",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "--- 1 of" not in ran.out
    told = json.loads(numbers.read_text("utf-8"))
    text = page.read_text("utf-8")
    stored = re.search(r'type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert stored
    assert json.loads(stored[1]) == told
    own, *planes = told["scenes"]
    assert own["n_examples"] == 40
    assert [network["hidden"] for network in own["networks"]] == ["0", "4", "3-2"]
    assert own["classes"] == ["no", "yes"]
    assert [scene["key"] for scene in planes] == ["xor", "circles", "spirals"]


def test_a_column_that_cannot_be_used_is_left_out_as_the_message_says(run, tmp_path):
    lines = ["name,length,kind", *(f"name {row},{row % 7},{'ab'[row % 2]}" for row in range(60))]
    table = tmp_path / "named.csv"
    table.write_text("\n".join(lines) + "\n")
    words = ("lesson", table, "--target", "kind", *QUICK)
    ran = run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("or leave it out with --drop name.\n")
    assert run(*words, "--drop", "name").code == 0


def test_html_needs_two_units_to_put_side_by_side(run, balanced, tmp_path):
    page = tmp_path / "lesson.html"
    ran = run("lesson", balanced, "--target", "kind", "--html", page, "--hidden", "1")
    assert ran.code != 0
    assert "at least 2 units" in ran.err
    assert not page.exists()


def test_html_without_jinja2_says_so_before_any_work(run, balanced, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr("symbreak.lesson.page.lesson_data", None)
    ran = run("lesson", balanced, "--target", "kind", "--html", tmp_path / "lesson.html")
    assert ran.code != 0
    assert 'pip install "symbreak[report]"' in ran.err


def test_the_default_is_digits_and_every_number_is_in_the_json(run, tmp_path):
    path = tmp_path / "lesson.json"
    ran = run("lesson", "--json", path)
    assert ran.code == 0, ran.err
    told = json.loads(path.read_text("utf-8"))
    assert told["source"] == "digits"
    assert told["layers"] == [64, 25, 10]
    assert told["n_examples"] == 1797
    opening, logistic, units, training, *_, last = steps_of(ran.out)
    assert "64-25-10" in opening
    assert "Pixels are scaled to [0, 1]." in opening
    for fact in told["logistic_regression"]:
        assert row_of(logistic, fact["method"], "0", f"{fact['before']['J']:.4g}")
        assert fact["end"]["accuracy"] > 0.9
    zeros = told["starts"][0]
    for name in zeros["pairs"][3]["names"]:
        assert row_of(units, name, f"{zeros['pairs'][3]['derivatives'][0]:.6g}")
    for fact in zeros["runs"]:
        assert row_of(training, fact["method"], "0", f"{fact['before']['J']:.4g}")
        for point in (fact["after_one"], fact["end"]):
            cells = (str(point["updates"]), f"{point['J']:.4g}", f"{point['accuracy']:.3f}")
            assert row_of(training, *cells, "1 of 25")
    lowest = min(fact["end"]["J"] for fact in zeros["runs"])
    assert f"J falls from {zeros['runs'][0]['before']['J']:.4g} to {lowest:.4g}" in training
    assert "left Theta1 at exactly 0" in training
    assert "exact symmetry" in training
    for start in told["starts"]:
        for fact in start["runs"]:
            assert row_of(last, start["rule"], fact["method"], f"{fact['end']['J']:.4g}")
    assert str(path) in ran.out.replace("\n", "")


def test_the_digits_are_scaled_to_1_and_the_options_arrive(run, tmp_path):
    path = tmp_path / "lesson.json"
    options = {"hidden": (3, 2), "epsilon": 0.5, "updates": 2, "seed": 4}
    words = ("--hidden", "3,2", "--epsilon", "0.5", "--updates", "2", "--seed", "4")
    assert run("lesson", *words, "--json", path).code == 0
    told = json.loads(path.read_text("utf-8"))
    X, y = load_digits(return_X_y=True)
    expected = json.loads(json.dumps(run_lesson(X / 16, y, range(10), **options).to_dict()))
    assert {name: told[name] for name in expected} == expected


def test_random_units_win_on_digits(run, tmp_path):
    path = tmp_path / "lesson.json"
    assert run("lesson", "--updates", "40", "--json", path).code == 0
    zeros, constant, uniform = json.loads(path.read_text("utf-8"))["starts"]
    for number, fact in enumerate(uniform["runs"]):
        for symmetric in (zeros, constant):
            other = symmetric["runs"][number]["end"]
            assert other["distinct_units"] == [1]
            assert fact["end"]["J"] < other["J"]
            assert fact["end"]["accuracy"] > other["accuracy"] + 0.2
        assert fact["end"]["distinct_units"] == [25]


def test_every_step_fits_80_columns_and_a_screen(run):
    out = run("lesson", *QUICK).out
    assert max(map(len, out.splitlines())) <= 80
    steps = re.split(r"--- \d+ of \d+\. .* ---", out)
    assert len(steps) == 10
    assert max(len(step.splitlines()) for step in steps) <= 40


def test_a_file_with_a_category_a_gap_and_a_constant_column(run, balanced, tmp_path):
    path = tmp_path / "lesson.json"
    ran = run("lesson", balanced, "--target", "kind", *QUICK, "--json", path)
    assert ran.code == 0, ran.err
    told = json.loads(path.read_text("utf-8"))
    assert told["layers"] == [3, 4, 2]
    assert told["classes"] == ["no", "yes"]
    opening = steps_of(ran.out)[0]
    assert "[bold]kinds.csv" in opening
    assert "Dropped constant column 'shelf'." in opening
    assert "Imputed 1 missing value" in opening


def test_a_stationary_start_is_called_so(run, balanced):
    training = steps_of(run("lesson", balanced, "--target", "kind", *QUICK).out)[3]
    assert "The start is stationary" in training
    assert "not convergence to a minimum" in training
    assert "J falls" not in training
    assert "left Theta1" not in training


def test_a_single_update_makes_no_false_claim_about_later(run):
    training = steps_of(run("lesson", "--dataset", "iris", "--updates", "1").out)[3]
    assert "left Theta1 at exactly 0" in training
    assert "no longer 0" not in training


def test_two_hidden_layers(run):
    ran = run("lesson", "--dataset", "wine", "--hidden", "4, 3", "--updates", "3")
    assert ran.code == 0, ran.err
    assert "1 of 4, 1 of 3" in ran.out
    assert "4 of 4, 3 of 3" in ran.out


def test_the_seed_changes_the_random_start_only(run):
    one, two = (
        steps_of(run("lesson", "--dataset", "iris", *QUICK, "--seed", seed).out) for seed in (1, 2)
    )
    assert one[1:6] == two[1:6]
    assert one[6] != two[6]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere.csv", "--target", "kind"), "Data file 'nowhere.csv' must be an existing file"),
        (("--dataset", "irs"), "Did you mean 'iris'?"),
        (("--dataset", "diabetes"), "must hold classes for the lesson"),
        (("some.csv",), "--target must name the column"),
        (("some.csv", "--dataset", "iris"), "one file or one --dataset NAME. Got both"),
        (("--dataset", "iris", "--target", "tagret"), "Column 'tagret' must be a column"),
        (("--hidden", "many"), "--hidden must be numbers of units"),
        (("--hidden", "none"), "--hidden must be numbers of units"),
        (("--hidden", "1"), "at least 2 units"),
        (("--hidden", "0"), "at least 2 units"),
        (("--epsilon", "0"), "epsilon of Uniform must be a positive number"),
        (("--updates", "0"), "updates of the lesson must be 1 or more"),
        (("--seed", "-1"), "seed of initialize must be at least 0"),
        (("--json", "no/such/folder/lesson.json"), "The folder of output"),
        (("--html", "x.html", "--seed", "-1"), "seed of the lesson must be zero or a positive"),
        (("--html", "x.html", "--updates", "0"), "updates of the lesson must be"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, words, sentence):
    ran = run("lesson", *words)
    assert ran.code == 2
    assert sentence in ran.err
    assert ran.err.startswith("Error: ")
    assert len(ran.err.strip().splitlines()) == 1
    assert ran.out == ""
