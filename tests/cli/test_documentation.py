"""The page on the command line names every option, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
COMMANDS = ["train", "predict", "check-gradient", "diagnose", "lesson", "report"]
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def section(command: str) -> str:
    return PAGE.read_text("utf-8").split(f"## symbreak {command}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_stands_on_the_page_and_no_other(run, command):
    found = re.findall(
        r"^ +(?:-\w, )?(--[a-z-]+)(?: / (--[a-z-]+))?", run(command, "--help").out, re.MULTILINE
    )
    helped = {name for pair in found for name in pair if name}
    assert helped - {"--help"} == set(OPTION.findall(section(command)))


def test_the_defaults_on_the_page_are_the_defaults():
    from symbreak.cli.train import TrainOptions

    rows = re.findall(r"^\| `--([a-z-]+) [A-Z]+` \| ([\w.-]+) \|", section("train"), re.MULTILINE)
    shown = {name.replace("-", "_"): default for name, default in rows}
    options = TrainOptions(dataset="iris")
    # They are chosen, or their defaults depend on the task, the method or the way to combine.
    varying = ("task", "alpha", "momentum", "hidden", "activation", "validation")
    known = {name: str(getattr(options, name)) for name in shown if name not in varying}
    assert known == {**{n: d for n, d in shown.items() if n in known}, "init": "None"}
    assert shown["init"] == options.rule
    assert len(known) >= 9
