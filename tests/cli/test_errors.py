"""Bad input: one sentence, exit code 2, no traceback, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "good.csv": "x,color,kind,price\n" + "1.5,red,a,3\n2.5,green,b,4.5\n0.5,red,a,6\n" * 8,
    "empty.csv": "",
    "header.csv": "x,kind\n",
    "one.csv": "x,kind\n" + "1,a\n2,a\n3,a\n" * 5,
    "nan.csv": "x,price\n" + "1,2.5\n2,nan\n3,4.5\n" * 5,
    "inf.csv": "x,price\n" + "1,2.5\n2,inf\n3,4.5\n" * 5,
    "dates.csv": "day,kind\n" + "2024-01-01,a\n2024-01-02,b\n2024-01-03,a\n" * 5,
    "data.xyz": "x,kind\n1,a\n",
}
GOOD = ("good.csv", "--target", "kind")
IRIS = ("--dataset", "iris")
QUICK = ("--quick", *IRIS, "--starts", 1, "--hidden", 2, "--max-iter", 2)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents() -> dict[str, bytes]:
    return {name: Path(name).read_bytes() for name in os.listdir()}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Got neither"),
        (("good.csv", "--dataset", "iris"), "Got both"),
        (("good.csv",), "--target must name the column to learn"),
        (("missing.csv", "--target", "kind"), "'missing.csv' must be an existing file"),
        (("empty.csv", "--target", "kind"), "empty"),
        (("header.csv", "--target", "kind"), "at least one row"),
        (("data.xyz", "--target", "kind"), "must end in .csv"),
        (("good.csv", "--target", "knid"), "Did you mean 'kind'?"),
        (("one.csv", "--target", "kind"), "must have at least two classes. Got only 'a'"),
        (("good.csv", "--target", "color", "--task", "regression"), "must hold numbers. Got 'red'"),
        (("nan.csv", "--target", "price"), "must have a value in every row. Got 5 rows"),
        (("inf.csv", "--target", "price"), "finite"),
        (("dates.csv", "--target", "kind"), "Column 'day' of 'dates.csv' must hold numbers or"),
        ((*GOOD, "--drop", "colour"), "Did you mean 'color'?"),
        ((*GOOD, "--task", "regresion"), "Did you mean 'regression'?"),
        ((*GOOD, "--test", "missing.csv"), "'missing.csv' must be an existing file"),
        ((*GOOD, "--test", "one.csv"), "must have every column"),
        (("--dataset", "digit"), "Did you mean 'digits'?"),
        ((*IRIS, "--hidden", "25,0"), "layer 3 has 0 units"),
        ((*IRIS, "--hidden", "25,x"), "--hidden must be numbers of units"),
        ((*IRIS, "--hidden", "-3"), "must be positive integers"),
        ((*IRIS, "--hidden", "1000000000000"), "The memory of this machine must hold"),
        ((*IRIS, "--hidden", "1" + "0" * 19), "The memory of this machine must hold"),
        ((*IRIS, "--activation", "tahn"), "Did you mean 'tanh'?"),
        ((*IRIS, "--activation", "tanh,relu"), "activation"),
        ((*IRIS, "--init", "glorot"), "Did you mean 'glorot_"),
        ((*IRIS, "--epsilon", "0"), "epsilon"),
        ((*IRIS, "--epsilon", "nan"), "epsilon"),
        ((*IRIS, "--epsilon", "0.1", "--init", "zeros"), "--epsilon must come with --init uniform"),
        ((*IRIS, "--starts", "0"), "starts"),
        ((*IRIS, "--starts", "many"), "'--starts'"),
        ((*IRIS, "--seed", "-1"), "--seed must be 0 or above"),
        ((*IRIS, "--combine", "averge"), "Did you mean 'average'?"),
        ((*IRIS, "--combine", "best", "--validation", "0"), "must have a validation part"),
        ((*IRIS, "--method", "lbfgs"), "Did you mean 'l-bfgs'?"),
        ((*IRIS, "--method", "scipy:BFSG"), "Did you mean 'scipy:BFGS'?"),
        ((*IRIS, "--method", "scipy:BFGS", "--momentum", "0.5"), "--momentum must come with"),
        ((*IRIS, "--learning-rate", "0.1"), "must come with --method gradient-descent"),
        (
            (*IRIS, "--method", "gradient-descent", "--momentum", "1"),
            "momentum of gradient-descent must be",
        ),
        (
            (*IRIS, "--method", "gradient-descent", "--learning-rate", "0"),
            "learning_rate of gradient-descent must be",
        ),
        ((*IRIS, "--alpha", "-1"), "--alpha must be a finite number, 0 or above. Got -1.0"),
        ((*IRIS, "--alpha", "nan"), "--alpha must be a finite number"),
        ((*IRIS, "--max-iter", "-1"), "max_iter must be"),
        ((*IRIS, "--holdout", "0"), "holdout must be a share"),
        ((*IRIS, "--holdout", "0.99"), "choose smaller shares"),
        ((*GOOD, "--test", "good.csv", "--holdout", "0.3"), "--holdout must not stand beside"),
        ((*GOOD, "--drop", "kind"), "--drop must name a column other than the target"),
        ((*IRIS, "--drop", "target"), "--drop must name a column other than the target"),
        ((*IRIS, "--validation", "1"), "validation must be a share"),
        ((*IRIS, "--dtype", "float16"), "dtype must be float32 or float64"),
        pytest.param(
            (*IRIS, "--device", "abacus"), "device must be", marks=pytest.mark.needs_torch
        ),
        pytest.param(
            (*IRIS, "--device", "meta"),
            "device must be one that PyTorch can use here",
            marks=pytest.mark.needs_torch,
        ),
        ((*IRIS, "--model", "no/such/folder/m"), "The folder of output 'no/such/folder/m'"),
        ((*IRIS, "--json", "."), "Output '.' must be a file that can be written"),
        ((*GOOD, "--model", "good.csv"), "Output 'good.csv' must be a file of its own"),
        ((*IRIS, "--model", "m", "--json", "m"), "Output 'm' must be a file of its own"),
        ((*IRIS, "--colour", "red"), "No such option: --colour"),
    ],
)
def test_bad_input_to_train(run, words, sentence):
    before = sorted(os.listdir())
    outputs = () if "--model" in words else ("--model", "model.symbreak")
    ran = run("train", "--quick", *words, *outputs, "--quiet")
    assert ran.code == 2
    assert sentence in ran.err
    assert ran.err.count("Error: ") == 1
    assert ran.err.rstrip().count("\n") == 0 or ran.err.startswith("Usage: ")
    assert ran.out == ""
    assert sorted(os.listdir()) == before
    assert Path("good.csv").read_text(encoding="utf-8") == FILES["good.csv"]


def test_an_unwritable_output_is_found_before_anything_is_read(run):
    ran = run("train", "--quick", "missing.csv", "--target", "kind", "--json", "no/folder/f.json")
    assert ran.code == 2
    assert "The folder of output" in ran.err


def test_an_unknown_command(run):
    ran = run("trian")
    assert ran.code == 2
    assert "No such command 'trian'" in ran.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("missing", "good.csv"), "Model 'missing' must be an existing file"),
        (("good.csv", "good.csv"), "Model 'good.csv' must be a whole symbreak model file"),
        (("model", "missing.csv"), "'missing.csv' must be an existing file"),
        (("model", "one.csv"), "'sepal"),
        (("model", "good.csv", "-o", "no/p.csv"), "The folder of output 'no/p.csv' must exist"),
        (("model", "good.csv", "-o", "good.csv"), "must be a file of its own"),
        ((".", "good.csv"), "Model '.' must be a file. Got a folder"),
        (("model", "good.csv", "-o", "p.xlsx"), "must end in .csv, .tsv, .txt or .parquet"),
        (("model", "good.csv", "-o", "model"), "must be a file of its own"),
        (("model",), "Missing argument"),
    ],
)
def test_bad_input_to_predict(run, words, sentence):
    run(
        "train", "--quick", *IRIS, "--starts", 1, "--hidden", 2, "--max-iter", 2, "--model", "model"
    )
    before = contents()
    ran = run("predict", *words)
    assert ran.code == 2
    assert sentence in ran.err
    assert ran.err.count("Error: ") == 1
    assert ran.out == ""
    assert contents() == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "words", [("--help",), ("train", *map(str, QUICK)), ("predict", "model", "x.csv")]
)
def test_a_full_standard_output_is_one_sentence(run, words):
    run(
        "train", "--quick", *IRIS, "--starts", 1, "--hidden", 2, "--max-iter", 2, "--model", "model"
    )
    columns = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
    Path("x.csv").write_text(",".join(columns) + "\n1,2,3,4\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "symbreak", *words], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert done.stderr.decode().startswith("Error: Standard output must take what is printed.")
    assert done.stderr.count(b"\n") == 1
