"""Why a stage is wrong: which known mistake gives just these numbers.

Every mistake is made in a pass of our own, from the person's own earlier stages, and its result is
compared with theirs. Where an earlier stage was not returned, the mistakes of that stage are made
too, in one layer or in all that were not returned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from symbreak.backpropagation_check.cause import UNKNOWN, ZERO_EVERYWHERE, Cause
from symbreak.backpropagation_check.compare import Truth, compare
from symbreak.backpropagation_check.mistakes import LAST_RESORT, MISTAKES, Mistake
from symbreak.backpropagation_check.mistakes.mistake import NotApplicable
from symbreak.backpropagation_check.problem import Array, Problem
from symbreak.backpropagation_check.stages import Formula, Pass, Stage, inputs_of

MOST_FITS = 3
_NONE_FITS = "no known mistake fits"
_CLOSER = 0.25  # a cause must explain most of the difference, also where it is near the tolerance
_RATIO = 1e-6


def fitting_mistakes(
    problem: Problem,
    stage: Stage,
    theirs: Array,
    given: Mapping[Stage, Array],
    returned: Collection[Stage],
    truth: Truth,
) -> list[Cause]:
    """Return the mistakes that give `theirs`, the likeliest first, at most `MOST_FITS`.

    Parameters
    ----------
    given : the earlier stages to compute from, as the person has them.
    returned : the stages whose own mistakes have been seen already.
    """
    now = compare(stage, theirs, truth.values[stage], truth).error
    causes: list[Cause] = []
    for cause, formulas in _candidates(problem, stage, returned):
        mistaken = _value_with(problem, stage, given, formulas)
        if mistaken is None or mistaken.shape != theirs.shape or cause in causes:
            continue
        difference = compare(stage, theirs, mistaken, truth)
        if difference.verdict == "pass" and difference.error <= _CLOSER * now:
            causes.append(cause)
            if len(causes) == MOST_FITS:
                break
    return causes


def _candidates(
    problem: Problem, stage: Stage, returned: Collection[Stage]
) -> Iterator[tuple[Cause, dict[Stage, Formula]]]:
    L = problem.n_layers
    origins = _not_returned_before(stage, returned, L)
    for origin in (stage, *origins):
        for mistake in MISTAKES[origin.kind]:
            yield _cause(mistake, origin, L), {origin: mistake.formula}
    for kind in ("delta", "a", "z"):
        layers = [one for one in (stage, *origins) if one.kind == kind]
        if len(layers) > 1:
            yield from _in_every_layer(layers, MISTAKES[kind], L)
    for mistake in LAST_RESORT.get(stage.kind, ()):
        yield _cause(mistake, stage, L), {stage: mistake.formula}


def _in_every_layer(
    layers: list[Stage], mistakes: tuple[Mistake, ...], n_layers: int
) -> Iterator[tuple[Cause, dict[Stage, Formula]]]:
    inner = [one for one in layers if one.layer < n_layers]
    first = max(inner, key=lambda one: one.layer if one.kind == "delta" else -one.layer)
    for mistake in mistakes:
        everywhere = _cause(mistake, first, n_layers, "every layer")
        yield everywhere, dict.fromkeys(layers, mistake.formula)
        if len(inner) > 1:
            hidden = dict.fromkeys(inner, mistake.formula)
            yield _cause(mistake, first, n_layers, "every hidden layer"), hidden


def _cause(mistake: Mistake, origin: Stage, n_layers: int, extent: str = "") -> Cause:
    said = mistake.said_of(origin.layer, n_layers) + (extent and f", and so in {extent}")
    return Cause(mistake.word, said, origin, extent)


def _not_returned_before(
    stage: Stage, returned: Collection[Stage], n_layers: int
) -> tuple[Stage, ...]:
    """Return the stages that lead to `stage` through stages not returned, the nearest first."""
    leading: list[Stage] = []
    ahead = [one for one in inputs_of(stage, n_layers) if one not in returned]
    while ahead:
        nearest = ahead.pop(0)
        if nearest not in leading:
            leading.append(nearest)
            ahead += [one for one in inputs_of(nearest, n_layers) if one not in returned]
    return tuple(leading)


def _value_with(
    problem: Problem, stage: Stage, given: Mapping[Stage, Array], formulas: Mapping[Stage, Formula]
) -> Array | None:
    """Return what the stage is with these formulas, None where they cannot be used."""
    try:
        with np.errstate(all="ignore"):
            value = Pass(problem, given, formulas).value(*stage)
    except (NotApplicable, ValueError):  # NumPy refuses shapes that do not fit
        return None
    return value if bool(np.isfinite(value).all()) else None


def no_known_mistake(stage: Stage, theirs: Array, ours: Array, truth: Truth) -> Cause:
    """Return what can be said where no known mistake fits."""
    if not theirs.any():
        return Cause(ZERO_EVERYWHERE, f"{stage.name} is zero everywhere")
    size = float((ours * ours).sum())
    ratio = float((theirs * ours).sum()) / size if size > 0.0 else 0.0
    if ratio != 0.0 and compare(stage, theirs, ratio * ours, truth).error <= _RATIO:
        said = f"{_NONE_FITS}: {stage.name} is {ratio:.6g} times what it should be"
        return Cause(UNKNOWN, said)
    return Cause(UNKNOWN, f"{_NONE_FITS}{_where(stage, theirs, ours, truth)}")


def _where(stage: Stage, theirs: Array, ours: Array, truth: Truth) -> str:
    scale = float(np.abs(ours).max())
    wrong = np.abs(theirs - ours) > truth.tolerance * scale
    if wrong.size == 1 or not wrong.any():
        return ""
    extent = f": {int(wrong.sum())} of {wrong.size} entries differ"
    units, columns = (np.flatnonzero(wrong.any(axis=axis)) for axis in (1, 0))
    if len(units) == 1 < wrong.shape[0]:
        return f"{extent}, all of unit {units[0] + 1}"
    if len(columns) == 1 < wrong.shape[1]:
        what = f"column {columns[0]}" if stage.kind == "gradients" else f"example {columns[0] + 1}"
        return f"{extent}, all in {what}"
    return extent
