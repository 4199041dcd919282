from __future__ import annotations

import io
import json
import shlex

import numpy as np
import pytest
from rich.console import Console

from symbreak.cli import main, progress
from symbreak.cli.checks import Symmetry
from symbreak.cli.outputs import plain, write_json
from symbreak.cli.progress import _Lines
from symbreak.cli.result import spread
from symbreak.cli.train_options import TrainOptions
from symbreak.initialization import initialize
from symbreak.network import Network
from symbreak.optimize import Progress


def test_plain_data_has_null_where_a_number_is_not_finite(tmp_path):
    nan, inf = float("nan"), float("inf")
    assert plain({"a": [nan, 1.5, (inf, 2)], 3: "é"}) == {"a": [None, 1.5, [None, 2]], "3": "é"}
    write_json(tmp_path / "f", {"J": nan})
    assert json.loads((tmp_path / "f").read_text()) == {"J": None}


def test_a_command_line_asks_for_the_same_options(tmp_path):
    options = TrainOptions(
        data=tmp_path / "my data.csv", target="size in cm", drop=("a b", "c"), hidden="",
        alpha=0.5, quiet=True, max_iter=7,
    )  # fmt: skip
    words = shlex.split(options.command_line(seed=3))
    assert words == [
        "symbreak", "train", str(tmp_path / "my data.csv"), "--target", "size in cm",
        "--drop", "a b", "--drop", "c", "--hidden", "", "--seed", "3", "--alpha", "0.5",
        "--max-iter", "7", "--quiet",
    ]  # fmt: skip


def test_the_penalty_depends_on_the_task_unless_it_is_given():
    options = TrainOptions(dataset="iris")
    assert options.alpha_for("classification") == 1.0
    assert options.alpha_for("regression") == 10.0
    assert TrainOptions(dataset="iris", alpha=0.0).alpha_for("regression") == 0.0


def test_progress_lines_come_at_round_iterations(capsys):
    lines = _Lines()
    for iteration in [0, 1, 1, 3, 4, 7, 12, 13, 21, 60, 300, 1000]:
        lines(Progress(iteration, 0.5, 0.75, 2, 3, 1.0))
    told = [line.split(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == [f"iteration {at}" for at in (1, 3, 7, 12, 21, 60, 300, 1000)]


@pytest.mark.parametrize(
    ("hidden", "layers"), [("25", (25,)), ("25, 10", (25, 10)), ("none", ()), (" ", ())]
)
def test_hidden_layers_are_read_from_words(hidden, layers):
    assert TrainOptions(dataset="iris", hidden=hidden).hidden_layers == layers


def test_a_command_line_that_is_printed_is_understood(tmp_path, monkeypatch):
    asked = TrainOptions(
        dataset="iris", init="uniform", epsilon=0.5, drop=("a",), model=tmp_path / "m",
        method="gradient-descent", learning_rate=0.25, momentum=0.0, task="classification",
    )  # fmt: skip
    understood: list[TrainOptions] = []
    monkeypatch.setattr("symbreak.cli.train_run.run", lambda options: understood.append(options))
    main(shlex.split(asked.command_line())[1:])
    assert understood == [asked]


def test_the_spread_of_single_starts():
    assert spread([3.0, 1.0, 7.0]) == {"median": 3.0, "lowest": 1.0, "highest": 7.0}
    assert all(np.isnan(number) for number in spread([]).values())


def test_symmetry_counts_starts_and_the_fewest_distinct_units():
    net = Network((2, 3, 4, 1))
    random = initialize(net, "uniform", starts=3, seed=0)
    random[1, net.blocks[0].slice] = 0.5
    random[1, net.blocks[1].slice] = 0.5
    found = Symmetry.of(net, random)
    assert (found.units, found.least, found.n_broken) == ((3, 4), (1, 4), 2)
    assert not found.is_broken
    assert "not broken in 1 of 3 starts: hidden layer 1 has 1 distinct of 3." in found.line


def test_the_bar_fits_a_line_of_80_characters(monkeypatch):
    screen = io.StringIO()

    def console(**_):
        return Console(file=screen, force_terminal=True, width=80, legacy_windows=False)

    monkeypatch.setattr(progress, "Console", console)
    with progress.shown(1000, quiet=False) as show:
        show(Progress(1000, 1.23456e-05, 2.34567e-05, 64, 64, 75.0))
    assert "64 of 64 " in screen.getvalue()
    assert "…" not in screen.getvalue()
