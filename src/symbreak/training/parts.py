"""The old name of `symbreak.training.data_split`, which programs in earlier reports import."""

from __future__ import annotations

from typing import Any

from symbreak.deprecation import warn_renamed


def __getattr__(name: str) -> Any:
    if name != "Parts":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from symbreak.training.data_split import DataSplit

    warn_renamed("symbreak.training.parts.Parts", "symbreak.training.data_split.DataSplit")
    return DataSplit
