"""What `initialize_module` did, parameter by parameter."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symbreak.text import format_table

HEAD = ("parameter", "shape", "role", "fan in", "fan out", "rule", "expected", "measured", "note")


@dataclass(frozen=True)
class InitializedParameter:
    """One parameter and its start.

    Attributes
    ----------
    parameter : its first name.
    shape : its shape.
    role : such as "weight" or "embedding".
    fan_in, fan_out : the fans of one matrix of it; NaN where it has none.
    rule : what drew it, such as "LecunNormal(gain=1.414)", "0", or "-" where it keeps its values.
    expected : the standard deviation that the rule's formula gives; NaN where none is stated.
    measured : the standard deviation of what stands there now, a padding row left out.
    note : what else must be known.
    """

    parameter: str
    shape: tuple[int, ...]
    role: str
    fan_in: float
    fan_out: float
    rule: str
    expected: float
    measured: float
    note: str = ""


@dataclass(frozen=True)
class InitializationTable:
    """What `initialize_module` did.

    Attributes
    ----------
    seed : what all streams were keyed with.
    rows : one `InitializedParameter` for each parameter, tied ones once.
    """

    seed: int
    rows: tuple[InitializedParameter, ...]

    def __getitem__(self, parameter: str) -> InitializedParameter:
        """Return the row of a parameter by its name."""
        return {row.parameter: row for row in self.rows}[parameter]

    def __str__(self) -> str:
        """Return the table for a terminal."""
        lines = [HEAD, *(_cells(row) for row in self.rows)]
        return "\n".join([f"{len(self.rows)} parameters, seed {self.seed}", *format_table(lines)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; what is not a number is None."""
        rows = [
            {key: _plain(value) for key, value in dataclasses.asdict(row).items()}
            for row in self.rows
        ]
        return {"seed": self.seed, "rows": rows}


def _cells(row: InitializedParameter) -> tuple[str, ...]:
    return (
        row.parameter,
        " x ".join(map(str, row.shape)) or "scalar",
        row.role,
        *(_number(fan, digits=10) for fan in (row.fan_in, row.fan_out)),
        row.rule,
        *(_number(spread) for spread in (row.expected, row.measured)),
        row.note,
    )


def _number(value: float, digits: int = 4) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}g}"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
