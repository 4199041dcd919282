"""Files that a command will write: tried before the work, written whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from symbreak.atomic import check_writable, replace_file
from symbreak.errors import InvalidInput


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
