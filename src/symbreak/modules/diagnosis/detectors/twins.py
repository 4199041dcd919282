"""Units that are one unit: identical, or mirrored (all signs flipped).

Units whose activations and deltas agree on every sample, on the batch and on perturbed inputs, get
the same (or the mirrored) update. Whether that keeps them one unit is found by real updates on a
copy: a symmetry kept by the update map keeps them equal to rounding, and a harmless equality (a
zero head, equal rows with different outgoing weights) is torn at once.
Sources: the duplicate and sign-invariant sets of Chen, Kunin, Yamamura and Ganguli (2306.04251);
with sums in place of rows, the fibration symmetries of Velarde et al. (2408.15894).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symbreak.findings import Finding
from symbreak.modules.diagnosis.agreement import (
    EXACT,
    TOLERANCE,
    Group,
    agreeing_groups,
    still_agreeing,
)
from symbreak.modules.diagnosis.fans import true_fans
from symbreak.modules.diagnosis.heads import group_head_findings
from symbreak.modules.diagnosis.sums import known_apart
from symbreak.modules.diagnosis.writes import REPAIR
from symbreak.modules.observation.observe import perturbed_sites
from symbreak.modules.observation.observed import (
    DIMENSIONS,
    EMBEDDING,
    EXPERTS,
    HEADS,
    REGISTER,
    Observed,
    Site,
)
from symbreak.modules.observation.perturbed import DERIVATIVES, INPUTS
from symbreak.modules.observation.updates import updated

N_UPDATES = 4  # through three gates of zero, one after the other, the last part moves in the fourth
BY_CHANCE = "Give a batch in which nothing agrees by chance, such as a class that is absent. "
_SMALL = 2  # units that one group needs
_WORDS = {HEADS: "heads", EXPERTS: "experts", REGISTER: "rows", DIMENSIONS: "dimensions"}
Kept = dict[str, tuple[Group, ...]]


@dataclass(frozen=True)
class _Candidate:
    key: str
    site: Site
    groups: tuple[Group, ...]


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield the groups of units that are one unit, permanent ones first."""
    candidates = [c for site in observed.sites if (c := _candidate(observed, site)).groups]
    if not candidates:
        return
    kept = _kept(observed, candidates, dropout=False)
    with_dropout = _kept(observed, candidates, dropout=True) if observed.breakers else kept
    yield from group_head_findings(
        [
            (candidate.site, finding)
            for candidate in candidates
            for group in candidate.groups
            for finding in _findings(observed, candidate, group, kept, with_dropout)
        ]
    )


def _candidate(observed: Observed, site: Site) -> _Candidate:
    key = f"{site.kind}: {site.name}"
    if site.kind == EMBEDDING or len(site.activations) < _SMALL:
        return _Candidate(key, site, ())  # rows of embeddings are told apart by what they stand for
    loose = TOLERANCE[site.activations.dtype]
    fine = observed.perturbed.get(key)
    if fine is None or len(fine.activations) != len(site.activations):
        groups = agreeing_groups((site.activations, site.deltas), loose)
    else:
        exact = EXACT[fine.activations.dtype]
        groups = agreeing_groups((fine.activations, fine.deltas), exact)
        rows = (site.activations, site.deltas)
        groups = tuple(part for group in groups for part in still_agreeing(group, rows, loose))
    if site.kind == REGISTER:
        groups = tuple(g for g in groups if bool(site.deltas[[u for u, _ in g]].any()))
        (name,) = site.parameters
        groups = known_apart(observed, name, groups)
    return _Candidate(key, site, groups)


