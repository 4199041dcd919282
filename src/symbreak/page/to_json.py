"""From numbers to JSON that may stand inside a page.

JSON knows no infinities: they become the words "inf", "-inf" and "nan". A script element ends at
"</script", wherever it stands, so all that could end or confuse it is written as a \\u escape,
which JSON reads back as the same character.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

DIGITS = 4
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&'\u2028\u2029"}


def plain(value: Any, digits: int | None = DIGITS) -> Any:
    """Return `value` as dictionaries, lists, words and numbers.

    Parameters
    ----------
    value : mappings, sequences, dataclasses, arrays, tensors, numbers, words or None.
    digits : significant digits of every float; None keeps all.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry, digits) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry, digits) for entry in value]
    if hasattr(value, "tolist"):  # arrays, tensors and the numbers of NumPy
        return plain(value.tolist(), digits)
    if isinstance(value, float):
        return _number(value, digits)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def island(data: Any) -> str:
    """Return JSON of plain `data` that can stand inside a script element of a page."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode("utf-8")


def _number(value: float, digits: int | None) -> float | str:
    if not math.isfinite(value):
        return str(np.float64(value).item())
    return value if digits is None else float(f"{value:.{digits}g}")
