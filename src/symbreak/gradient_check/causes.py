"""The probable cause of a wrong block, from the pattern of its wrong entries.

A cause is named only where every entry that was looked at fits it within its bar; it is a guess of
what a person may have written, and the numbers stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbreak.gradient_check.localisation import Entry, Located
from symbreak.gradient_check.probes import Array

EXACT = 1e-6  # how near a ratio must come to a number that means something
FEWEST = 3  # entries that a pattern must hold for
KNOWN = 0.01  # of the difference that a cause makes: how far its number may be off


@dataclass(frozen=True)
class Clues:
    """What is known of the objective beside its numbers.

    Attributes
    ----------
    n_examples : m; None where it is not known.
    gradient, theta : (n,).
    shape, start : of the block in theta.
    """

    n_examples: int | None
    gradient: Array
    theta: Array
    shape: tuple[int, ...]
    start: int


def cause_of(located: Located, clues: Clues) -> str:
    """Return the probable cause in words, or ""."""
    wrong = located.wrong
    if not wrong:
        return ""
    if len(wrong) == 1 and not located.are_all:
        return ""  # what one entry says is no cause where others may be wrong in another way
    seen = located.entries
    if len(seen) < FEWEST:
        return _of_ratio(_common_ratio(seen), clues, "")
    for words in (
        _of_ratio(_common_ratio(seen), clues, "in every wrong entry found, "),
        _of_penalty(seen, clues),
        _of_transposition(seen, clues),
    ):
        if words:
            return words
    return ""


@dataclass(frozen=True)
class _Ratio:
    """Analytic / numerical, and how far it may be off."""

    number: float
    error: float


def _common_ratio(entries: Sequence[Entry]) -> _Ratio | None:
    """Return analytic / numerical where it is one number for all entries."""
    told = [entry for entry in entries if abs(entry.numerical) > entry.bar]
    if not told:
        return None
    strongest = max(told, key=lambda entry: abs(entry.numerical) / max(entry.bar, 1e-300))
    ratio = strongest.ratio
    error = (1 + abs(ratio)) * strongest.bar / abs(strongest.numerical)
    is_common = all(
        abs(e.analytic - ratio * e.numerical) <= (1 + abs(ratio)) * e.bar for e in entries
    )
    return _Ratio(ratio, error) if is_common and error <= KNOWN * abs(ratio - 1.0) else None


def _of_ratio(common: _Ratio | None, clues: Clues, where: str) -> str:
    if common is None:
        return ""
    ratio, m = common.number, clues.n_examples
    known = [
        (0.0, "the gradient is zero: detached from J, or never written"),
        (-1.0, "the gradient has the wrong sign"),
    ]
    if m is not None and m > 1:
        known.append((float(m), f"the gradient is m = {m} times too large: a sum for a mean"))
        known.append((1.0 / m, f"the gradient is m = {m} times too small: divided by m twice"))
    for number, words in known:
        near = max(EXACT * max(1.0, abs(number)), common.error)
        if abs(ratio - number) <= near and (number or ratio == 0.0):
            return where + words
    if abs(ratio) >= 1.0:
        return f"{where}the gradient is {ratio:.6g} times the numerical one{_of_count(ratio)}"
    inverse = f" (1 / {1 / ratio:.6g})" if ratio else ""
    return f"{where}the gradient is {ratio:.6g}{inverse} times the numerical one"


def _of_count(ratio: float) -> str:
    whole = round(ratio)
    if abs(ratio - whole) > EXACT * whole or whole < 2:
        return ""
    return f": a sum over {whole} outputs or examples where J has their mean, or a factor twice"


def _of_penalty(entries: Sequence[Entry], clues: Clues) -> str:
    """Whether what is too much is one multiple of theta itself."""
    theta = np.array([clues.theta[entry.index] for entry in entries])
    excess = np.array([entry.analytic - entry.numerical for entry in entries])
    bars = np.maximum([entry.bar for entry in entries], np.finfo(float).tiny)
    if not theta.any():
        return ""
    # An entry counts by what its bar leaves of it.
    weights = (bars.min() / bars) ** 2
    factor = float(excess @ (weights * theta) / (theta @ (weights * theta)))
    uncertain = 2.0 * bars
    is_known = (uncertain <= KNOWN * np.abs(factor * theta)).any()
    if not is_known or (np.abs(excess - factor * theta) > uncertain).any():
        return ""
    sign = "more" if factor > 0 else "less"
    return (
        f"the gradient has {abs(factor):.6g} theta {sign} than the numerical one: a penalty "
        f"that J and gradient do not share"
    )


def _of_transposition(entries: Sequence[Entry], clues: Clues) -> str:
    """Whether the gradient holds the right numbers in the order of the transposed block."""
    if len(clues.shape) != 2 or 1 in clues.shape:
        return ""
    rows, columns = clues.shape
    block = clues.gradient[clues.start : clues.start + rows * columns]
    turned = block.reshape(columns, rows).T.reshape(-1)
    if all(abs(turned[e.index - clues.start] - e.numerical) <= e.bar for e in entries):
        return "the block is transposed"
    return ""
