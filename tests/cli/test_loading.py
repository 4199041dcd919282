"""Ctrl-C before a command has begun: one line and the exit code, whatever is loaded just then."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from symbreak.cli.loading import loading


@pytest.mark.parametrize("module", ["typer", "rich", "numpy", "scipy"])
def test_a_signal_while_packages_are_loaded_is_one_line(tmp_path, module):
    """A finder of modules presses Ctrl-C when the package is looked for."""
    program = f"""
import signal, sys
import symbreak.cli

class Press:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r} and not self.done:
            self.done = True
            signal.raise_signal(signal.SIGINT)
    done = False

sys.meta_path.insert(0, Press())
sys.exit(symbreak.cli.main(["train", "--quick", "--dataset", "iris", "--max-iter", "2"]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 130
    assert ran.stdout == ""
    assert ran.stderr == "Interrupted before there was anything to keep.\n"


def test_what_typer_makes_of_a_signal_is_one_line_too(run, monkeypatch):
    def press(*args, **options):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("typer.core.TyperGroup.parse_args", press)
    ran = run("--version")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "Interrupted before there was anything to keep.\n"


def pressed_while_loading(times, done):
    with loading():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        done.append(times)


def test_loading_holds_one_press_back_and_not_a_second():
    done: list[int] = []
    for times in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            pressed_while_loading(times, done)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert done == [1]
