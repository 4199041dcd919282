"""identical_tensors: parameters that hold the same random numbers, layer by layer.

`copy.deepcopy` of one layer (as `nn.TransformerEncoder` does), one seed set before each layer,
one key used twice: the parameters agree bit by bit, or are proportional where two rules of
different spread drew from one stream.

Threshold: equal bit by bit, or equal up to one factor within 16 roundings of the dtype.
Independent draws never are: two entries of float32 agree with probability 1e-7, and at least
`FEWEST` must. Left out: tensors of one axis (biases, norms, tables of frequencies), constant
tensors, masks of zeros and ones. Level: warning; layers in series are not one layer for ever,
but they start alike. Note where only one of them, or none, is trained: momentum encoders,
averages of weights and locked networks (ControlNet) are copies on purpose. What is called without
a gradient counts as not trained if another one has a gradient. Source: pytorch#72253,
keras-hub#352, flax#2665 (reused key), torchtitan#3106 (same seed on ranks).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from torch import Tensor

from symbreak.findings import Finding
from symbreak.modules.diagnosis.writes import REPAIR
from symbreak.modules.observation.observed import Observed, SeenParameter
from symbreak.text import pluralize

FEWEST = 4  # entries; fewer may agree by chance in a short dtype
SHOWN = 4  # places named in a finding
ROUNDINGS = 16
ON_PURPOSE = "Leave it if the copy is on purpose. "
REMEDY = "Draw every parameter from a stream of its own, after the layers were copied."


def of_groups(
    groups: Iterable[tuple[str, ...]],
    how: str = "equal bit by bit",
    on_purpose: Callable[[tuple[str, ...]], bool] | None = None,
    call: str = "",
) -> Iterator[Finding]:
    """Yield one finding for every set of places that share tensors.

    Parameters
    ----------
    groups : names of tensors that are alike; ("a.0.w", "a.1.w") and ("a.0.v", "a.1.v") are one
        finding about the places a.0 and a.1.
    how : what they have in common.
    on_purpose : whether tensors of these names are meant to be copies, which is a note; None: none.
    call : the remedy as Python, of those that are not.
    """
    by_places: defaultdict[tuple[tuple[str, ...], bool], list[str]] = defaultdict(list)
    for names in groups:
        places, tail = _split(names)
        by_places[places, on_purpose is not None and on_purpose(names)].append(tail)
    for (places, meant), tails in by_places.items():
        shown = ", ".join(places[:SHOWN]) + (", ..." if len(places) > SHOWN else "")
        what = f" ({', '.join(tails[:SHOWN])})" if any(tails) else ""
        verb = "is" if len(tails) == 1 else "are"
        evidence = (
            f"{pluralize(len(tails), 'tensor')}{what} {verb} {how} in {len(places)} places: {shown}"
        )
        level, remedy = ("note", ON_PURPOSE + REMEDY) if meant else ("warning", REMEDY)
        how_to = "" if meant else call
        yield Finding("identical_tensors", level, places[0], (), None, evidence, remedy, how_to)


def _split(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return what tells the names apart, and the tail that all have in common."""
    parts = [name.split(".") for name in names]
    shared = 0
    while all(len(part) > shared + 1 for part in parts) and (
        len({part[-1 - shared] for part in parts}) == 1
    ):
        shared += 1
    places = tuple(".".join(part[: len(part) - shared]) for part in parts)
    return places, ".".join(parts[0][len(parts[0]) - shared :])


def detect(observed: Observed) -> Iterator[Finding]:
    """Yield sets of places whose parameters are equal, then those whose are proportional."""
    by_shape: defaultdict[tuple[int, ...], list[tuple[str, Tensor]]] = defaultdict(list)
    for parameter in observed.parameters:
        if random_looking(parameter.value):
            by_shape[tuple(parameter.value.shape)].append((parameter.name, parameter.value))
    groups = [alike(tensors) for tensors in by_shape.values() if len(tensors) > 1]
    meant = partial(_copies_on_purpose, {p.name: p for p in observed.parameters})
    equal = (names for equal, _ in groups for names in equal)
    yield from of_groups(equal, on_purpose=meant, call=REPAIR)
    scaled = (names for _, scaled in groups for names in scaled)
    yield from of_groups(scaled, "equal up to one factor", meant, REPAIR)


def _copies_on_purpose(by_name: dict[str, SeenParameter], names: tuple[str, ...]) -> bool:
    group = [by_name[name] for name in names]
    moving = sum(p.trained and p.grad is not None for p in group)
    return moving == 1 or not any(p.trained for p in group)


def random_looking(value: Tensor) -> bool:
    if value.is_meta or value.dim() < 2 or value.numel() < FEWEST:
        return False
    if not value.is_floating_point() or not bool(value.isfinite().all()):
        return False
    constant = bool((value == value.flatten()[0]).all())
    return not constant and not bool(((value == 0) | (value == 1)).all())


Groups = list[tuple[str, ...]]


def alike(tensors: list[tuple[str, Tensor]]) -> tuple[Groups, Groups]:
    """Return the groups of equal tensors, and those of proportional ones that are not equal."""
    groups: list[list[tuple[str, Tensor]]] = []
    for name, value in tensors:
        home = next((group for group in groups if _proportional(group[0][1], value)), None)
        if home is None:
            groups.append([(name, value)])
        else:
            home.append((name, value))
    equal: Groups = []
    scaled: Groups = []
    for group in (group for group in groups if len(group) > 1):
        names = tuple(name for name, _ in group)
        same = all(torch.equal(group[0][1], value) for _, value in group)
        (equal if same else scaled).append(names)
    return equal, scaled


def _proportional(one: Tensor, other: Tensor) -> bool:
    if one.dtype != other.dtype or one.device != other.device:
        return False
    head_one, head_other = one.flatten()[:FEWEST], other.flatten()[:FEWEST]
    return _same_direction(head_one, head_other) and _same_direction(one, other)


def _same_direction(one: Tensor, other: Tensor) -> bool:
    a, b = one.detach().double().flatten(), other.detach().double().flatten()
    factor = torch.dot(a, b) / torch.dot(a, a).clamp_min(torch.finfo(a.dtype).tiny)
    rounding = ROUNDINGS * torch.finfo(one.dtype).eps
    return bool(((b - factor * a).abs() <= rounding * b.abs()).all())
