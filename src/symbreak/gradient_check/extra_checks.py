"""Where else a gradient is checked: after a short burn-in, and each term of J alone.

At a random start some mistakes are small (a penalty beside the data, a unit that is still linear);
a few steps of training, and the terms by themselves, bring them out. The terms are taken where no
entry is zero: a penalty has no slope there, whatever multiplies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from symbreak.arrays import Array, alike, as_own_kind, cast, copied, namespace, quiet
from symbreak.gradient_check.check_target import CheckTarget, rounded
from symbreak.gradient_check.probes import in_float64
from symbreak.objectives import Objective
from symbreak.objectives.capabilities import HasTerms, offered

STEPS = 10
LENGTH = 0.03  # of a step, relative to |theta|
SIZE = 0.3


def extra_targets(target: CheckTarget, seed: int) -> Iterator[tuple[str, CheckTarget]]:
    """Yield the further targets by name; `seed` draws the entries that are zero."""
    yield f"after {STEPS} steps", replace(target, stack=_burned_in(target))
    terms, precise = _terms(target.objective), _terms(target.precise)
    if len(terms) < 2:
        return
    stack = _without_zeros(target, seed)
    for name, term in terms.items():
        yield f"{name} alone", replace(target, objective=term, precise=precise[name], stack=stack)


def _terms(objective: Objective) -> Mapping[str, Objective]:
    sum_of = offered(objective, HasTerms)
    return {} if sum_of is None else sum_of.terms()


def _without_zeros(target: CheckTarget, seed: int) -> Array:
    """Return theta with its zeros drawn between +-SIZE of its largest entry, +-SIZE if all are."""
    stream = np.random.default_rng([seed, 3])
    theta, xp = target.stack, namespace(target.stack)
    largest = xp.max(xp.abs(theta), axis=1, keepdims=True)
    drawn = alike(stream.uniform(-SIZE, SIZE, tuple(theta.shape)), theta)
    drawn = drawn * xp.where(largest > 0.0, largest, xp.ones_like(largest))
    return rounded(xp.where(theta == 0.0, drawn, theta), target.native)


def _burned_in(target: CheckTarget) -> Array:
    """Return theta after some steps down the gradient, as numbers of the native dtype."""
    theta = copied(target.stack)
    for _ in range(STEPS):
        gradient = alike(as_own_kind(target.precise(theta)[1], "The gradient"), theta)
        moved = _moved(theta, cast(gradient, "float64"))
        if not np.isfinite(in_float64(target.precise.value(moved), "J")).all():
            break
        theta = moved
    return rounded(theta, target.native)


@quiet
def _moved(theta: Array, gradient: Array) -> Array:
    """Return theta after one step; a gradient of zero moves nothing."""
    xp = namespace(theta)
    size, length = (xp.linalg.vector_norm(one, axis=1, keepdims=True) for one in (gradient, theta))
    step = LENGTH * length * gradient / size
    return theta - xp.where(size > 0.0, step, xp.zeros_like(theta))
