"""Tables without a line of names, from the training to the page: no row is lost on the way."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_iris

from symbreak.errors import InvalidInput
from symbreak.model_file import load_model, save_model
from symbreak.tables.read import read_table
from symbreak.training.model import Model

FEW = ("--quick", "--starts", 2, "--hidden", 3, "--max-iter", 20, "--alpha", 0.1)


@pytest.fixture
def flowers(tmp_path):
    """Iris as it is handed round: 150 rows, four numbers and a name, no header."""
    bunch = load_iris()
    order = np.random.default_rng(0).permutation(150)
    lines = [
        ",".join([*map(str, bunch.data[row]), f"Iris-{bunch.target_names[bunch.target[row]]}"])
        for row in order
    ]
    path = tmp_path / "iris.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def without(path, place, name):
    """Write the same rows without one column."""
    lines = [line.split(",") for line in path.read_text().splitlines()]
    found = path.with_name(name)
    found.write_text("".join(",".join(c[:place] + c[place + 1 :]) + "\n" for c in lines))
    return found


@pytest.fixture
def model(run, flowers, tmp_path):
    path = tmp_path / "m.symbreak"
    ran = run("train", flowers, "--target", "column_5", *FEW, "--model", path,
              "--json", tmp_path / "run.json", "--report", tmp_path / "r.html")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "Note: The first line of 'iris.csv' was read as values" in ran.err
    return path


def test_every_row_is_trained_on_or_scored(model, tmp_path):
    data = json.loads((tmp_path / "run.json").read_text())["data"]
    assert data["rows"] == 150
    assert data["train_rows"] + data["validation_rows"] + data["holdout_rows"] == 150
    assert (data["header"], data["target"], data["columns"]) == (False, "column_5", 4)
    assert Model.load(model).n_unnamed == 5


@pytest.mark.parametrize("with_target", [True, False])
@pytest.mark.parametrize("rows", [150, 1])
def test_a_model_predicts_every_row_with_and_without_the_target(
    run, model, flowers, tmp_path, with_target, rows
):
    table = read_table(flowers)
    wanted = Model.load(model).predict(table)[:rows]
    new = tmp_path / "new.csv"
    source = flowers if with_target else without(flowers, 4, "x.csv")
    new.write_text("".join(source.read_text().splitlines(keepends=True)[:rows]))
    ran = run("predict", model, new, "-o", tmp_path / "p.csv")
    assert ran.code == 0, ran.err
    assert pl.read_csv(tmp_path / "p.csv")["prediction"].to_list() == wanted.tolist()


@pytest.mark.parametrize("target", [1, 3, 5])
def test_rows_without_the_target_keep_their_places_wherever_it_was(run, flowers, tmp_path, target):
    model = tmp_path / "m.symbreak"
    drop = () if target == 5 else ("--drop", "column_5")
    words = (
        "train",
        "--quick",
        flowers,
        "--target",
        f"column_{target}",
        *drop,
        *FEW,
        "--model",
        model,
    )
    assert run(*words).code == 0
    new = without(flowers, target - 1, "new.csv")
    found = [tmp_path / "with.csv", tmp_path / "without.csv"]
    for path, rows in zip(found, (flowers, new), strict=True):
        ran = run("predict", model, rows, "-o", path)
        assert ran.code == 0, ran.err
    assert found[0].read_text() == found[1].read_text()


def test_a_table_of_another_width_is_refused(run, model, flowers):
    ran = run("predict", model, without(without(flowers, 4, "a.csv"), 0, "b.csv"))
    assert ran.code == 2
    assert "must have the 5 columns of the training, or the 4 beside its target" in ran.err


def test_other_commands_read_the_rows_alike(run, model, flowers, tmp_path):
    assert run("report", model, flowers, "--json", tmp_path / "s.json").code == 0
    assert json.loads((tmp_path / "s.json").read_text())["scores"]["rows"] == 150
    assert "150 rows of iris.csv" in run("check-gradient", model, flowers, "--rows", 0).out
    ran = run("diagnose", model, flowers, "--rows", 0)
    assert ran.code in (0, 1), ran.err
    ran = run("check-gradient", flowers, "--target", "column_5", "--rows", 0)
    assert "150 rows of iris.csv" in ran.out
    assert "was read as values" in ran.err
    ran = run("lesson", flowers, "--target", "column_5", "--updates", 2, "--hidden", 2)
    assert "150 examples" in ran.out
    assert "was read as values" in ran.err


def test_a_test_file_is_read_as_the_training(run, flowers, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("".join(flowers.read_text().splitlines(keepends=True)[:7]))
    ran = run("train", flowers, "--target", "column_5", "--test", test, *FEW,
              "--json", tmp_path / "r.json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert json.loads((tmp_path / "r.json").read_text())["data"]["holdout_rows"] == 7


def test_the_page_tells_how_to_train_the_same(run, flowers, tmp_path):
    ran = run("train", flowers, "--target", "column_5", "--no-header", "--test", flowers, *FEW,
              "--report", tmp_path / "r.html", "--json", tmp_path / "r.json")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "was read as values" not in ran.err
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "--no-header" in page
    assert "header=False" in page
    assert json.loads((tmp_path / "r.json").read_text())["settings"]["header"] is False


def test_a_name_that_is_not_there_is_told_why(run, flowers):
    ran = run("train", flowers, "--target", "species", *FEW)
    assert ran.code == 2
    assert "'iris.csv', which has no names in its first line: 'column_1', 'column_2'" in ran.err


YEARS = "2001,2002,2003,region\n" + "".join(
    f"{1990 + 7 * row},{500 + 31 * row},{2500 - 29 * row},{'north' if row % 2 else 'south'}\n"
    for row in range(40)
)


def test_years_as_names_stay_names_also_for_the_model(run, tmp_path):
    (tmp_path / "years.csv").write_text(YEARS)
    model = tmp_path / "m.symbreak"
    words = (
        "train",
        "--quick",
        tmp_path / "years.csv",
        "--target",
        "region",
        *FEW,
        "--model",
        model,
    )
    ran = run(*words)
    assert ran.code == 0, ran.err
    assert "40 rows, 3 columns" in ran.out
    assert "was read as the names of the columns, though it holds numbers" in ran.err
    assert "though" not in run(*words, "--header").err
    # Rows to predict are read by what is known, not told again from one row of numbers.
    (tmp_path / "new.csv").write_text("2003,2001,2002\n2400,1995,520\n")
    ran = run("predict", model, tmp_path / "new.csv")
    assert len(ran.out.splitlines()) == 2, ran.err


def test_rows_without_the_names_of_the_training_are_refused_with_what_they_have(run, tmp_path):
    (tmp_path / "t.csv").write_text(
        "a,b,y\n" + "".join(f"{j},{j * j},{j % 2}\n" for j in range(40))
    )
    model = tmp_path / "m.symbreak"
    assert run("train", tmp_path / "t.csv", "--target", "y", *FEW, "--model", model).code == 0
    (tmp_path / "new.csv").write_text("1.5,2.5\n3.5,4.5\n")
    ran = run("predict", model, tmp_path / "new.csv")
    assert ran.code == 2
    assert "none named 'a', 'b'. Its columns are '1.5', '2.5'." in ran.err
    ran = run("predict", model, tmp_path / "new.csv", "--no-header")
    assert "Its columns are 'column_1', 'column_2'." in ran.err


def test_a_model_from_before_reads_a_first_line_as_names(model, tmp_path):
    arrays, settings = load_model(model)
    del settings["unnamed_columns"]
    save_model(tmp_path / "older.symbreak", arrays, settings)
    assert Model.load(tmp_path / "older.symbreak").n_unnamed == 0


@pytest.mark.parametrize("wrong", [True, "5", None, 5.0])
def test_a_model_with_another_kind_of_entry_is_refused(model, tmp_path, wrong):
    arrays, settings = load_model(model)
    save_model(tmp_path / "odd.symbreak", arrays, {**settings, "unnamed_columns": wrong})
    with pytest.raises(InvalidInput, match="Setting 'unnamed_columns' must be of kind int"):
        Model.load(tmp_path / "odd.symbreak")


WORDS = [f"{'abc'[j % 3]},{'uv'[j % 2]},{'yes' if j % 3 else 'no'}" for j in range(60)]


@pytest.fixture
def of_words(run, tmp_path):
    """A model of words alone, trained on a file without names."""
    (tmp_path / "words.csv").write_text("\n".join(WORDS) + "\n")
    path = tmp_path / "words.symbreak"
    ran = run("train", tmp_path / "words.csv", "--target", "column_3", *FEW, "--model", path)
    assert ran.code == 0, ran.err
    return path


def predicted(run, model, tmp_path, lines, *options):
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n")
    return run("predict", model, tmp_path / "new.csv", *options)


@pytest.mark.parametrize(
    "lines",
    [
        ["letter,kind", *(line.rsplit(",", 1)[0] for line in WORDS[:6])],
        ["letter,kind,answer", *WORDS[:6]],
        ["a letter,,answer", *WORDS[:6]],
    ],
)
def test_a_line_of_names_is_no_row_for_a_model_without_names(run, of_words, tmp_path, lines):
    ran = predicted(run, of_words, tmp_path, lines)
    assert ran.code == 2
    assert ran.out == ""
    assert "say --header if they are names, --no-header if they are values" in ran.err
    ran = predicted(run, of_words, tmp_path, lines, "--no-header")
    assert len(ran.out.splitlines()) == 1 + 7, ran.err


def test_names_over_numbers_are_no_row_either(run, model, flowers, tmp_path):
    rows = flowers.read_text().splitlines()[:6]
    ran = predicted(run, model, tmp_path, ["a,b,c,d,kind", *rows])
    assert ran.code == 2
    assert "say --header if they are names" in ran.err


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1], [1, 0]])
def test_the_names_that_we_gave_are_names(run, of_words, tmp_path, order):
    cells = [line.split(",") for line in ["column_1,column_2,column_3", *WORDS[:6]]]
    lines = [",".join(line[j] for j in order) for line in cells]
    named = predicted(run, of_words, tmp_path, lines)
    assert named.code == 0, named.err
    assert named.out == predicted(run, of_words, tmp_path, WORDS[:6]).out


@pytest.mark.parametrize("row", ["new,u,yes", "new,u", "a,new", ",u"])
def test_a_first_row_with_something_known_is_a_row(run, of_words, tmp_path, row):
    ran = predicted(run, of_words, tmp_path, [row])
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == 2
