from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbreak.cli import main

EVIL = (
    "<script>window.hacked = 1</script>", '"quoted"', "'single'",
    "</script><script>window.hacked = 2</script>", "<img src=x onerror=window.hacked=3>",
    "\u202eאבג right to left", "x" * 10_000, "{{ 7 * 7 }}", "{% raw %}", "\u2028line", "&amp;",
    "javascript:window.hacked=5",
)  # fmt: skip


def island_of(page: str) -> Any:
    """Return the JSON that stands in a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


def trained_page(path: Path, *words: object) -> str:
    """Return the page of `symbreak train` with these words."""
    code = main(["train", "--quick", *map(str, words), "--quiet", "--report", str(path)])
    assert code == 0
    return path.read_text("utf-8")


def write_hostile_table(path: Path) -> None:
    """Write 200 columns and 50 classes whose names would break out of a page if they could."""
    random = np.random.default_rng(0)
    names = [*EVIL, *(f"feature {n} {'ü' * 40}" for n in range(200 - len(EVIL)))]
    classes = [*EVIL[:6], "y" * 10_000, *(f"class {n} {'z' * 200}" for n in range(43))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, 'target <b>"x"</b>'])
        for row in range(300):
            writer.writerow([*random.normal(size=200).round(3), classes[row % 50]])


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training on iris: page.html, model, run.json."""
    folder = tmp_path_factory.mktemp("flowers")
    trained_page(
        folder / "page.html", "--validation", 0.15, "--dataset", "iris", "--starts", 6,
        "--hidden", "4,3", "--seed", 3,
        "--model", folder / "model", "--json", folder / "run.json", "--max-iter", 60,
    )  # fmt: skip
    return folder
