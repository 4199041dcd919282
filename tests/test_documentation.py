"""What the docs show is run: Python in README and docs, doctests in the source, examples."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import symbreak as sb

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LONGEST_EXAMPLE = 100
DECIMAL = re.compile(r"\d+\.\d+")
OF_TORCH = re.compile(r"^(?:import|from) torch\b", re.MULTILINE)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def python_of(page: Path) -> str:
    """Return the Python blocks of a page as one program: later ones go on from earlier ones."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", text_of(page), re.M | re.S))


def case(value: object, name: str, *, needs_torch: bool) -> object:
    """Return a parameter of a test; what is shown of PyTorch is not run without it."""
    return pytest.param(value, id=name, marks=[pytest.mark.needs_torch] if needs_torch else [])


def programs(paths: Iterable[Path], shown: Callable[[Path], str]) -> list[object]:
    texts = {path: shown(path) for path in paths}
    return [
        case(path, relative(path), needs_torch=OF_TORCH.search(text) is not None)
        for path, text in texts.items()
        if text
    ]


def modules_with_doctests() -> list[object]:
    files = [path for path in SRC.rglob("*.py") if ">>> " in text_of(path)]
    parts = [path.relative_to(SRC).with_suffix("").parts for path in sorted(files)]
    names = [".".join(part for part in found if part != "__init__") for found in parts]
    return [case(name, name, needs_torch=name.startswith("symbreak.modules.")) for name in names]


@pytest.mark.parametrize("page", programs(PAGES, python_of))
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = compile(python_of(page), str(page), "exec")
    exec(program, {"__name__": "__page__"})


def test_the_first_program_of_the_readme_prints_what_it_says(capsys):
    text = text_of(ROOT / "README.md")
    program = text.split("```python\n")[1].split("```")[0]
    said = re.search(r"```\n\n((?:    .*\n)+)", text)
    assert said is not None
    exec(compile(program, "README.md", "exec"), {})
    # Rounding leads searches apart on other processors, and without the compiled core.
    printed = capsys.readouterr().out
    assert DECIMAL.sub("", printed).split() == DECIMAL.sub("", said[1]).split()
    found, shown = ([float(one) for one in DECIMAL.findall(text)] for text in (printed, said[1]))
    assert found == pytest.approx(shown, abs=0.02)


@pytest.mark.parametrize("name", modules_with_doctests())
def test_the_examples_in_docstrings_hold(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


def test_there_are_examples():
    """Without any, the tests below would be skipped, not failed."""
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", programs(EXAMPLES, text_of))
def test_an_example_is_short_and_uses_public_names_alone(example):
    text = text_of(example)
    assert len(text.splitlines()) < LONGEST_EXAMPLE
    assert re.findall(r"^.*import.*symbreak.*$|^.*symbreak.*import.*$", text, re.M) == [
        "import symbreak as sb"
    ]
    assert set(re.findall(r"\bsb\.(\w+)", text)) <= set(sb.__all__)


@pytest.mark.slow
@pytest.mark.parametrize("example", programs(EXAMPLES, text_of))
def test_an_example_runs(example, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
def test_the_demo_learns_the_digits(tmp_path):
    recipe = re.search(r"symbreak (train (?:.*\\\n)*.*)", text_of(ROOT / "Makefile"))
    assert recipe is not None
    words = recipe[1].replace("\\\n", " ").split()
    subprocess.run(
        [sys.executable, "-m", "symbreak", *words],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=600,
    )
    found = json.loads((tmp_path / "demo.json").read_text("utf-8"))
    assert found["scores"]["holdout"]["accuracy"] >= 0.96
    assert found["gradient_check"]["verdict"] == "pass"
    assert len(found["starts"]) == 16
