"""Which build of the compiled core runs here, if any."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from functools import cache
from typing import cast

from symbreak.errors import SymbreakError
from symbreak.native.interface import Core

# Of `native/levels.cmake`, the fastest first; an install from source has one, wheels have all.
LEVELS = ("x86_64_v4", "x86_64_v3", "x86_64_v2", "baseline")


@cache
def load() -> Core | None:
    """Return the fastest build that this processor runs; None where there is none or it is off.

    Raises
    ------
    SymbreakError
        There is none, and SYMBREAK_REQUIRE_NATIVE=1 says that there must be one; or SYMBREAK_NATIVE
        asks for a level that is not there.
    """
    wanted = _wanted()
    if wanted == "0":
        return None
    if wanted in LEVELS:
        return _of_level(wanted)
    module = _fastest(LEVELS)
    if module is None and os.environ.get("SYMBREAK_REQUIRE_NATIVE", "0") not in ("", "0"):
        raise SymbreakError(
            "SYMBREAK_REQUIRE_NATIVE asks for the compiled core, which this installation does not "
            "have. Install a C++ compiler and install symbreak again."
        )
    return module


def _wanted() -> str:
    return os.environ.get("SYMBREAK_NATIVE", "1")


def _of_level(level: str) -> Core:
    module = _fastest((level,))
    if module is None:
        raise SymbreakError(
            f"SYMBREAK_NATIVE asks for the level {level}, which is not installed or does not run "
            "on this processor. Unset it for the fastest that there is."
        )
    return module


def _fastest(levels: Sequence[str]) -> Core | None:
    try:
        processor = importlib.import_module("symbreak.native.processor")
    except ModuleNotFoundError:
        return None
    for level in levels:
        if processor.runs(level):
            try:
                return cast(Core, importlib.import_module(f"symbreak.native._core_{level}"))
            except ModuleNotFoundError:
                continue  # an install from source has one level alone
    return None


def why_missing() -> str:
    """Return one sentence on why the core does not compute here; nothing where it does."""
    if load() is not None:
        return ""
    if _wanted() == "0":
        return "The compiled core is switched off by SYMBREAK_NATIVE=0; PyTorch computes."
    return (
        "This installation has no compiled core; PyTorch computes, several times slower. Install a "
        "C++ compiler and install symbreak again."
    )


def engine() -> str:
    """Return what computes J and its gradient on the CPU: "native (level)" or "torch"."""
    module = load()
    return "torch" if module is None else f"native ({module.__name__.partition('_core_')[2]})"
