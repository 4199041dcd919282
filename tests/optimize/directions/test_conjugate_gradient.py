"""Conjugate gradients: both formulas for beta, conjugacy, descent, and whole searches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize.directions.conjugate_gradient import (
    BETAS,
    ConjugateGradient,
    hager_zhang,
    polak_ribiere,
)
from symbreak.optimize.methods import METHODS
from tests.optimize.directions.moves import (
    cosines,
    exact_line_searches,
    linear_conjugate_gradients,
    moved,
    point,
    positive_definite,
)
from tests.optimize.plain_functions import PROBLEMS, cliff, quadratic, rosenbrock
from tests.optimize.problems import REGISTRY


def restated(name, g0, g, d):
    """beta of one start, term by term as the papers print it."""
    y = g - g0
    if name == "polak-ribiere":
        return max(0.0, float(np.dot(g, y) / np.dot(g0, g0)))
    plain = np.dot(y - 2.0 * d * np.dot(y, y) / np.dot(d, y), g) / np.dot(d, y)
    eta_k = -1.0 / (float(np.linalg.norm(d)) * min(0.01, float(np.linalg.norm(g0))))
    return max(plain, eta_k)


@pytest.mark.parametrize("name", BETAS)
def test_beta_is_the_formula_of_the_paper(name):
    rng = np.random.default_rng(0)
    seen = []
    for scale in (1e-6, 1e-3, 1.0, 1e3):  # eta_k binds only where gradients are not small
        vectors = scale * rng.normal(size=(3, 200, 4))
        found = BETAS[name](*vectors)
        expected = [restated(name, *row) for row in vectors.swapaxes(0, 1)]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)
        seen.append(found)
    betas = np.concatenate(seen)
    assert (betas <= 0).any()
    assert (betas > 0).any()


def test_hager_zhang_is_bounded_below():
    # In all rows d · y = 4 |d|² and beta without the bound is (-12 - 600² / 2) / 4 = -45003.
    scale = np.array([[1.0], [5e-3], [1e-3]])
    g0, g = (scale * np.array(v) for v in ([[1.0, 0.0]], [[-3.0, 600.0]]))
    found = hager_zhang(g0, g, -g0)
    np.testing.assert_allclose(found, [-1.0 / 0.01, -1.0 / 5e-3**2, -45003.0], rtol=1e-12)


def test_polak_ribiere_is_not_negative():
    g0 = np.array([[1.0, 0.0]])
    assert polak_ribiere(g0, 0.5 * g0, -g0).item() == 0.0


@pytest.mark.parametrize("name", BETAS)
def test_direction_remembers_the_last_direction_of_the_rows_that_moved(name):
    rng = np.random.default_rng(1)
    rows, n = 3, 5
    part = ConjugateGradient(name)
    g0 = rng.normal(size=(rows, n))
    d = part.start(point(g0, g0)).copy()
    np.testing.assert_array_equal(d, -g0)
    for _ in range(10):
        accepted = rng.random(rows) < 0.6
        g = np.where(accepted[:, None], g0 + rng.normal(size=(rows, n)), g0)
        found = moved(part, accepted, np.ones((rows, n)), g - g0, g)
        for row in np.flatnonzero(accepted):
            d[row] = -g[row] + restated(name, g0[row], g[row], d[row]) * d[row]
        np.testing.assert_allclose(found, d, rtol=1e-8, atol=1e-10 * np.abs(d).max())
        g0 = g


@pytest.mark.parametrize("name", BETAS)
def test_exact_steps_give_conjugate_directions_and_end_a_quadratic_in_n_steps(name):
    rng = np.random.default_rng(2)
    n = 8
    A, theta = positive_definite(rng, 3, n, 10.0), rng.normal(size=(3, n))
    directions, gradients = exact_line_searches(ConjugateGradient(name), A, theta, n)
    assert np.abs(gradients[-1]).max() < 1e-8 * np.abs(gradients[0]).max()
    for row in range(3):
        found = np.stack([d[row] for d in directions])
        expected = np.stack(linear_conjugate_gradients(A[row], theta[row], n))
        np.testing.assert_allclose(cosines(found, expected), 1.0, rtol=1e-8)
        products = found @ A[row] @ found.T
        sizes = np.sqrt(np.diag(products))
        off = products / np.outer(sizes, sizes) - np.eye(n)
        assert np.abs(off).max() < 1e-6


@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-8, 1.0, 1e8]))
def test_hager_zhang_leads_down_after_any_step_with_curvature(seed, scale):
    rng = np.random.default_rng(seed)
    g0, g, d = scale * rng.normal(size=(3, 50, 3))
    d *= np.sign(np.sum(d * (g - g0), axis=1))[:, None]  # d · y > 0, as Wolfe steps have it
    beta = hager_zhang(g0, g, d)
    plain = beta > -1.0 / (np.linalg.norm(d, axis=1) * np.fmin(0.01, np.linalg.norm(g0, axis=1)))
    slope = np.sum((-g + beta[:, None] * d) * g, axis=1)
    # Their theorem 1.1, g · d <= -7/8 |g|²; the bound only takes from a negative beta.
    least = -0.875 * np.sum(g * g, axis=1)
    size = np.abs(beta) * np.linalg.norm(d, axis=1) * np.linalg.norm(g, axis=1)
    assert (slope <= least + 1e-12 * size)[plain].all()


@pytest.mark.parametrize("name", BETAS)
def test_no_change_of_the_gradient_gives_steepest_descent(name):
    part = ConjugateGradient(name)
    g = np.array([[1.0, -2.0]])
    part.start(point(g, g))
    np.testing.assert_array_equal(moved(part, [True], np.ones((1, 2)), 0.0 * g, g), -g)


def test_restart_forgets_one_row_only():
    rng = np.random.default_rng(3)
    part = ConjugateGradient("hager-zhang")
    g0, g = rng.normal(size=(2, 2, 5))
    part.start(point(g0, g0))
    before = moved(part, [True, True], np.ones((2, 5)), g - g0, g).copy()
    after = part.restart(np.array([True, False]), point(g, g))
    np.testing.assert_array_equal(after[0], -g[0])
    np.testing.assert_array_equal(after[1], before[1])


def test_equal_entries_stay_equal_bit_for_bit():
    rng = np.random.default_rng(4)
    unit = np.array([0, 0, 0, 1, 1, 2])
    part = ConjugateGradient("hager-zhang")
    g0 = rng.normal(size=(2, 3))[:, unit]
    part.start(point(g0, g0))
    for _ in range(10):
        g = rng.normal(size=(2, 3))[:, unit]
        d = moved(part, [True, True], np.ones((2, 6)), g - g0, g)
        np.testing.assert_array_equal(d, d[:, [1, 2, 0, 4, 3, 5]])
        g0 = g


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("line_search", ["more-thuente", "hager-zhang"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_reaches_the_minimum(name, beta, line_search):
    function, start, minimum, at = PROBLEMS[name]
    outcome = sb.minimize(
        function, start, method="conjugate-gradient", beta=beta, line_search=line_search,
        gradient_rtol=1e-8, max_iter=2000,
    )  # fmt: skip
    assert outcome.converged[0]
    np.testing.assert_allclose(outcome.theta, at, atol=1e-6)
    assert outcome.value[0] == pytest.approx(minimum, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-50, 1.0, 1e50])
def test_scaled_objectives_reach_the_same_minimum(scale):
    outcome = sb.minimize(
        lambda x: tuple(scale * np.asarray(part) for part in rosenbrock(x)),
        np.array([-1.2, 1.0]), method="conjugate-gradient", gradient_rtol=1e-8,
    )  # fmt: skip
    np.testing.assert_allclose(outcome.theta, 1.0, rtol=1e-6)


def test_stacked_rows_end_where_each_ends_alone():
    theta = np.array([[2.0, -3.0], [1.0, 1.0], [-4.0, 0.5]])
    together = sb.minimize(cliff, theta, method="conjugate-gradient")
    for row in range(3):
        alone = sb.minimize(cliff, theta[row], method="conjugate-gradient")
        assert alone.n_evaluations[0] == together.n_evaluations[row]
        np.testing.assert_allclose(alone.theta, together.theta[row], rtol=1e-12, atol=1e-14)


def test_its_other_name_and_bad_options():
    assert METHODS["fmincg"] is METHODS["conjugate-gradient"]
    with pytest.raises(InvalidInput, match="beta of conjugate-gradient must be one of"):
        sb.minimize(quadratic, np.ones(3), method="fmincg", beta="fletcher-reeves")
    with pytest.raises(InvalidInput, match="line_search of conjugate-gradient must be one of"):
        sb.minimize(quadratic, np.ones(3), method="fmincg", line_search="armijo")


FEW = (
    "mgh07_helical_valley", "mgh13_powell_singular", "mgh14_wood", "mgh15_kowalik_osborne",
    "mgh21_extended_rosenbrock_10", "mgh22_extended_powell_singular_12",
    "mgh27_brown_almost_linear_10", "mgh31_broyden_banded_10",
)  # fmt: skip


def test_it_takes_no_more_evaluations_than_scipys_on_problems_that_took_twice_as_many():
    """To the same test of the gradient, from the standard start and three near it."""
    ratios = []
    for name in FEW:
        problem = REGISTRY[name]
        near = 1.0 + 0.1 * np.random.default_rng(0).normal(size=(3, problem.n))
        starts = np.vstack([problem.start, problem.start * near])
        ours, theirs = (
            sb.minimize(problem.objective(), starts, method=method, max_iter=5000)
            for method in ("conjugate-gradient", "scipy:CG")
        )
        assert ours.converged.all()
        ratios.append(np.median(ours.n_evaluations) / np.median(theirs.n_evaluations))
    assert np.exp(np.log(ratios).mean()) < 1.1
