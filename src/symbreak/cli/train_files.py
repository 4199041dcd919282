"""Where `symbreak train` writes to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from symbreak.cli.outputs import beside
from symbreak.cli.train import TrainOptions


class Files(NamedTuple):
    """Where a result is written to; None for what nobody asked for."""

    model: Path | None = None
    json: Path | None = None
    report: Path | None = None

    @classmethod
    def of(cls, options: TrainOptions, *, is_interrupted: bool) -> Files:
        """Return what was asked for; of an interrupted training other names where files are."""
        asked = cls(options.model, options.json, options.report)
        return cls(*map(beside, asked)) if is_interrupted else asked
