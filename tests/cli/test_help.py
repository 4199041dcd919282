from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from symbreak.cli import main

PROGRAM = """
import sys
from symbreak.cli import main
code = main(sys.argv[1:])
heavy = {"torch", "numpy", "scipy", "sklearn", "polars", "safetensors"} & set(sys.modules)
sys.exit(f"exit code {code}, imported {heavy}" if code or heavy else 0)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["train", "--help"],
        ["predict", "--help"],
        ["check-gradient", "--help"],
        ["diagnose", "--help"],
        ["lesson", "--help"],
        ["--version"],
    ],
)
def test_help_imports_nothing_heavy(words):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "symbreak" in done.stdout


def test_python_m_symbreak_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "symbreak", "train"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The data must be one file or one --dataset NAME.")


def test_help_names_every_choice(run):
    from symbreak.activations import ACTIVATIONS
    from symbreak.initialization.rules import BY_NAME
    from symbreak.optimize.methods import METHODS
    from symbreak.tables.datasets import DATASETS
    from symbreak.training import COMBINES

    words = set(re.split(r"[\s,.;()]+", run("train", "--help").out))
    assert {*ACTIVATIONS, *BY_NAME, *METHODS, *DATASETS, *COMBINES} <= words


def test_help_of_the_gradient_check_names_every_choice(run):
    from symbreak.gradient_check.check import METHODS
    from symbreak.losses import LOSSES
    from symbreak.tables.datasets import DATASETS

    shown = re.sub(r"-\n +", "-", run("check-gradient", "--help").out)
    words = set(re.split(r"[\s,.;:()]+", shown))
    assert {*METHODS, *LOSSES, *DATASETS} <= words


def test_help_of_the_diagnosis_names_every_choice(run):
    from symbreak.cli.diagnose import LEVELS, OPTIMIZERS, UPDATES, WEIGHT_ENDINGS
    from symbreak.tables.datasets import DATASETS

    shown = re.sub(r"-\n +", "-", run("diagnose", "--help").out)
    words = set(re.split(r"[\s,.;:()]+", shown))
    assert {*LEVELS, *OPTIMIZERS, *UPDATES, *DATASETS} <= words
    assert {ending[1:] for ending in WEIGHT_ENDINGS} <= {word.lower() for word in words}


@pytest.mark.needs_torch
def test_the_choices_of_the_diagnosis_are_those_of_the_library():
    from symbreak import findings as finding
    from symbreak.cli import diagnose as options
    from symbreak.cli.diagnose_subjects import UPDATE
    from symbreak.cli.train import TrainOptions
    from symbreak.modules.weight_scan import files as weight_files
    from symbreak.modules.weight_scan import scan as weights
    from symbreak.optimize.methods import find_method
    from symbreak.symmetry import certificate

    assert finding.LEVELS == options.LEVELS
    assert sorted(certificate.UPDATES) == sorted(options.UPDATES)
    assert (".safetensors", *weight_files.PICKLED) == options.WEIGHT_ENDINGS
    assert find_method(TrainOptions(dataset="iris").method).update == UPDATE
    assert weights.DEFAULT_BUDGET == 67108864  # as the help says


def test_commands_are_listed(run):
    shown = run("--help")
    assert shown.code == 0
    assert "train " in shown.out
    assert "predict " in shown.out
    assert "check-gradient " in shown.out
    assert "diagnose " in shown.out


def test_without_its_packages_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["--help"]) == 2
    assert 'pip install "symbreak[cli]"' in capsys.readouterr().err


@pytest.mark.parametrize(("given", "used"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_without_spinning_unless_told_otherwise(given, used, monkeypatch, capsys):
    # Setting it first lets monkeypatch restore what was there.
    monkeypatch.setenv("OMP_WAIT_POLICY", given or "")
    if given is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    main(["--version"])
    assert os.environ["OMP_WAIT_POLICY"] == used
