"""The exact certificate of a network's starts, as findings.

Groups that differ only in the start are one finding. A permanent group is an error; one that the
update tears apart a note; one that is symmetric but for a tolerance a warning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from symbreak.findings import Diagnosis, Finding
from symbreak.network import Network
from symbreak.symmetry import Group, Symmetries

KINDS = {
    "identical": "identical_units",
    "equal_sums": "identical_units",
    "mirrored": "mirrored_units",
    "zero": "dead_units",
}


def certified(certificate: Symmetries, starts: Sequence[int] | None = None) -> Diagnosis:
    """Return the groups of a certificate as findings.

    Parameters
    ----------
    certificate : what `symbreak.symmetries` returned.
    starts : the names of its starts, (starts,); 0, 1, ... if None.

    Examples
    --------
    >>> import symbreak as sb
    >>> net = sb.Network((1, 2, 1), "tanh")
    >>> diagnosis = certified(sb.symmetries(net, [1.0, 2, -1, -2, 5, 3, -3]))
    >>> [(one.kind, one.level, one.where) for one in diagnosis.findings]
    [('mirrored_units', 'error', 'hidden layer 1 of start 0')]
    """
    names = range(len(certificate.permanent)) if starts is None else starts
    findings = list(_findings(certificate, certificate.groups, names, near=False))
    return Diagnosis((*findings, *_findings(certificate, certificate.near, names, near=True)))


def _findings(
    certificate: Symmetries, groups: Iterable[Group], names: Sequence[int], *, near: bool
) -> Iterator[Finding]:
    alike: defaultdict[tuple[object, ...], list[Group]] = defaultdict(list)
    for group in groups:
        key = (group.layer, group.units, group.mirrors, group.kind, group.permanent, group.reason)
        alike[key].append(group)
    for same in alike.values():
        group, starts = same[0], [names[one.start] for one in same]
        yield Finding(
            KINDS[group.kind],
            "warning" if near else "error" if group.permanent else "note",
            f"hidden layer {group.layer} of start{'s' if len(starts) > 1 else ''} {spans(starts)}",
            group.units,
            group.permanent,
            _evidence(certificate.network, group, max(one.spread for one in same), near=near),
            _remedy(group, near=near),
        )


def _evidence(network: Network, group: Group, spread: float, *, near: bool) -> str:
    """Return how many units it is, why, and what keeps the group."""
    reason = group.reason.rstrip(".")
    what = f"{len(group.units)} of {network.layers[group.layer]} hidden units: {reason}"
    if near:
        return f"{what}; so it is within {spread:.1e} of the largest weight"
    return f"{what}; kept by {group.kept_by}"


def _remedy(group: Group, *, near: bool) -> str:
    if near:
        return "Nearly equal units take long to part; draw them anew, independently of each other."
    if not group.permanent:
        return "Nothing has to be done: the updates tear them apart."
    if group.kind == "zero":
        return "Draw these units at random and train again; as they are, they are nothing for ever."
    return (
        "Draw these units at random, independently of each other, and train again; as they are, "
        "they are one for ever."
    )


def spans(numbers: Iterable[int]) -> str:
    """Return whole numbers for people, runs as spans.

    Examples
    --------
    >>> spans([7, 0, 1, 2, 4, 5])
    '0-2, 4, 5, 7'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = (f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return ", ".join(words)
