"""The problems themselves: minima are minima, gradients are gradients."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import optimize

import symbreak as sb
from symbreak.errors import InvalidType
from symbreak.objectives.contract import Objective
from tests.optimize.plain_functions import PROBLEMS as FUNCTIONS
from tests.optimize.problems import (
    ALIASES,
    MGH,
    MGH_VARIANTS,
    OTHERS,
    REGISTRY,
    mgh_28_31,
    networks,
)
from tests.optimize.problems.core import by_complex_step
from tests.optimize.problems.others import CONDITION, quadratic_parts

ALL = list(REGISTRY.values())
SQUARES = [p for p in ALL if hasattr(p.objective(), "residuals") and p not in networks.PROBLEMS]
KNOWN = [
    pytest.param(p, k, id=f"{p.name}-{k}")
    for p in ALL
    for k, at in enumerate(p.minimisers)
    if at is not None
]
BY_NAME = {"ids": lambda p: p.name}

# What SciPy's Levenberg-Marquardt method reaches from the standard start, where that is not the
# global minimum: the place in `minima`.
LOCAL_FROM_START = {
    "mgh02_freudenstein_roth": 1,
    "mgh26_trigonometric_10": 1,
    "mgh35_chebyquad_10": 1,
}

# |r| at the standard start as MINPACK's test programs list it (Argonne report ANL-80-74, 1980).
START_NORMS = {
    "mgh01_rosenbrock": 4.919350,
    "mgh02_freudenstein_roth": 20.01249,
    "mgh06_jennrich_sampson": 64.58563,
    "mgh07_helical_valley": 50.0,
    "mgh08_bard": 6.456136,
    "mgh10_meyer": 41153.47,
    "mgh12_box": 32.11158,
    "mgh13_powell_singular": 14.66288,
    "mgh15_kowalik_osborne": 0.07289151,
    "mgh16_brown_dennis": 2815.438,
    "mgh17_osborne_1": 0.9375640,
    "mgh19_osborne_2": 1.446865,
    "mgh20_watson_6": 5.477226,
    "mgh27_brown_almost_linear_10": 16.53022,
    "mgh35_chebyquad_8": 0.1965139,
}
# f at the standard start, worked out with pencil and paper.
START_SUMS = {
    "mgh03_powell_badly_scaled": 1 + (math.exp(-1) - 1e-4) ** 2,
    "mgh04_brown_badly_scaled": (1 - 1e6) ** 2 + (1 - 2e-6) ** 2 + 1,
    "mgh05_beale": 14.203125,
    "mgh14_wood": 10000 + 16 + 9000 + 16 + 160,
    "mgh21_extended_rosenbrock_10": 5 * 24.2,
    "mgh22_extended_powell_singular_12": 3 * (49 + 5 + 1 + 160),
    "mgh23_penalty_1_4": 14e-5 + 29.75**2,
    "mgh23_penalty_1_10": 285e-5 + 384.75**2,
    "mgh25_variably_dimensioned_10": 3.85 + 38.5**2 + 38.5**4,
    "mgh30_broyden_tridiagonal_10": 4 + 8 + 9,
    "mgh31_broyden_banded_10": 360,
    "mgh32_linear_full_rank_10": 45,
    "mgh33_linear_rank_1_10": 55**2 * 1240 - 2 * 55 * 120 + 15,
    "mgh34_linear_rank_1_zeros_10": 44**2 * 819 - 2 * 44 * 91 + 15,
}


def points(problem):
    """The standard start and eight points near it, (9, n)."""
    rng = np.random.default_rng(0)
    relative, absolute = rng.normal(size=(2, 8, problem.n))
    near = problem.start * (1 + 0.05 * relative) + 0.02 * absolute
    return np.vstack([problem.start, near])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_stated_minimum_has_its_value_and_no_gradient(name):
    function, start, minimum, at = FUNCTIONS[name]
    value, gradient = function(np.full_like(start, at))
    assert value == pytest.approx(minimum, abs=1e-15)
    assert np.abs(gradient).max() == 0.0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_belongs_to_value(name):
    function, start, _, _ = FUNCTIONS[name]
    numerical = optimize.approx_fprime(start, lambda x: function(x)[0])
    np.testing.assert_allclose(function(start)[1], numerical, rtol=1e-4, atol=1e-5)


def test_the_registry_is_complete_and_names_are_unique():
    assert [int(p.name[3:5]) for p in MGH] == list(range(1, 36))
    assert len(REGISTRY) == len(MGH) + len(MGH_VARIANTS) + len(OTHERS)
    assert not set(ALIASES) & set(REGISTRY)
    assert all(p.start.dtype == np.float64 and p.start.shape == (p.n,) for p in ALL)
    assert all(p.minima == () or p.minima[0] == min(p.minima) for p in ALL)


@pytest.mark.parametrize("name", [*START_NORMS, *START_SUMS])
def test_values_at_the_standard_start_are_the_published_ones(name):
    problem = REGISTRY[name]
    found = 2 * problem.objective().value(problem.start)
    wanted, digits = (START_SUMS[name], 1e-13) if name in START_SUMS else (START_NORMS[name], 1e-6)
    assert (found if name in START_SUMS else math.sqrt(found)) == pytest.approx(wanted, rel=digits)


@pytest.mark.parametrize("problem", SQUARES, **BY_NAME)
def test_jacobian_is_that_of_the_residuals(problem):
    objective, theta = problem.objective(), points(problem)
    jacobian = objective.jacobian(theta)
    for point, found in zip(theta, jacobian, strict=True):
        wanted = by_complex_step(problem.objective(np.complex128).residuals, point)
        size = np.abs(wanted).max(0)  # of each column: parameters differ by powers of ten
        assert (np.abs(found - wanted) <= 1e-13 * size).all()


@pytest.mark.parametrize("problem", ALL, **BY_NAME)
def test_gradient_against_central_differences(problem):
    objective, theta = problem.objective(), points(problem)
    for point, gradient in zip(theta, objective(theta)[1], strict=True):
        differences, rounding = np.empty_like(point), np.empty_like(point)
        for j in range(problem.n):
            step = np.zeros_like(point)
            step[j] = 1e-5 * max(abs(point[j]), 1e-2)
            up, down = objective.value(np.stack([point + step, point - step]))
            differences[j] = (up - down) / (2 * step[j])
            rounding[j] = 1e-15 * (up + down) / step[j]
        wrong = np.abs(gradient - differences)
        assert (wrong <= 1e-5 * np.abs(gradient).max() + rounding).all()


@pytest.mark.parametrize(("problem", "k"), KNOWN)
def test_stated_minimisers_have_the_stated_values(problem, k):
    objective, at = problem.objective(), problem.minimisers[k][None]
    at_start = objective.value(problem.start[None])[0]
    rounding = 1e-24 * at_start
    if problem in SQUARES:  # r is rounded as the terms Jacobian · x, and J by |r| times that
        terms = np.linalg.norm(np.abs(objective.jacobian(at)) @ np.abs(at[0]))
        rounding += 1e-15 * terms * np.linalg.norm(objective.residuals(at))
    value = objective.value(at)[0]
    assert value == pytest.approx(problem.minima[k], rel=1e-12, abs=rounding)


@pytest.mark.parametrize(("problem", "k"), KNOWN)
def test_gradient_vanishes_at_stated_minimisers(problem, k):
    objective = problem.objective()
    both = np.stack([problem.start, problem.minimisers[k]])
    start, end = np.abs(objective(both)[1])
    terms = np.zeros_like(end)  # what cancels in the gradient where residuals do not vanish
    if problem in SQUARES:
        r, jacobian = objective.residuals(both)[1], objective.jacobian(both)[1]
        terms = np.abs(r[:, None] * jacobian).sum(0)
    assert (end <= 1e-10 * terms + 1e-12 * start.max()).all()


@pytest.mark.parametrize(("problem", "k"), KNOWN)
def test_nothing_lower_lies_near_stated_minimisers(problem, k):
    objective, at = problem.objective(), problem.minimisers[k]
    noise = np.random.default_rng(0).normal(size=(200, problem.n))
    near = at + 1e-3 * noise * np.maximum(np.abs(at), 1e-3)
    assert (objective.value(near) >= problem.minima[k] * (1 - 1e-10)).all()


@pytest.mark.parametrize("problem", [p for p in ALL if any(p.printed)], **BY_NAME)
def test_minima_are_those_printed_to_six_digits(problem):
    for value, printed in zip(problem.minima, problem.printed, strict=True):
        if printed is not None:
            last_digit = 10.0 ** (math.floor(math.log10(2 * printed)) - 5)
            assert abs(2 * value - 2 * printed) <= last_digit


@pytest.mark.parametrize(
    ("name", "far"),
    [
        ("mgh06_jennrich_sampson", (-1e4, 0.3314852779222321)),
        ("mgh08_bard", (12.61 / 15, -1e11, -1e11)),
        ("mgh15_kowalik_osborne", (1e10, -14.07588368, -45.25719291e10, -28.23149743e10)),
    ],
)
def test_minima_at_infinity_are_approached(name, far):
    problem = REGISTRY[name]
    assert problem.minimisers[1] is None
    value = problem.objective().value(np.array(far))
    assert value == pytest.approx(problem.minima[1], rel=1e-10)


def test_helical_valley_turns_without_a_jump_over_the_second_axis():
    angle = np.linspace(-0.49, 1.49, 50) * np.pi  # all turns but across x1 = 0, x2 < 0
    around = np.stack([np.cos(angle), np.sin(angle), np.zeros(50)], 1)
    r = REGISTRY["mgh07_helical_valley"].objective().residuals(around)
    np.testing.assert_allclose(r[:, 0], -50 / np.pi * angle, rtol=1e-12, atol=1e-12)


def test_chained_rosenbrock_is_that_of_scipy():
    problem = REGISTRY["chained_rosenbrock_10"]
    for point in points(problem):
        value, gradient = problem.objective()(point[None])
        assert 2 * value[0] == pytest.approx(optimize.rosen(point), rel=1e-14)
        wanted = optimize.rosen_der(point)
        np.testing.assert_allclose(2 * gradient[0], wanted, rtol=1e-11, atol=1e-11)


def test_rosenbrock_is_the_short_chain():
    problem = ALIASES["rosenbrock"]
    value = problem.objective().value(problem.start)
    assert 2 * value == pytest.approx(optimize.rosen(problem.start), rel=1e-15)


def test_quadratic_has_its_condition():
    A, _ = quadratic_parts()
    assert np.linalg.cond(A.T @ A) == pytest.approx(CONDITION, rel=1e-6)


@pytest.mark.parametrize("n", [5, 12])
def test_sums_of_systems_are_those_written_out(n):
    x = np.random.default_rng(n).normal(size=n)
    t = np.arange(1, n + 1) / (n + 1)
    c = (x + t + 1) ** 3
    banded, integral = np.empty(n), np.empty(n)
    for i in range(1, n + 1):
        near = [j for j in range(max(1, i - 5), min(n, i + 1) + 1) if j != i]
        own = x[i - 1] * (2 + 5 * x[i - 1] ** 2) + 1
        banded[i - 1] = own - sum(x[j - 1] * (1 + x[j - 1]) for j in near)
        below = (1 - t[i - 1]) * sum(t[j - 1] * c[j - 1] for j in range(1, i + 1))
        above = t[i - 1] * sum((1 - t[j - 1]) * c[j - 1] for j in range(i + 1, n + 1))
        integral[i - 1] = x[i - 1] + (below + above) / (2 * (n + 1))
    np.testing.assert_allclose(mgh_28_31.broyden_banded(x), banded, rtol=1e-12)
    np.testing.assert_allclose(mgh_28_31.integral_equation(x), integral, rtol=1e-12)


@pytest.mark.parametrize("problem", ALL, **BY_NAME)
def test_objectives_keep_the_contract(problem):
    objective, theta = problem.objective(), points(problem)
    assert isinstance(objective, Objective)
    assert objective.blocks[-1].stop == problem.n
    out = np.empty_like(theta)
    J, gradient = objective(theta, out=out)
    assert gradient is out
    assert J.shape == (len(theta),)
    np.testing.assert_array_equal(objective.value(theta), J)
    for k, point in enumerate(theta):
        alone, slope = objective.take([k])(point[None])
        np.testing.assert_allclose(alone[0], J[k], rtol=1e-12)
        size = np.abs(gradient[k]).max()
        np.testing.assert_allclose(slope[0], gradient[k], rtol=1e-12, atol=1e-13 * size)


@pytest.mark.parametrize("problem", ALL, **BY_NAME)
def test_float32_is_computed_in_float32(problem):
    theta = points(problem).astype(np.float32)
    J, gradient = problem.objective(np.float32)(theta)
    wanted, _ = problem.objective()(theta.astype(np.float64))
    assert J.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(J, wanted, rtol=1e-3, atol=1e-6)


def test_least_squares_problems_have_no_examples():
    with pytest.raises(InvalidType, match="objective with examples"):
        REGISTRY["mgh05_beale"].objective().batch([0])


@pytest.mark.slow
@pytest.mark.parametrize("problem", SQUARES, **BY_NAME)
def test_scipy_reaches_a_stated_minimum_from_the_start(problem):
    objective = problem.objective()
    m = objective.residuals(problem.start).shape[-1]
    with warnings.catch_warnings():  # trial steps may overflow
        warnings.simplefilter("ignore", RuntimeWarning)
        found = optimize.least_squares(
            objective.residuals,
            problem.start,
            objective.jacobian,
            method="lm" if m >= problem.n else "trf",
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=20000,
        )
    wanted = problem.minima[LOCAL_FROM_START.get(problem.name, 0)]
    at_start = objective.value(problem.start)
    assert found.cost == pytest.approx(wanted, rel=1e-9, abs=1e-20 * at_start)


@pytest.mark.parametrize("problem", networks.PROBLEMS, **BY_NAME)
def test_networks_end_where_the_gradient_vanishes(problem):
    objective, start = problem.objective(), problem.start[None]
    outcome = sb.minimize(objective, start, gradient_rtol=1e-8, max_iter=5000)
    assert outcome.converged.all()
    assert outcome.value[0] < objective.value(start)[0]
    if problem.minima:
        assert outcome.value[0] == pytest.approx(problem.minima[0], rel=1e-12)
