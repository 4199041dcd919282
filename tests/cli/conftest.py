from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from symbreak.cli import main

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `symbreak` with words, none of which needs quoting."""

    def command(*words: object) -> Ran:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A file with categories, missing values, a constant column and a quoted header."""
    random = np.random.default_rng(5)
    lines = ['"size in cm",color,shelf,"weight, dry",price,kind']
    for _ in range(120):
        size, color = random.uniform(1, 9), random.choice(["red", "green", "blue"])
        weight = 2 * size + random.normal()
        kind = "big" if size > 5 else "small"
        price = 3 * size + (10 if color == "red" else 0) + random.normal()
        cells = [f"{size:.3f}", str(color), "A", f"{weight:.3f}"]
        if random.random() < 0.1:
            cells[random.integers(0, 4)] = random.choice(["", "NA"])
        lines.append(",".join([*cells, f"{price:.2f}", kind]))
    path = tmp_path / "shop.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
