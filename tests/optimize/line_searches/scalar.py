"""Functions of one variable, and drivers that run line searches on them alone or stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EPS = float(np.finfo(float).eps)
MORE_THAN_ENOUGH = 200  # ticks; a search that is still running then does not end


class Phi(NamedTuple):
    """phi(t) and phi'(t) of one number."""

    value: Callable[[float], float]
    slope: Callable[[float], float]


class Found(NamedTuple):
    """The accepted step (None: the search failed) and every step tried."""

    step: float | None
    trials: list[float]

    @property
    def is_retry(self) -> bool:
        """Whether the accepted step is the lowest point, taken for want of a better one."""
        return self.step is not None and self.step in self.trials[:-1]


def evaluated(phis, steps):
    """Return value and slope of each function at its step, as two arrays."""
    with np.errstate(all="ignore"):
        pairs = [(phi.value(t), phi.slope(t)) for phi, t in zip(phis, steps, strict=True)]
    value, slope = np.array(pairs, dtype=np.float64).T
    return value, slope


def begun(rule, phis, firsts, eps=EPS):
    """Start `rule` on a stack of functions and return it."""
    rule.start(len(phis), eps)
    rows = np.ones(len(phis), dtype=bool)
    value, slope = evaluated(phis, np.zeros(len(phis)))
    rule.begin(rows, value, slope, np.array(firsts, dtype=np.float64))
    return rule


def search(rule, phi, first=1.0, eps=EPS):
    """Run one search alone."""
    begun(rule, [phi], [first], eps)
    trials: list[float] = []
    for _ in range(MORE_THAN_ENOUGH):
        trials.append(float(rule.step_sizes[0]))
        accepted, failed = rule.judge(*evaluated([phi], trials[-1:]))
        assert not (accepted[0] and failed[0])
        if accepted[0] or failed[0]:
            return Found(trials[-1] if accepted[0] else None, trials)
    raise AssertionError("the search did not end")


def search_together(rule, phis, firsts, is_compressed):
    """Run all in one stack; return what each row found, in all of its searches.

    Rows that end are dropped, or begin the same search again until all have ended twice.
    """
    begun(rule, phis, firsts)
    found: list[list[Found]] = [[] for _ in phis]
    trials: list[list[float]] = [[] for _ in phis]
    running = np.arange(len(phis))
    for _ in range(MORE_THAN_ENOUGH):
        here = [phis[i] for i in running]
        steps = rule.step_sizes.copy()
        accepted, failed = rule.judge(*evaluated(here, steps))
        ended = accepted | failed
        for row, i in enumerate(running):
            trials[i].append(float(steps[row]))
            if ended[row]:
                found[i].append(Found(trials[i][-1] if accepted[row] else None, trials[i]))
                trials[i] = []
        if all(len(one) >= (1 if is_compressed else 2) for one in found):
            return found
        if is_compressed:
            running = running[~ended]
            rule.keep(~ended)
        else:
            rule.begin(ended, *evaluated(here, np.zeros(len(here))), np.asarray(firsts))
    raise AssertionError("a search did not end")


def quartic(a, b, c, scale=1.0, offset=0.0):
    """scale (-t + a t² + b t³ + c t⁴) + offset: falls at first, rises at last for c > 0."""
    return Phi(
        lambda t: scale * (-t + a * t**2 + b * t**3 + c * t**4) + offset,
        lambda t: scale * (-1.0 + 2 * a * t + 3 * b * t**2 + 4 * c * t**3),
    )


def wiggly(bend, share, frequency):
    """A parabola with waves: up to `share` < 1 of the slope at 0 comes and goes."""
    return Phi(
        lambda t: -t + bend * t**2 + share * np.sin(frequency * t) / frequency,
        lambda t: -1.0 + 2 * bend * t + share * np.cos(frequency * t),
    )


def exponential_wall(steepness, place):
    """-t + exp(steepness (t - place)) / steepness; +inf where the exponential exceeds 1e100."""

    def power(t):
        exponent = steepness * (t - place)
        return np.exp(exponent) if exponent < 230.0 else np.inf

    return Phi(lambda t: -t + power(t) / steepness, lambda t: -1.0 + power(t))


def walled(phi, place, beyond):
    """`phi` up to `place`, and the value `beyond` (NaN, inf, -inf) from there on."""
    return Phi(
        lambda t: phi.value(t) if t < place else beyond,
        lambda t: phi.slope(t) if t < place else (np.nan if np.isnan(beyond) else -1.0),
    )


def scaled(phi, scale):
    """`phi` in other units of J."""
    return Phi(lambda t: scale * phi.value(t), lambda t: scale * phi.slope(t))


def jump(place, height):
    """-t, and from `place` on `height` higher: nothing but the low side of the jump is low."""
    return Phi(lambda t: -t + height * (t >= place), lambda t: -1.0)


def random_functions(n, seed, has_walls=True):
    """Return `n` functions of all kinds, or only the smooth, and first steps from 1e-3 to 1e3."""
    rng = np.random.default_rng(seed)
    phis = []
    for _ in range(n):
        a, b = rng.normal(size=2) * 3
        kinds = [
            quartic(a, b, 10 ** rng.uniform(-1, 2), scale=10 ** rng.uniform(-3, 3)),
            quartic(a, b, 10 ** rng.uniform(-1, 2), offset=10 ** rng.uniform(0, 3)),
            wiggly(10 ** rng.uniform(-1, 1), rng.uniform(0.1, 0.95), 10 ** rng.uniform(0, 2)),
            exponential_wall(10 ** rng.uniform(0, 2), 10 ** rng.uniform(-2, 1)),
            walled(quartic(a, b, 20.0), 10 ** rng.uniform(-2, 0.5), np.nan),
            walled(wiggly(1.0, 0.5, 30.0), 10 ** rng.uniform(-2, 0.5), np.inf),
            walled(quartic(a, b, 20.0), 10 ** rng.uniform(-2, 0.5), -np.inf),
        ]
        phis.append(kinds[rng.integers(len(kinds) if has_walls else 4)])
    return phis, 10 ** rng.uniform(-3, 3, n)
