"""The strong Wolfe search against its paper's tables and MINPACK-2's trials."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.optimize.line_searches.bounded import MAX_TRIALS
from symbreak.optimize.line_searches.interpolation import cubic_minimiser, secant_zero
from symbreak.optimize.line_searches.more_thuente import MoreThuente
from tests.optimize.line_searches.scalar import Phi, quartic, random_functions, search, wiggly


def paper_3(beta=0.01, waves=39):
    """Moré & Thuente 1994, eq. 5.3."""
    height = 2 * (1 - beta) / (waves * np.pi)

    def flat(t):
        near = (t - 1) ** 2 / (2 * beta) + beta / 2
        return 1 - t if t <= 1 - beta else t - 1 if t >= 1 + beta else near

    def flat_slope(t):
        return -1.0 if t <= 1 - beta else 1.0 if t >= 1 + beta else (t - 1) / beta

    return Phi(
        lambda t: flat(t) + height * np.sin(waves * np.pi / 2 * t),
        lambda t: flat_slope(t) + (1 - beta) * np.cos(waves * np.pi / 2 * t),
    )


def paper_4(beta1, beta2):
    """Moré & Thuente 1994, eq. 5.4 (Yanai, Ozawa & Kaneko)."""
    gamma1, gamma2 = (np.sqrt(1 + beta**2) - beta for beta in (beta1, beta2))
    return Phi(
        lambda t: gamma1 * np.hypot(1 - t, beta2) + gamma2 * np.hypot(t, beta1),
        lambda t: gamma1 * (t - 1) / np.hypot(1 - t, beta2) + gamma2 * t / np.hypot(t, beta1),
    )


# Function, c1, c2 and the evaluations from first steps 1e-3, 1e-1, 1e1, 1e3 (their tables I-VI).
PAPER = {
    "I": (
        Phi(lambda t: -t / (t**2 + 2), lambda t: (t**2 - 2) / (t**2 + 2) ** 2),
        (1e-3, 0.1),
        (6, 3, 1, 4),
    ),
    "II": (
        Phi(
            lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
            lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
        ),
        (0.1, 0.1),
        (12, 8, 8, 11),
    ),
    "III": (paper_3(), (0.1, 0.1), (12, 12, 10, 13)),
    "IV": (paper_4(0.001, 0.001), (1e-3, 1e-3), (4, 1, 3, 4)),
    "V": (paper_4(0.01, 0.001), (1e-3, 1e-3), (6, 3, 7, 8)),
    "VI": (paper_4(0.001, 0.01), (1e-3, 1e-3), (13, 11, 8, 11)),
}


def levelling_off(bend):
    """Falls on, but soon by less than c1 promises; at last it rises gently."""
    return Phi(
        lambda t: -t / (1.0 + bend * t) + 1e-3 * t**2,
        lambda t: -1.0 / (1.0 + bend * t) ** 2 + 2e-3 * t,
    )


def meets_strong_wolfe(phi, t, c1, c2):
    enough = phi.value(t) <= phi.value(0.0) + c1 * t * phi.slope(0.0)
    return enough and abs(phi.slope(t)) <= c2 * abs(phi.slope(0.0))


@pytest.mark.parametrize("table", PAPER)
def test_evaluations_of_the_paper(table):
    phi, (c1, c2), counts = PAPER[table]
    for first, count in zip((1e-3, 1e-1, 1e1, 1e3), counts, strict=True):
        found = search(MoreThuente(c1, c2), phi, first)
        assert len(found.trials) == count
        assert meets_strong_wolfe(phi, found.step, c1, c2)


@pytest.mark.parametrize(("c1", "c2"), [(1e-4, 0.9), (1e-4, 0.1), (0.1, 0.11), (1e-3, 1e-3)])
def test_trials_are_those_of_minpack(c1, c2):
    dcsrch = pytest.importorskip("scipy.optimize._dcsrch").DCSRCH
    rng = np.random.default_rng(21)
    cases = [
        (phi, first) for phi, _, _ in PAPER.values() for first in 10.0 ** rng.uniform(-3, 3, 10)
    ]
    for _ in range(80):
        a, b = rng.normal(size=2) * 3
        phi = quartic(a, b, 10 ** rng.uniform(-1, 2), scale=10 ** rng.uniform(-3, 3))
        cases.append((phi, 10 ** rng.uniform(-3, 3)))
        waves = wiggly(10 ** rng.uniform(-1, 1), rng.uniform(0.1, 0.95), 10 ** rng.uniform(0, 1))
        cases.append((waves, 10 ** rng.uniform(-3, 3)))
        cases.append((levelling_off(10 ** rng.uniform(-0.5, 1)), 10 ** rng.uniform(-1, 1)))
    compared = 0
    for phi, first in cases:
        theirs: list[float] = []

        def value(t, phi=phi, theirs=theirs):
            theirs.append(float(t))
            return phi.value(t)

        outcome = dcsrch(value, phi.slope, c1, c2, 1e-15, 0.0, 1e50)(
            first, phi0=phi.value(0.0), derphi0=phi.slope(0.0)
        )
        if not outcome[-1].startswith(b"CONV"):
            continue  # values drown in rounding, and which of them is lower is chance
        found = search(MoreThuente(c1, c2), phi, first)
        np.testing.assert_allclose(found.trials, theirs, rtol=1e-7)
        compared += 1
    assert compared >= 0.9 * len(cases)


@pytest.mark.parametrize("c2", [0.9, 0.1])
@pytest.mark.parametrize("has_walls", [True, False])
def test_accepted_steps_satisfy_strong_wolfe(c2, has_walls):
    phis, firsts = random_functions(150, seed=22, has_walls=has_walls)
    for phi, first in zip(phis, firsts, strict=True):
        found = search(MoreThuente(1e-4, c2), phi, first)
        # phi may fall all the way to a wall; then the lowest point is all there is.
        assert meets_strong_wolfe(phi, found.step, 1e-4, c2) or (has_walls and found.is_retry)


def test_a_line_without_end_grows_by_four_moves():
    found = search(MoreThuente(), Phi(lambda t: -t, lambda t: -1.0), 1.0)
    assert found.trials[:4] == [1.0, 5.0, 21.0, 85.0]
    assert len(found.trials) == MAX_TRIALS + 1
    assert found.step == max(found.trials)


def test_below_a_wall_the_interval_is_halved():
    # -t up to a wall at 0.7: 1 is too long, 0.5 the low end, and so on towards the wall.
    phi = Phi(lambda t: -t if t < 0.7 else np.nan, lambda t: -1.0)
    assert search(MoreThuente(), phi, 1.0).trials[:4] == [1.0, 0.5, 0.75, 0.625]


def test_the_cubic_minimiser_is_that_of_the_cubic():
    rng = np.random.default_rng(24)
    a = rng.uniform(0.5, 2.0, 200) * rng.choice([-1, 1], 200)
    b, c = rng.normal(size=(2, 200)) * 2
    t = np.sort(rng.normal(size=(2, 200)), axis=0)[:: rng.choice([-1, 1])]
    ends = [
        np.stack([s, a * s**3 + b * s**2 + c * s, 3 * a * s**2 + 2 * b * s + c], axis=1) for s in t
    ]
    with np.errstate(invalid="ignore"):
        minimum = (-b + np.sqrt(b * b - 3 * a * c)) / (3 * a)
        found, share = cubic_minimiser(*ends)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(minimum))
    there = ~np.isnan(minimum)
    np.testing.assert_allclose(found[there], minimum[there], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(t[0] + share * (t[1] - t[0]), found, rtol=1e-12)


def test_a_cubic_that_only_levels_out_has_no_minimiser():
    ends = [np.array([[t, (1.0 - t) ** 3, -3.0 * (1.0 - t) ** 2]]) for t in (0.0, 0.5)]
    assert np.isnan(cubic_minimiser(*ends)[0])


def test_the_secant_is_zero_where_a_linear_slope_is():
    ends = [np.array([[t, 0.0, 3.0 * (t - 1.5)]]) for t in (0.25, 4.0)]
    np.testing.assert_allclose(secant_zero(*ends), [1.5], rtol=1e-15)
