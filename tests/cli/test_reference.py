"""docs/command-line-reference.md is what `make docs` writes now, and tells what `--help` tells."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "command-line-reference.md"
COMMANDS = ["train", "predict", "check-gradient", "diagnose", "lesson"]
# | `-o, --output FILE` | help | `default` |
ROW = re.compile(
    r"^\| `(?:-\w, )?([\w-]+)(?:/--[\w-]+)?(?: ([A-Z]+))?` \| (.+) \| (?:`(.+)`)? ?\|$",
    re.MULTILINE,
)


def rows_of(command: str) -> list[tuple[str, ...]]:
    """Name, word for the value, help and default of every line of a command's table."""
    section = PAGE.read_text("utf-8").split(f"## symbreak {command}\n")[1].split("\n## ")[0]
    return ROW.findall(section.split("|---|---|---|\n")[1])


def test_the_page_is_what_the_program_writes_now(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    spec = importlib.util.spec_from_file_location(
        "writer", DOCS / "write_command_line_reference.py"
    )
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert PAGE.read_text("utf-8") == writer.reference(), "run `make docs`"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_names_the_options_of_the_help_and_no_others(run, command):
    helped = re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", run(command, "--help").out, re.MULTILINE)
    named = [name for name, *_ in rows_of(command) if name.startswith("-")]
    assert named == [name for name in helped if name != "--help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_says_what_the_help_says(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    helped = "".join(run(command, "--help").out.split())
    for name, _, text, default in rows_of(command):
        assert "".join(text.split()) in helped, name
        if default:
            assert f"{''.join(text.split())}[default:{default}]" in helped, name
