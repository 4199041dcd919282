"""What all benchmarks share: ratios, numbers, and sections of a page."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
# Scripts, not a package: they find each other by the folder that they are started from.
common: Any = importlib.import_module("common")


def test_ratios_are_taken_within_a_round() -> None:
    # The machine was ten times slower from the second round on, and in the third one a call of
    # the first contestant was lucky: the median of the rounds is 2, the ratio of medians is not.
    assert common.ratio([2.0, 20.0, 2.0], [1.0, 10.0, 10.0]) == 2.0
    assert common.ratio([8.0], [3.0, 4.0, 5.0]) == 2.0


def test_the_section_between_the_markers_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- t:begin -->\nold\n<!-- t:end -->\nafter\n", encoding="utf-8")
    for text in ("new", "newer"):
        common.write_section(page, "t", text)
        expected = f"before\n<!-- t:begin -->\n{text}\n<!-- t:end -->\nafter\n"
        assert page.read_text(encoding="utf-8") == expected
    with pytest.raises(SystemExit, match="must hold the markers"):
        common.write_section(page, "u", "text")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (1.234, "1.23"), (123.4, "123"), (1234.0, "1234"), (None, "")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert common.number(value) == text
