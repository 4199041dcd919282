"""What a repair did, as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from symbreak.errors import choose
from symbreak.text import format_table, pluralize

HOWS = ("redraw", "perturb", "split")
HEAD = ("place", "finding", "units", "how", "before", "after")
SHOWN = 8  # unit indices in the printed table


@dataclass(frozen=True)
class Repaired:
    """One place that was repaired.

    Attributes
    ----------
    place : such as "start 0, hidden layer 1", or the name of a module or a parameter.
    finding : the kind of the group or of the finding.
    units : indices of the units that were changed; empty for whole parameters.
    how : "redraw", "perturb" or "split".
    before, after : what was counted or measured there.
    """

    place: str
    finding: str
    units: tuple[int, ...]
    how: str
    before: str
    after: str


@dataclass(frozen=True)
class Repair:
    """All that was repaired, in the order of the findings.

    Attributes
    ----------
    how, seed : as they were asked for.
    rows : one `Repaired` for each place.
    """

    how: str
    seed: int
    rows: tuple[Repaired, ...]

    def __str__(self) -> str:
        """Return the table for a terminal."""
        if not self.rows:
            return "Nothing to repair."
        lines = [HEAD, *(_cells(row) for row in self.rows)]
        head = f"Repaired {pluralize(len(self.rows), 'place')}, seed {self.seed}"
        return "\n".join([head, *format_table(lines)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        rows = [{**asdict(row), "units": list(row.units)} for row in self.rows]
        return {"how": self.how, "seed": self.seed, "rows": rows}


def check_how(how: object) -> str:
    """Return the word.

    Raises
    ------
    InvalidInput
        It is none of "redraw", "perturb" and "split".
    """
    return choose("how of repair", how, HOWS)


def _cells(row: Repaired) -> tuple[str, ...]:
    shown = ", ".join(map(str, row.units[:SHOWN])) + (", ..." if len(row.units) > SHOWN else "")
    return (row.place, row.finding, shown or "all", row.how, row.before, row.after)
