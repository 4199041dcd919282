"""Tests that need PyTorch, where it is not installed: skipped, with one reason, and counted.

A test needs it that bears the marker `needs_torch` or asks for the fixture `torch`. Of a file that
holds the line `pytestmark = pytest.mark.needs_torch`, or whose folder holds it in its conftest.py,
all tests need it; such a file may import torch at its head, for without torch it is never imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MISSING = find_spec("torch") is None
REASON = "needs PyTorch, which is not installed"
LINE = re.compile(r"^pytestmark = pytest\.mark\.needs_torch$", re.MULTILINE)
TEST = re.compile(r"^ *def (test_\w+)", re.MULTILINE)


class UnreadTest(pytest.Item):
    """A test of a file that is not imported."""

    line = 0

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where it stands."""
        return self.path, self.line, self.name

    def runtest(self) -> None:
        raise AssertionError("It is always skipped.")


class UnreadFile(pytest.Module):
    """A file that is not imported; one test for each of its functions."""

    def collect(self) -> Iterator[pytest.Item]:
        for found in TEST.finditer(self.path.read_text("utf-8")):
            test = UnreadTest.from_parent(self, name=found[1])
            test.line = found.string.count("\n", 0, found.start())
            yield test


@cache
def is_all_of_torch(path: Path) -> bool:
    """Whether all tests of a file, or of a folder, need PyTorch."""
    said = path / "conftest.py" if path.is_dir() else path
    if said.exists() and LINE.search(said.read_text("utf-8")):
        return True
    return path != TESTS and is_all_of_torch(path.parent)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Keep what needs PyTorch from being imported without it."""
    if MISSING and is_all_of_torch(module_path):
        return UnreadFile.from_parent(parent, path=module_path)
    return None


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all that needs PyTorch, and skip it where there is none."""
    for item in items:
        asked = "torch" in getattr(item, "fixturenames", ())
        if asked or isinstance(item, UnreadTest) or is_all_of_torch(item.path):
            item.add_marker(pytest.mark.needs_torch)
        if MISSING and item.get_closest_marker("needs_torch"):
            item.add_marker(pytest.mark.skip(reason=REASON))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many were skipped for want of PyTorch."""
    skipped = terminalreporter.stats.get("skipped", ())
    count = sum(REASON in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(
            f"{count} tests were not run: they need PyTorch, which is not installed"
        )


@pytest.fixture(scope="session")
def torch() -> object:
    """PyTorch, for a test in a file that runs without it too."""
    return pytest.importorskip("torch")
