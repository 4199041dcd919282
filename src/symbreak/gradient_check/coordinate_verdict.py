"""Do the analytic and the numerical derivatives of one group of parameters agree?

Conventions
-----------
a, n  : the analytic and the numerical derivative, (entries,)
scale = max(max |a|, max |n|) over the group;  relative error = max |a - n| / scale
There is no absolute tolerance: J times any constant is judged the same.

An entry that disagrees is measured again with smaller steps. Smaller steps leave a kink (relu)
outside, so that a right gradient comes to agree; a wrong one never does. What noise hides or
what still moves with the step is not judged at all: "inconclusive".

An entry that agrees only because it is small beside the largest is held to a bar of its own
(`small_entries`). What is hardly larger than its bar is not judged, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symbreak.gradient_check.precision import Precision, Standard
from symbreak.gradient_check.probes import Array, Differences
from symbreak.gradient_check.small_entries import SEEN, Closely

Mask = NDArray[np.bool_]
Measure = Callable[[NDArray[np.int64], float], Differences]
Look = Callable[[NDArray[np.int64]], Closely]

# Rounding of J spoils at most this part of the scale, or nothing is said: an error of 1 % is seen.
RESOLUTION = 1e-3
# An entry that disagrees is measured again with these parts of the step.
FINER = (1e-1, 1e-2)
# A disagreement counts as an error of the gradient when it is this many times the noise.
CLEAR = 10.0
# ... and the numerical derivatives of two steps differ by less than this part of it.
SAME = 0.1


@dataclass(frozen=True)
class Judgement:
    """The verdict on one group; `position` is the entry that is worst, `number` its n.

    Attributes
    ----------
    wrong : the positions of the entries that are wrong, the worst first.
    floor : the size up to which an entry could not be judged.
    n_below : how many entries are no larger, without being exactly zero.
    """

    verdict: str
    relative_error: float
    scale: float
    position: int
    number: float
    note: str = ""
    wrong: tuple[int, ...] = ()
    floor: float = float("nan")
    n_below: int = 0


def judge(
    analytic: Array,
    measure: Measure,
    look: Look,
    rounding: Callable[[], float],
    standard: Standard,
    largest_of_block: float,
) -> Judgement:
    """Compare the analytic derivatives of a group with differences of J.

    Parameters
    ----------
    analytic : (entries,) in float64.
    measure : measure(positions, factor) gives the differences for these entries, with the default
        step times factor.
    rounding : measures what rounding may do to the entries of the gradient.
    look : look(positions) holds these entries to bars of their own.
    largest_of_block : the largest |a| of the block that the group belongs to.
    """
    everything = np.arange(len(analytic))
    first = measure(everything, 1.0)
    if not np.isfinite(analytic).all():
        worst = int(np.argmin(np.isfinite(analytic)))
        note = f"the gradient holds {(~np.isfinite(analytic)).sum()} numbers that are not finite"
        return Judgement("fail", np.inf, np.inf, worst, float(first.central[worst]), note)
    numerical = first.central.copy()
    scale = float(max(np.abs(analytic).max(), np.abs(np.nan_to_num(numerical)).max()))
    if scale == 0.0 and not np.isnan(numerical).any():
        return _zero(first.noise, standard)
    agrees = np.abs(analytic - numerical) <= _allowed(first.noise, scale, standard.precision)
    doubtful = everything[~agrees]
    if len(doubtful):
        standard = standard.measured(rounding())
    levels = [first.at(doubtful), *(measure(doubtful, factor) for factor in FINER)]
    sorted_entries = _sort(analytic[doubtful], levels, scale, standard)
    entries = sorted_entries.among(numerical, first.noise, doubtful)
    noise = np.maximum(first.noise, standard.rounding) if entries.unclear.any() else first.noise
    bars = np.maximum(first.noise, standard.rounding)
    if scale >= noise.min():
        entries, bars = _small_ones_judged(analytic, entries, bars, scale, standard.precision, look)
    return _verdict(analytic, entries, scale, noise, bars, standard, largest_of_block)


def _zero(noise: Array, standard: Standard) -> Judgement:
    """Return the verdict where both derivatives are exactly zero.

    Rounding of J may swallow a derivative, as below a large constant. So a zero is believed where
    one that matters beside the whole gradient would have shown.
    """
    if noise.max() <= RESOLUTION * standard.largest:
        return Judgement("pass", 0.0, 0.0, 0, 0.0, "zero gradient: nothing to compare")
    note = "zero gradient, but one below the noise of J would not show: cannot tell"
    return Judgement("inconclusive", 0.0, 0.0, 0, 0.0, note)


@dataclass(frozen=True)
class _SortedEntries:
    """What smaller steps say of the entries that disagreed; an entry in no mask agrees.

    `noise` is that of `number`, which a small step makes large.
    """

    number: Array
    noise: Array
    on_kink: Mask
    unclear: Mask
    wrong: Mask

    def among(
        self, numerical: Array, noises: Array, positions: NDArray[np.int64]
    ) -> _SortedEntries:
        """Return this of entries at `positions` as that of all, whose numbers are `numerical`."""
        number, noise = numerical.copy(), noises.copy()
        number[positions], noise[positions] = self.number, self.noise
        masks = [np.zeros(len(numerical), dtype=bool) for _ in range(3)]
        for mask, own in zip(masks, (self.on_kink, self.unclear, self.wrong), strict=True):
            mask[positions] = own
        return _SortedEntries(number, noise, *masks)


def _small_ones_judged(
    a: Array, entries: _SortedEntries, bars: Array, scale: float, precision: Precision, look: Look
) -> tuple[_SortedEntries, Array]:
    """Hold entries that agree only because they are small to their own bars; return all bars."""
    size = np.maximum(np.abs(a), np.abs(entries.number))
    is_open = np.abs(a - entries.number) > np.maximum(bars, precision.tolerance * size)
    small = np.flatnonzero(is_open & ~(entries.on_kink | entries.unclear | entries.wrong))
    if not len(small):
        return entries, bars
    close = look(small)
    number, wrong, bars = entries.number.copy(), entries.wrong.copy(), bars.copy()
    number[small] = close.numerical
    error = np.abs(a[small] - close.numerical)
    # A bend that jumps close by (elu) deceives the extrapolation; plain differences betray it.
    moved = np.abs(entries.number[small] - close.numerical)
    is_same = moved <= np.maximum(SAME * error, entries.noise[small])
    least = np.maximum(SEEN * bars[small], RESOLUTION * size[small])
    wrong[small] = close.is_wrong & is_same & (error > least)
    # Of what could not be told there it is known that it agrees beside the largest.
    bars[small] = np.minimum(np.maximum(close.bar, error), precision.tolerance * scale)
    return replace(entries, number=number, wrong=wrong), bars


def _allowed(noise: Array, scale: float, precision: Precision) -> Array:
    """Return the |a - n| that is agreement: the tolerance, or the noise where that is small."""
    tolerated = precision.tolerance * scale
    return np.where(noise <= RESOLUTION * scale, np.maximum(noise, tolerated), tolerated)


def _sort(
    a: Array, levels: Sequence[Differences], scale: float, standard: Standard
) -> _SortedEntries:
    number, noise = levels[0].central.copy(), levels[0].noise.copy()
    settled = np.zeros(len(a), dtype=bool)
    # A kink on one side of theta leaves the difference on the other side right.
    for name in ("central", "forward", "backward"):
        estimates = [getattr(level, name) for level in levels]
        factor = 1.0 if name == "central" else 2.0
        noises = [factor * level.noise for level in levels]
        agreed, *closest = _ends_in_agreement(a, estimates, noises, scale, standard.precision)
        new = agreed & ~settled
        number[new], noise[new] = (of_step[new] for of_step in closest)
        settled |= agreed
    on_kink = np.zeros(len(a), dtype=bool)
    for finer in range(1, standard.precision.kink_steps + 1):
        on_kink |= ~settled & _between_sides(a, levels[-finer - 1], levels[-finer])
    wrong = ~settled & ~on_kink & _stays_apart(a, levels, standard.rounding)
    return _SortedEntries(number, noise, on_kink, ~settled & ~on_kink & ~wrong, wrong)


def _ends_in_agreement(
    a: Array,
    estimates: Sequence[Array],
    noises: Sequence[Array],
    scale: float,
    precision: Precision,
) -> tuple[Mask, Array, Array]:
    """Return where a step gives agreement and no smaller one speaks against it; its n and noise."""
    agreed = np.zeros(len(a), dtype=bool)
    closest, noise_of_closest = estimates[0].copy(), noises[0].copy()
    unopposed = np.ones(len(a), dtype=bool)
    for n, noise in zip(reversed(estimates), reversed(noises), strict=True):
        error = np.abs(a - n)
        here = unopposed & (error <= _allowed(noise, scale, precision))
        closest[here], noise_of_closest[here] = n[here], noise[here]
        agreed |= here
        unopposed &= error <= np.maximum(noise, precision.tolerance * scale)
    return agreed, closest, noise_of_closest


def _between_sides(a: Array, coarse: Differences, fine: Differences) -> Mask:
    """Return where theta lies on a kink and a between the derivatives of its two sides.

    The sides of a smooth J differ by h J'', ten times less with the finer step; at a kink the
    difference stays. Any a between the sides is then a derivative as good as another; a quarter
    of the difference is allowed beyond, for a kink that lies a rounding error away.
    """
    jump_coarse = np.abs(coarse.forward - coarse.backward)
    jump = np.abs(fine.forward - fine.backward)
    stays = (jump > 0.5 * jump_coarse) & (jump < 2.0 * jump_coarse) & (jump > 4.0 * fine.noise)
    middle = 0.5 * (coarse.forward + coarse.backward)
    return stays & (np.abs(a - middle) <= 0.75 * jump_coarse)


def _stays_apart(a: Array, levels: Sequence[Differences], rounding: float) -> Mask:
    """Return where the two finest steps that can tell give one n, and it is not a."""
    apart = np.zeros(len(a), dtype=bool)
    for coarse, fine in pairwise(levels):
        error = np.abs(a - fine.central)
        telling = CLEAR * np.maximum(fine.noise, rounding) <= error
        same = np.abs(fine.central - coarse.central) <= SAME * error
        apart = np.where(telling, same, apart)
    return apart


def _verdict(
    a: Array,
    entries: _SortedEntries,
    scale: float,
    noise: Array,
    bars: Array,
    standard: Standard,
    largest_of_block: float,
) -> Judgement:
    n = entries.number
    error = np.abs(a - n)
    compared = ~entries.on_kink
    verdict, note, looked_at = "pass", "", compared
    if entries.wrong.any():
        verdict, note = "fail", f"{entries.wrong.sum()} of {len(a)} disagree"
        looked_at = entries.wrong
    elif scale < noise.min():
        # Of biases that sum to zero, say. The weights of the same units must rise above the noise,
        # or nothing has been seen of those units.
        is_zero = np.abs(a).max() <= standard.rounding
        if is_zero and noise.max() <= RESOLUTION * largest_of_block:
            return Judgement("pass", 0.0, scale, 0, float(n[0]), "zero up to rounding")
        verdict, note = "inconclusive", _drowned(scale, noise)
    elif entries.unclear.any():
        verdict = "inconclusive"
        looked_at = entries.unclear
        note = _unclear(error[looked_at], noise[looked_at])
    elif not compared.any():
        verdict, note, looked_at = "inconclusive", "every entry lies on a kink of J", ~compared
    elif not compared.all():
        note = f"{(~compared).sum()} of {len(a)} on a kink of J: between its two sides"
    weight = np.where(looked_at, np.nan_to_num(error, nan=np.inf), -1.0)
    worst = int(np.argmax(weight))
    judged = compared & ~entries.unclear
    size = np.maximum(np.abs(a), np.abs(n))
    below = judged & (size <= SEEN * bars) & (size > 0.0)
    return Judgement(
        verdict,
        _ratio(error[worst], scale),
        scale,
        worst,
        float(n[worst]),
        note,
        wrong=tuple(np.argsort(-weight, kind="stable")[: entries.wrong.sum()].tolist()),
        floor=float(SEEN * bars[judged].max()) if judged.any() else float("nan"),
        n_below=int(below.sum()),
    )


def _ratio(error: float, scale: float) -> float:
    return float(error / scale) if np.isfinite(error) else float("nan")


def _drowned(scale: float, noise: Array) -> str:
    return (
        f"cannot tell: the gradient ({scale:.1e}) is below the noise of the comparison "
        f"({noise.min():.1e}); a larger step or another theta may show it"
    )


def _unclear(error: Array, noise: Array) -> str:
    count = f"{len(error)} entries" if len(error) > 1 else "1 entry"
    if not np.isfinite(error).all():
        return f"cannot tell of {count}: J is not finite beside theta"
    # Below ten times the noise of the next smaller step rounding decides, above it the step.
    if bool((error <= CLEAR * CLEAR * noise).all()):
        return f"cannot tell of {count}: noise hides the difference; try a larger step"
    return f"cannot tell of {count}: the numerical derivative changes with the step"
