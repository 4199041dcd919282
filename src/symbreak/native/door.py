"""Which build of the compiled core runs here, if any."""

from __future__ import annotations

import importlib
import os
from functools import cache
from importlib.util import find_spec
from typing import Any, cast

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
    here = levels_here()
    if wanted != "1" and wanted not in here:
        raise SymbreakError(
            f"SYMBREAK_NATIVE asks for the level {wanted}, which is not installed or does not run "
            "on this processor. Unset it for the fastest that there is."
        )
    if here:
        return cast(Core, _module(f"_core_{here[0] if wanted == '1' else wanted}"))
    if os.environ.get("SYMBREAK_REQUIRE_NATIVE", "0") not in ("", "0"):
        raise SymbreakError(
            "SYMBREAK_REQUIRE_NATIVE asks for the compiled core, which this installation does not "
            "have. Install a C++ compiler and install symbreak again."
        )
    return None


def levels_here() -> list[str]:
    """Return the levels that are installed and run on this processor, the fastest first."""
    if find_spec("symbreak.native.processor") is None:
        return []
    runs = _module("processor").runs
    return [x for x in LEVELS if runs(x) and find_spec(f"symbreak.native._core_{x}") is not None]


def _wanted() -> str:
    """Return "0", "1" or a level, as SYMBREAK_NATIVE says."""
    word = os.environ.get("SYMBREAK_NATIVE", "").strip() or "1"
    if word not in ("0", "1", *LEVELS):
        raise SymbreakError(
            f"SYMBREAK_NATIVE must be 0, 1 or a level ({', '.join(LEVELS)}). Got {word!r}."
        )
    return word


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"symbreak.native.{name}")
    except ImportError as error:  # damaged, or built for another machine
        raise SymbreakError(
            f"The compiled core of symbreak must load. Got: {error}. Install symbreak again, or "
            "set SYMBREAK_NATIVE=0 to compute without it."
        ) from error


def why_missing() -> str:
    """Return one sentence on why the core does not compute here; nothing where it does."""
    if load() is not None:
        return ""
    if _wanted() == "0":
        return "The compiled core is switched off by SYMBREAK_NATIVE=0; NumPy computes."
    return (
        "This installation has no compiled core; NumPy computes, several times slower. Install a "
        "C++ compiler and install symbreak again."
    )


def engine() -> str:
    """Return what computes J and its gradient on the CPU: "native (level)" or "numpy"."""
    module = load()
    return "numpy" if module is None else f"native ({module.__name__.partition('_core_')[2]})"
