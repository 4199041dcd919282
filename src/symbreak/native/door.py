"""Which build of the compiled core runs here, if any."""

from __future__ import annotations

import importlib
import os
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
        There is none, and SYMBREAK_REQUIRE_NATIVE=1 says that there must be one.
    """
    if os.environ.get("SYMBREAK_NATIVE", "1") == "0":
        return None
    module = _fastest()
    if module is None and os.environ.get("SYMBREAK_REQUIRE_NATIVE", "0") not in ("", "0"):
        raise SymbreakError(
            "SYMBREAK_REQUIRE_NATIVE asks for the compiled core, which this installation does not "
            "have. Install a C++ compiler and install symbreak again."
        )
    return module


def _fastest() -> Core | None:
    try:
        processor = importlib.import_module("symbreak.native.processor")
    except ModuleNotFoundError:
        return None
    for level in LEVELS:
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
    if os.environ.get("SYMBREAK_NATIVE", "1") == "0":
        return "The compiled core is switched off by SYMBREAK_NATIVE=0; PyTorch computes."
    return (
        "This installation has no compiled core; PyTorch computes, several times slower. Install a "
        "C++ compiler and install symbreak again."
    )


def engine() -> str:
    """Return what computes J and its gradient on the CPU: "native (level)" or "torch"."""
    module = load()
    return "torch" if module is None else f"native ({module.__name__.partition('_core_')[2]})"
