"""Equal heads have equal rows in their projections: one finding, not one for each row.

Conventions
-----------
n_rows = parts * n_heads * size : a projection of `parts` (1; 2 for keys and values; 3 for queries,
    keys and values in one) holds the rows of a part head by head, so that
    row = (part * n_heads + head) * size + offset
A layout that holds all parts of a head side by side is that of one part with a larger size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbreak.findings import LEVELS, Finding
from symbreak.modules.observation.observed import HEADS, LINEAR, Site

_PARTS = (1, 2, 3)
SiteFinding = tuple[Site, Finding]


def group_head_findings(findings: Sequence[SiteFinding]) -> Iterator[Finding]:
    """Yield the findings, those of rows that belong to a finding of heads as `parts` of that."""
    heads = [(site, finding) for site, finding in findings if site.kind == HEADS]
    owners = [_owner(each, heads) for each in findings]
    for (_, finding), owner in zip(findings, owners, strict=True):
        if owner is None:
            rows = [each for (_, each), of in zip(findings, owners, strict=True) if of is finding]
            yield replace(finding, parts=tuple(rows))


def _owner(rows: SiteFinding, heads: Sequence[SiteFinding]) -> Finding | None:
    """Return the finding of heads whose rows these are."""
    site, finding = rows
    if site.kind != LINEAR:
        return None
    for home, owner in heads:
        inside = not home.name or f"{site.name}.".startswith(f"{home.name}.")
        as_severe = LEVELS.index(owner.level) <= LEVELS.index(finding.level)
        if inside and as_severe and _are_rows(finding, len(site.activations), owner, home):
            return owner
    return None


def _are_rows(rows: Finding, n_rows: int, heads: Finding, home: Site) -> bool:
    n_heads = len(home.activations)
    units = [unit for unit in rows.units if isinstance(unit, int)]
    for parts in _PARTS:
        if n_rows % (parts * n_heads) == 0:
            size = n_rows // (parts * n_heads)
            places = {(unit // (n_heads * size), unit % size) for unit in units}
            if len(places) == 1 and {unit // size % n_heads for unit in units} <= set(heads.units):
                return True
    return False
