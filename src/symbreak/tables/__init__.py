"""From files to arrays and back, for the command line. Needs polars."""

from __future__ import annotations

from importlib.util import find_spec

from symbreak.errors import MissingOptionalPackage

if find_spec("polars") is None:
    raise MissingOptionalPackage.of("Reading tables", "polars", "cli")
