"""`show_versions`: what a report of a fault must say of the machine and the packages."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any, Literal, overload

from symbreak import __version__, native
from symbreak.text import format_table

REQUIRED = ("numpy", "scipy", "scikit-learn", "safetensors", "array-api-compat")
OPTIONAL = ("jinja2", "matplotlib", "polars", "rich", "torch", "typer")


@overload
def show_versions(*, as_dict: Literal[False] = False) -> None: ...
@overload
def show_versions(*, as_dict: Literal[True]) -> dict[str, Any]: ...
def show_versions(*, as_dict: bool = False) -> dict[str, Any] | None:
    """Print the versions of all that computes here, or return them.

    Parameters
    ----------
    as_dict : return a dictionary and print nothing.

    Returns
    -------
    With `as_dict` the versions of symbreak, python and each package it uses (None: not installed),
    and "platform", "threads" (those of torch once it is loaded, before that OMP_NUM_THREADS; None:
    not set) and "engine", which computes J and its gradient on the CPU: "native (level)", the
    compiled core for a level of instructions, or "numpy". Else None.

    Examples
    --------
    >>> import symbreak as sb
    >>> sb.show_versions(as_dict=True)["engine"].split()[0] in ("native", "numpy")
    True
    """
    found = _versions()
    if as_dict:
        return found
    print("\n".join(format_table([(name, str(said)) for name, said in found.items()])))
    return None


def _versions() -> dict[str, Any]:
    return {
        "symbreak": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{package: _version_of(package) for package in (*REQUIRED, *OPTIONAL)},
        "threads": _threads(),
        "engine": native.engine(),
    }


def _version_of(package: str) -> str | None:
    """Return the version of an installed package, without the wait for its import."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _threads() -> int | None:
    torch = sys.modules.get("torch")
    if torch is not None:
        return int(torch.get_num_threads())
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() else None
