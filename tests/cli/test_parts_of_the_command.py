from __future__ import annotations

import io
import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from symbreak.arrays import alike
from symbreak.cli import console, main
from symbreak.cli.console import _Lines
from symbreak.cli.outputs import plain, write_json
from symbreak.cli.train import TrainOptions
from symbreak.initialization import initialize
from symbreak.network import Network
from symbreak.optimize import Progress
from symbreak.optimize.methods import METHODS
from symbreak.training.checks import Symmetry
from symbreak.training.plain_data import spread


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


def stack_of_starts(net: Network, *starts: list[Any]) -> Any:
    """Starts of tanh layers: random ones, but for the Theta that are given."""
    theta = initialize(net, "uniform", starts=len(starts), seed=0)
    for start, thetas in enumerate(starts):
        for Theta, given in zip(net.thetas(theta), thetas, strict=True):
            if given is not None:
                Theta[start] = alike(np.asarray(given), Theta)
    return theta


def test_symmetry_counts_starts_and_the_fewest_distinct_units():
    net = Network((2, 3, 4, 1))
    theta = stack_of_starts(net, [None] * 3, [0.5, 0.5, None], [None] * 3)
    found = Symmetry.of(net, theta, alpha=1.0, method="l-bfgs")
    assert (found.units, found.least, found.n_broken) == ((3, 4), (1, 4), 2)
    assert not found.is_broken
    assert found.line == (
        "Warning: Symmetry is not broken in 1 of 3 starts: the 3 units of hidden layer 1 act as 1 "
        "(identical). Equal units stay one unit; draw the starts at random, for example with "
        "--init glorot_uniform."
    )


MIRROR = [[1.0, 2.0, -0.5], [-1.0, -2.0, 0.5], [0.3, 0.2, 0.1]], [[0.1, 0.7, -0.7, 0.4]]


def test_symmetry_names_every_kind_that_lasts():
    net = Network((2, 3, 1), "tanh", "squared_error")
    theta = stack_of_starts(net, [*MIRROR], [0.0, 0.0], [None, None])
    found = Symmetry.of(net, theta, alpha=1.0, method="adam")
    assert (found.least, found.kinds, found.n_broken) == ((0,), (("mirrored", "zero"),), 1)
    assert "the 3 units of hidden layer 1 act as none (mirrored, zero)." in found.line


@pytest.mark.parametrize(
    ("method", "alpha", "least"),
    [("l-bfgs", 1.0, 1), ("sgd", 1.0, 1), ("adam", 1.0, 3), ("adam", 0.0, 1)],
)
def test_equal_sums_count_where_the_method_and_the_penalty_keep_them(method, alpha, least):
    net = Network((2, 3, 3, 1), "tanh", "squared_error")
    square = np.array([[0.0, 2, 7, 6], [0, 9, 5, 1], [0, 4, 3, 8]]) / 8
    found = Symmetry.of(net, stack_of_starts(net, [0.5, square, 0.5]), alpha=alpha, method=method)
    assert found.least == (least, least)
    assert found.kinds == ((("equal sums",) if least == 1 else ()),) * 2
    assert ("equal sums" in found.line) == (least == 1)


def test_a_method_without_gradients_is_not_said_to_keep_equal_units():
    net = Network((2, 3, 1))
    theta = stack_of_starts(net, [0.5, 0.5])
    found = Symmetry.of(net, theta, alpha=0.0, method="scipy:nelder-mead")
    assert "Equal units start as one unit;" in found.line
    assert Symmetry.of(net, theta, alpha=0.0, method="scipy:bfgs").lasts


def test_a_start_that_is_not_finite_is_not_counted():
    net = Network((2, 3, 1))
    theta = stack_of_starts(net, [None, None], [math.inf, None])
    assert Symmetry.of(net, theta, alpha=0.0, method="sgd").line == (
        "Symmetry: 3 hidden units, all distinct in 1 of 1 start."
    )


def test_the_kind_of_update_of_every_method_is_that_of_the_docs():
    page = Path(__file__).parents[2] / "docs" / "symmetries.md"
    rows = re.findall(r'^\| (`.+`) \| `"(\w+)"` \|$', page.read_text("utf-8"), re.MULTILINE)
    stated = {method: update for row, update in rows for method in re.findall(r"`(.+?)`", row)}
    assert stated == {word: method.update for word, method in METHODS.items()}


def test_the_bar_fits_a_line_of_80_characters(monkeypatch):
    screen = io.StringIO()

    def terminal(**_):
        return Console(file=screen, force_terminal=True, width=80, legacy_windows=False)

    monkeypatch.setattr("rich.console.Console", terminal)
    with console.shown(1000, quiet=False) as show:
        show(Progress(1000, 1.23456e-05, 2.34567e-05, 64, 64, 75.0))
    assert "64 of 64 " in screen.getvalue()
    assert "…" not in screen.getvalue()
