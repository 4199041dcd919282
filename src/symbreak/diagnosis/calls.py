"""Remedies as Python: how they are written, and what `repair` reads back from them.

They run with `module`, `found` (its diagnosis), `torch` and `import symbreak as sb`.
"""

from __future__ import annotations

import re

REPAIR = 'sb.repair(module, found, how="redraw")'

_STD = re.compile(r"normal_\(.*?, std=([-+.\de]+)\)")
_VALUE = re.compile(r"constant_\(.*?, ([-+.\de]+)\)")


def normal(where: str, std: float) -> str:
    """Return the call that draws a parameter from N(0, std^2)."""
    return f"torch.nn.init.normal_(module.get_parameter({where!r}), std={std:.6g})"


def with_padding(call: str, where: str, row: int | None) -> str:
    """Return the call, followed by one that keeps the padding row of an embedding at zero."""
    keep = f"torch.nn.init.zeros_(module.get_parameter({where!r})[{row}])"
    return call if row is None else f"{call}; {keep}"


def constant(where: str, value: float) -> str:
    """Return the call that fills a parameter with one number."""
    return f"torch.nn.init.constant_(module.get_parameter({where!r}), {value:g})"


def spread_in(call: str) -> float | None:
    """Return the std of a call of `normal`, None of another one."""
    found = _STD.search(call)
    return float(found[1]) if found else None


def value_in(call: str) -> float | None:
    """Return the number of a call of `constant`, None of another one."""
    found = _VALUE.search(call)
    return float(found[1]) if found else None
