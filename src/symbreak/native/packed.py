"""Rows and targets as the compiled core holds them: in panels of examples, packed once."""

from __future__ import annotations

from typing import Any

from symbreak.native.interface import Core, Floats, PackedExamples


class Packed:
    """The same examples for the core, made when first asked for; a copy or a pickle has none."""

    def __init__(self) -> None:
        self._made: PackedExamples | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, ()

    def of(self, core: Core, rows: Floats, target: Floats) -> PackedExamples:
        """Return these examples packed.

        Parameters
        ----------
        rows : (m, 1 + features).
        target : (outputs, m), or class indices (1, m).
        """
        if self._made is None:
            self._made = core.examples(rows, target.astype(rows.dtype, copy=False))
        return self._made
