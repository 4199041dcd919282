"""Files that a command will write: tried before the work, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from symbreak.atomic import check_writable, replace_file
from symbreak.errors import InvalidInput

if TYPE_CHECKING:
    from symbreak.cli.train import TrainOptions


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Check that every output can be written and is neither an input nor another output.

    Raises
    ------
    InvalidInput
        It is not so.
    """
    taken = [os.path.realpath(path) for path in inputs if path is not None]
    for path in outputs:
        if path is None:
            continue
        check_writable(path)
        if os.path.realpath(path) in taken:
            raise InvalidInput(
                f"Output '{path}' must be a file of its own. Got a file that this command reads "
                "or writes already; choose another name."
            )
        taken.append(os.path.realpath(path))


def beside(path: Path | None) -> Path | None:
    """Return where an interrupted result goes: `path`, or a name like it if there is a file.

    A finished result is worth more than an interrupted one, and so may an earlier interrupted one
    be: nothing is replaced. The new file stands in the folder that was tried, also of a link.
    """
    if path is None or not path.exists():
        return path
    goal = Path(os.path.realpath(path)) if path.is_symlink() else path
    numbers = ("" if n == 1 else f"-{n}" for n in count(1))
    names = (goal.with_name(f"{goal.stem}.interrupted{n}{goal.suffix}") for n in numbers)
    return next(name for name in names if not os.path.lexists(name))


def plain(data: Any) -> Any:
    """Return data as strict JSON holds it: numbers that are not finite become None."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON that every reader takes."""
    content = json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    with replace_file(path) as file:
        file.write(f"{content}\n".encode())


class Files(NamedTuple):
    """Where a training is written to; None for what nobody asked for."""

    model: Path | None = None
    json: Path | None = None
    report: Path | None = None

    @classmethod
    def of(cls, options: TrainOptions, *, is_interrupted: bool) -> Files:
        """Return what was asked for; of an interrupted training other names where files are."""
        asked = cls(options.model, options.json, options.report)
        return cls(*map(beside, asked)) if is_interrupted else asked