def _kept(observed: Observed, candidates: list[_Candidate], *, dropout: bool) -> Kept:
    """Return the parts of the groups that every optimiser keeps, by key of the site."""
    assert observed.step is not None
    kept: Kept = {c.key: c.groups for c in candidates}
    for make in observed.optimizers.values():
        own, batch = updated(
            observed.module,
            observed.step,
            observed.batch,
            make,
            n_updates=N_UPDATES,
            dropout=dropout,
        )
        perturbed = perturbed_sites(own, batch, observed.step)
        after = {f"{s.kind}: {s.name}": s for s in perturbed.sites}
        for key, groups in kept.items():
            if key in after:
                rows = (after[key].activations, after[key].deltas)
                tolerance = EXACT[rows[0].dtype]
                kept[key] = tuple(p for g in groups for p in still_agreeing(g, rows, tolerance))
    return kept


def _findings(
    observed: Observed, candidate: _Candidate, group: Group, kept: Kept, with_dropout: Kept
) -> Iterator[Finding]:
    members = {unit for unit, _ in group}
    parts = [p for p in kept[candidate.key] if {unit for unit, _ in p} <= members]
    if not parts:
        yield _finding(observed, candidate.site, group, permanent=False, breaker=False)
    for part in parts:
        stays = any(
            {u for u, _ in part} <= {u for u, _ in other} for other in with_dropout[candidate.key]
        )
        yield _finding(observed, candidate.site, part, permanent=stays, breaker=not stays)


def _finding(
    observed: Observed, site: Site, group: Group, *, permanent: bool, breaker: bool
) -> Finding:
    mirrored = any(sign < 0 for _, sign in group)
    units = tuple(unit for unit, _ in group)
    frozen = not any(p.trained for p in observed.parameters if p.name in site.parameters)
    frozen = frozen and bool(site.parameters)
    by_chance = permanent and bool(_missing(observed, site))
    level = "error" if permanent and not frozen else "warning" if breaker else "note"
    weight = observed.weight_of(site.name)
    role = None if weight is None else observed.role_of(weight)
    return Finding(
        "mirrored_units" if mirrored else "identical_units",
        "warning" if level == "error" and by_chance else level,
        site.name,
        units,
        None if by_chance else permanent,
        _evidence(observed, site, units, permanent, breaker, mirrored),
        (BY_CHANCE if by_chance else "") + _remedy(site, units, permanent, breaker),
        REPAIR if level == "error" else "",
        axis=observed.axis_of(site.name, site.kind),
        std=true_fans(role, tuple(weight.value.shape)).std if weight and role else None,
    )


def _missing(observed: Observed, site: Site) -> Sequence[str]:
    """Return what could not be perturbed, so that units may agree there by chance."""
    seen = f"{site.kind}: {site.name}" in observed.perturbed
    return sorted(observed.unperturbed if seen else (INPUTS, DERIVATIVES))


def _evidence(
    observed: Observed,
    site: Site,
    units: tuple[int, ...],
    permanent: bool,
    breaker: bool,
    mirrored: bool,
) -> str:
    word = _WORDS.get(site.kind, "units")
    how = "mirrored" if mirrored else "equal"
    chosen = list(units)
    silent = not bool(site.activations[chosen].any()) and not bool(site.deltas[chosen].any())
    what = "zero" if silent else how
    names = " and ".join(observed.optimizers)
    seen = (
        f"activations and deltas of {len(units)} of {len(site.activations)} {word} are {what} on "
        f"{site.activations.shape[1]} samples"
    )
    if missing := _missing(observed, site):
        seen += f"; {' and '.join(missing)} could not be perturbed"
    else:
        seen += " and on perturbed inputs"
    if breaker:
        return f"{seen}; only {', '.join(observed.breakers)} tears them apart"
    return f"{seen}; {N_UPDATES} updates of {names} {'keep' if permanent else 'do not keep'} it"


def _remedy(site: Site, units: tuple[int, ...], permanent: bool, breaker: bool) -> str:
    word = _WORDS.get(site.kind, "units")
    if permanent:
        return (
            f"Draw the {len(units)} {word} independently at random; as they are, they are one for "
            "ever."
        )
    if breaker:
        return f"Draw the {word} independently at random, and do not leave it to dropout."
    return "Nothing has to be done: training tears them apart."
