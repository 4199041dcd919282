"""Where version 0.1 had `ModuleCost`, which its pickles look for here."""

from __future__ import annotations

from typing import Any

from symbreak.pickles import refusal


def __getattr__(name: str) -> Any:
    if name == "ModuleCost":
        raise refusal(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
