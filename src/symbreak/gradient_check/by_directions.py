"""The check of one start along random lines, block by block.

Conventions
-----------
scale : the root mean square of a block's gradient, the size of a derivative along a random line
clear : a bar of at most `RESOLUTION` scale; a block that no line shows so clearly is not judged
An error e (a vector in the block) shows along a line by |e| |z| / sqrt(k), z standard normal, k the
entries of the block; it is missed if that is below the bar on all lines (`GradientReport.missed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from symbreak.gradient_check.causes import Clues, cause_of
from symbreak.gradient_check.directional import FINE, FINEST, Comparison, Directional
from symbreak.gradient_check.judgement import rounding_unit
from symbreak.gradient_check.kinks import Settled, settle
from symbreak.gradient_check.lines import Line, size, spherical
from symbreak.gradient_check.localisation import Entry, Located, locate
from symbreak.gradient_check.parts import Part
from symbreak.gradient_check.probes import EPS, Array, Probes
from symbreak.gradient_check.report import BlockReport, GradientReport, relative

RESOLUTION = 1e-3
SHARP = 1e-6  # of the scale: a bar that asks for no smaller steps
ROUNDING = 50.0  # rounding units of the whole gradient that an entry may be off


@dataclass(frozen=True)
class Settings:
    """How many lines through each part, the seed of all draws, and whether errors are searched."""

    directions: int
    seed: int
    locates: bool


@dataclass(frozen=True)
class Start:
    """What is checked at one start."""

    directional: Directional
    gradient: Array
    theta: Array
    n_examples: int | None
    settings: Settings


def by_directions(
    probes: Probes,
    theta: Tensor,
    gradient: Array,
    parts: Sequence[Part],
    settings: Settings,
    n_examples: int | None,
) -> GradientReport:
    """Return the report on one start; theta and gradient are (n,) float64."""
    here = theta.cpu().numpy()
    directional = Directional(probes, gradient, here)
    start = Start(directional, gradient, here, n_examples, settings)
    blocks = check_parts(start, parts)
    note = ""
    if probes.changes:
        note = CHANGES
        blocks = [_untold(block) for block in blocks]
    return GradientReport.of(blocks, probes, directions=settings.directions, note=note)


CHANGES = (
    "J changes from call to call: call eval() of the module, or set the seed of what is random in "
    "it (dropout, noise, augmentation) before each evaluation"
)


def _untold(block: BlockReport) -> BlockReport:
    """Return a block that no difference can tell of."""
    if not np.isfinite(block.scale):
        return block
    note = "J changes from call to call: cannot tell"
    return replace(block, verdict="inconclusive", note=note, wrong=(), is_spread=False)


def check_parts(start: Start, parts: Sequence[Part]) -> list[BlockReport]:
    """Return the verdict on every part of one start."""
    lines = [_lines(part, number, start) for number, part in enumerate(parts)]
    seen = _compared(start, parts, lines)
    sizes = np.array(
        [_scale(start.gradient, part, one) for part, one in zip(parts, seen, strict=True)]
    )
    clear = {
        part.owner
        for part, one, size in zip(parts, seen, sizes, strict=True)
        if size > 0.0 and (one.bar <= RESOLUTION * size).all()
    }
    around = float(sizes.max(initial=0.0))
    return [
        _judged(start, part, number, one, float(size), around, part.owner in clear)
        for number, (part, one, size) in enumerate(zip(parts, seen, sizes, strict=True))
    ]


def _lines(part: Part, number: int, start: Start) -> list[Line]:
    stream = np.random.default_rng([start.settings.seed, number])
    return [spherical(part.indices, stream) for _ in range(start.settings.directions)]


def _compared(
    start: Start, parts: Sequence[Part], lines: Sequence[Sequence[Line]]
) -> list[Comparison]:
    """Compare all lines in one stack, and those that leave a question with finer steps."""
    seen = start.directional.compare([line for few in lines for line in few]).split(len(parts))
    _again(
        start,
        lines,
        seen,
        FINE,
        [not _is_settled(start, *pair) for pair in zip(parts, seen, strict=True)],
    )
    _again(start, lines, seen, FINEST, [bool(one.at_kink.any()) for one in seen])
    return seen


def _again(
    start: Start,
    lines: Sequence[Sequence[Line]],
    seen: list[Comparison],
    level: int,
    is_open: Sequence[bool],
) -> None:
    """Replace the comparisons of the parts that are open by finer ones."""
    numbers = [number for number, is_one in enumerate(is_open) if is_one]
    if numbers:
        again = [line for number in numbers for line in lines[number]]
        finer = start.directional.compare(again, level).split(len(numbers))
        for number, one in zip(numbers, finer, strict=True):
            seen[number] = one


def _is_settled(start: Start, part: Part, seen: Comparison) -> bool:
    scale = _scale(start.gradient, part, seen)
    return bool((seen.agrees & ~seen.at_kink & (seen.bar <= SHARP * scale)).all())


def _scale(gradient: Array, part: Part, seen: Comparison) -> float:
    own = size(np.nan_to_num(gradient[part.indices])) / np.sqrt(len(part.within))
    told = np.abs(seen.numerical[np.abs(seen.numerical) > seen.bar])
    return float(max(own, told.max(initial=0.0)))


def _judged(
    start: Start,
    part: Part,
    number: int,
    seen: Comparison,
    scale: float,
    around: float,
    has_clear_neighbour: bool,
) -> BlockReport:
    """Return the verdict on one part; `around` is the largest scale of all parts."""
    analytic = start.gradient[part.indices]
    stream = np.random.default_rng([start.settings.seed, number, 1])
    if not np.isfinite(analytic).all():
        count = int((~np.isfinite(analytic)).sum())
        note = f"the gradient holds {count} numbers that are not finite"
        return _report(part, seen, np.inf, "fail", note, int(np.argmin(np.isfinite(analytic))))
    if seen.is_wrong.any():
        return _failed(start, part, seen, scale, stream)
    if not seen.agrees.all() and seen.at_kink.any():
        settled = settle(start.directional, part.indices, stream)
        if settled is Settled.WRONG:
            return _failed(start, part, seen, scale, stream)
        verdict, note = KINKS[settled]
        return _report(part, seen, scale, verdict, note)
    rounding = ROUNDING * rounding_unit(start.gradient, start.theta, EPS)
    is_noise = has_clear_neighbour and bool((np.abs(analytic) <= rounding).all())
    if scale == 0.0 or is_noise:
        return _nothing(part, seen, scale, around)
    is_dull = (seen.bar > RESOLUTION * scale) & ~(seen.at_kink & seen.is_between)
    if is_dull.any() or not seen.agrees.all():
        return _report(part, seen, scale, "inconclusive", _why_unclear(seen))
    return _report(part, seen, scale, "pass", "")


KINKS = {
    Settled.BETWEEN: (
        "pass",
        "pass at a kink: the analytic value lies between the one-sided derivatives",
    ),
    Settled.OPEN: (
        "inconclusive",
        "theta lies on several kinks at once, where the derivative does not exist; move theta a "
        "little",
    ),
}


def _failed(
    start: Start, part: Part, seen: Comparison, scale: float, stream: np.random.Generator
) -> BlockReport:
    located = Located((), is_spread=False)
    if start.settings.locates:
        located = locate(start.directional, part.indices, stream)
    clues = Clues(start.n_examples, start.gradient, start.theta, part.block.shape, part.block.start)
    report = _report(part, seen, scale, "fail", cause_of(located, clues))
    if not located.wrong:
        return report
    worst = located.wrong[0]
    return replace(
        report,
        worst=_name(part, worst),
        analytic=worst.analytic,
        numerical=worst.numerical,
        wrong=tuple(_name(part, entry) for entry in located.wrong),
        is_spread=located.is_spread,
    )


def _name(part: Part, entry: Entry) -> str:
    return part.block.entry(entry.index - part.block.start)


def _nothing(part: Part, seen: Comparison, scale: float, around: float) -> BlockReport:
    """Return the verdict on a gradient of zero: believed where one that matters would show."""
    would_show = bool((seen.bar <= RESOLUTION * around).all())
    if would_show and scale == 0.0:
        return _report(part, seen, 0.0, "pass", "zero gradient: nothing to compare")
    if would_show:
        return replace(
            _report(part, seen, scale, "pass", "zero up to rounding"), relative_error=0.0
        )
    note = "zero gradient, but one below the noise of J would not show: cannot tell"
    return _report(part, seen, scale, "inconclusive", note)


def _why_unclear(seen: Comparison) -> str:
    if np.isnan(seen.numerical).any():
        return "J is not finite beside theta: cannot tell"
    return "the derivatives are below the noise of J, or change with every step: cannot tell"


def _report(
    part: Part, seen: Comparison, scale: float, verdict: str, note: str, position: int | None = None
) -> BlockReport:
    errors = np.abs(seen.analytic - seen.numerical)
    line = int(np.argmax(np.where(np.isnan(errors), -1.0, errors)))
    with np.errstate(all="ignore"):
        error, bar = relative(errors[line], scale), relative(seen.bar.max(), scale)
    return BlockReport(
        name=part.name,
        verdict=verdict,
        relative_error=error,
        scale=scale,
        worst=f"direction {line + 1}" if position is None else part.entry(position),
        analytic=float(seen.analytic[line]),
        numerical=float(seen.numerical[line]),
        n_checked=len(part.within),
        n_parameters=part.n_parameters,
        note=note,
        bar=bar,
    )
