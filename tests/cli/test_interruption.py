"""Ctrl-C, and a gradient that is wrong."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from symbreak.cli import train_run
from symbreak.optimize import minimize
from symbreak.training import Training, table_training
from symbreak.training.checks import gradient_report

IRIS = ("train", "--quick", "--dataset", "iris", "--starts", 3, "--hidden", 4)


@pytest.fixture
def pressed(monkeypatch):
    """Ctrl-C at iteration 5."""

    def with_ctrl_c(*args, **options):
        def press(progress):
            if progress.iteration >= 5:
                raise KeyboardInterrupt

        return minimize(*args, **{**options, "callback": press})

    monkeypatch.setattr(table_training, "minimize", with_ctrl_c)


@pytest.mark.usefixtures("pressed")
def test_ctrl_c_saves_the_best_so_far(run, tmp_path):
    model, found = tmp_path / "m", tmp_path / "f.json"
    ran = run(*IRIS, "--model", model, "--json", found)
    assert ran.code == 130
    assert "Interrupted: every start keeps its best point so far." in ran.err
    record = json.loads(found.read_text())
    assert record["interrupted"]
    assert {start["status"] for start in record["starts"]} == {"interrupted"}
    assert all(start["iterations"] <= 5 for start in record["starts"])
    assert f"Model: {model}" in ran.out
    assert record["scores"]["holdout"]["accuracy"] > 0.5


def test_ctrl_c_before_the_training_keeps_nothing_and_says_so(run, monkeypatch, tmp_path):
    def press(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(table_training, "gradient_report", press)
    ran = run(*IRIS, "--model", tmp_path / "m")
    assert ran.code == 130
    assert ran.err == "Interrupted before there was anything to keep.\n"
    assert not (tmp_path / "m").exists()


def pressing(monkeypatch, place, *, times=1):
    """Send SIGINT when the command first comes to a function, of its own or of the training."""
    rooms = (train_run, table_training, Training)
    room = next(room for room in rooms if hasattr(room, place))
    found, left = getattr(room, place), [signal.SIGINT] * times

    def press(*args, **options):
        while left:
            signal.raise_signal(left.pop())
        return found(*args, **options)

    monkeypatch.setattr(room, place, press)


def test_a_signal_during_the_training_ends_it_and_keeps_the_best(run, monkeypatch, tmp_path):
    def with_signal(*args, callback, **options):
        def press(progress):
            if callback is not None:
                callback(progress)
            if progress.iteration == 5:
                signal.raise_signal(signal.SIGINT)

        return minimize(*args, callback=press, **options)

    monkeypatch.setattr(table_training, "minimize", with_signal)
    ran = run(*IRIS, "--quiet", "--json", tmp_path / "f.json", "--model", tmp_path / "m")
    assert ran.code == 130
    assert ran.err == "Interrupted: every start keeps its best point so far.\n"
    statuses = {one["status"] for one in json.loads((tmp_path / "f.json").read_text())["starts"]}
    assert statuses == {"interrupted"}
    assert (tmp_path / "m").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("place", ["of", "target_scores", "_write", "_tell"])
def test_a_signal_after_the_last_update_loses_nothing(run, monkeypatch, tmp_path, place):
    pressing(monkeypatch, place)
    model, found = tmp_path / "m", tmp_path / "f.json"
    ran = run(*IRIS, "--max-iter", 3, "--quiet", "--model", model, "--json", found)
    assert ran.code == 130
    assert ran.err == "Interrupted after the training: nothing was lost.\n"
    assert "Hold-out (30 rows)" in ran.out
    assert not json.loads(found.read_text())["interrupted"]
    assert model.exists()


def test_a_signal_while_errors_are_found_leaves_the_intervals_out(run, monkeypatch, tmp_path):
    x = np.arange(60.0)
    pl.DataFrame({"x": x, "y": x + np.sin(7 * x)}).write_csv(tmp_path / "t.csv")
    words = ("train", tmp_path / "t.csv", "--target", "y", "--holdout", 0.2, "--hidden", "none")
    pressing(monkeypatch, "with_errors")
    ran = run(*words, "--starts", 2, "--model", tmp_path / "m", "--quiet")
    assert ran.code == 130
    assert "the errors that intervals are made of were not found" in ran.err
    assert "Hold-out (12 rows)" in ran.out
    assert run("train", *words[1:], "--model", tmp_path / "m2", "--quiet").code == 0
    without, with_them = (
        run("predict", tmp_path / name, tmp_path / "t.csv") for name in ("m", "m2")
    )
    assert without.out.startswith("prediction\n")
    assert "No lower and upper" in without.err
    assert with_them.out.startswith("prediction,lower,upper\n")


def test_a_second_signal_breaks_off_and_says_what_was_written(run, monkeypatch, tmp_path):
    words = (*IRIS, "--max-iter", 3, "--quiet", "--model", tmp_path / "m")
    with monkeypatch.context() as early:
        pressing(early, "of", times=2)
        ran = run(*words)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "Interrupted before there was anything to keep.\n"
    assert not (tmp_path / "m").exists()
    pressing(monkeypatch, "_tell", times=2)
    ran = run(*words)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == f"Interrupted; written was {tmp_path / 'm'}.\n"
    assert (tmp_path / "m").exists()


def test_a_reader_that_goes_away_does_not_end_the_training(tmp_path):
    model = tmp_path / "m"
    command = [sys.executable, "-m", "symbreak", *map(str, IRIS), "--max-iter", "3"]
    with subprocess.Popen(
        [*command, "--model", str(model)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        errors = running.stderr.read().decode()
    assert (running.returncode, model.exists()) == (0, True), errors
    assert errors.count("\n") == errors.count("iteration")


def test_a_wrong_gradient_stops_before_the_training(run, monkeypatch, tmp_path):
    class Wrong:
        """The cost with one sign turned in its gradient."""

        def __init__(self, cost):
            self.cost = cost

        def __getattr__(self, name):
            return getattr(self.cost, name)

        def __call__(self, theta, *, out=None):
            J, gradient = self.cost(theta)
            gradient[..., 0] *= -1
            return J, gradient

        def batch(self, rows):
            return Wrong(self.cost.batch(rows))

        def to(self, dtype):
            return Wrong(self.cost.to(dtype))

    monkeypatch.setattr(
        table_training, "gradient_report", lambda cost, theta: gradient_report(Wrong(cost), theta)
    )
    ran = run(*IRIS, "--model", tmp_path / "m")
    assert ran.code == 1
    assert "Gradient check: fail" in ran.out
    assert ran.err.startswith("Error: The gradient must be the derivative of J.")
    assert not (tmp_path / "m").exists()


def test_a_check_that_cannot_tell_goes_on(run, monkeypatch):
    def cannot_tell(cost, theta):
        return dataclasses.replace(gradient_report(cost, theta), verdict="inconclusive")

    monkeypatch.setattr(table_training, "gradient_report", cannot_tell)
    ran = run(*IRIS, "--max-iter", 2)
    assert ran.code == 0
    assert "Gradient check: inconclusive" in ran.out
