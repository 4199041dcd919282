"""The truncated Newton direction: exact enough, always down, each row for itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize.directions.newton_cg import NewtonCG
from symbreak.optimize.protocols import Point
from symbreak.parameters import Block


class Quadratics:
    """J = ½ theta · H theta - b · theta with an H and a b for each start; counts its products."""

    def __init__(self, H, b, products=None):
        self.H, self.b = H, b
        self.blocks = (Block("theta", 0, (H.shape[-1],)),)
        self.products = [] if products is None else products

    def __call__(self, theta, *, out=None):
        gradient = (self.H @ theta[:, :, None])[:, :, 0] - self.b
        value = 0.5 * ((gradient - self.b) * theta).sum(1)
        return value, gradient

    def value(self, theta):
        return self(theta)[0]

    def take(self, starts):
        return Quadratics(self.H[starts], self.b[starts], self.products)

    def batch(self, rows):
        raise NotImplementedError

    def hessian_product(self, theta, v):
        self.products.append(len(v))
        return (self.H @ v[:, :, None])[:, :, 0]

    gauss_newton_product = hessian_product


def problem(rows, n, seed, *, indefinite=False):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rows, n, n))
    H = (A + A.swapaxes(1, 2)) / 2 if indefinite else A @ A.swapaxes(1, 2) + 0.1 * np.eye(n)
    return Quadratics(H, rng.normal(size=(rows, n)))


def point(objective, theta):
    value, gradient = objective(theta)
    return Point(theta, value, gradient, np.abs(gradient).max(1))


def first(direction, here, objective):
    direction.look(here.is_finite, here, objective)
    return direction.start(here)


@pytest.mark.parametrize("seed", range(5))
def test_the_residual_is_below_what_the_forcing_term_asks(seed):
    objective = problem(4, 12, seed)
    here = point(objective, np.zeros((4, 12)))
    p = first(NewtonCG("hessian", 50), here, objective)
    residual = (objective.H @ p[:, :, None])[:, :, 0] + here.gradient
    ratio = np.linalg.norm(residual, axis=1) / np.linalg.norm(here.gradient, axis=1)
    assert (ratio <= 0.5 * (1 + 1e-12)).all()
    assert objective.products[0] == 4


def test_near_the_minimum_it_is_the_newton_step():
    objective = problem(3, 8, seed=7)
    minimiser = np.linalg.solve(objective.H, objective.b[:, :, None])[:, :, 0]
    direction = NewtonCG("hessian", 50)
    far = point(objective, minimiser + 10.0)
    first(direction, far, objective)
    near = point(objective, minimiser + 1e-12)
    rows = np.ones(3, dtype=bool)
    direction.look(rows, near, objective)
    p = direction.update(rows, far, near)
    step = minimiser - near.theta
    wrong = np.linalg.norm(p - step, axis=1)
    assert (wrong <= 1e-2 * np.linalg.norm(step, axis=1)).all()


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 4), n=st.integers(1, 9))
def test_it_leads_down_whatever_the_curvature(seed, rows, n):
    objective = problem(rows, n, seed, indefinite=True)
    here = point(objective, np.zeros((rows, n)))
    p = first(NewtonCG("hessian", 30), here, objective)
    assert ((p * here.gradient).sum(1) < 0).all()


def test_negative_curvature_at_once_gives_steepest_descent():
    objective = Quadratics(-np.eye(3)[None], np.ones((1, 3)))
    here = point(objective, np.zeros((1, 3)))
    p = first(NewtonCG("hessian", 9), here, objective)
    np.testing.assert_array_equal(p, -here.gradient)


def test_negative_curvature_met_later_ends_with_the_step_so_far():
    g = np.ones((1, 3))
    objective = Quadratics(np.diag([3.0, 1.0, -1.0])[None], -g)
    here = point(objective, np.zeros((1, 3)))
    p = first(NewtonCG("hessian", 9), here, objective)
    # g · g / g · H g = 1; the second direction bends down
    np.testing.assert_allclose(p, -g, rtol=1e-7)
    assert objective.products == [1, 1]


def test_the_option_says_which_products_are_taken():
    objective = problem(2, 5, seed=0)
    objective.gauss_newton_product = lambda theta, v: 2.0 * v
    objective.take = lambda starts: objective
    here = point(objective, np.zeros((2, 5)))
    p = first(NewtonCG("gauss-newton", 9), here, objective)
    np.testing.assert_allclose(p, -0.5 * here.gradient, rtol=1e-7)


def test_rows_that_are_done_leave_the_stack_of_products_and_rows_are_alone():
    objective = problem(5, 10, seed=2)
    objective.H[0] = np.eye(10)  # done after one product
    here = point(objective, np.zeros((5, 10)))
    together = first(NewtonCG("hessian", 50), here, objective)
    assert objective.products[0] == 5
    assert objective.products[1] == 4
    for row in range(5):
        one = np.arange(5) == row
        alone = first(NewtonCG("hessian", 50), here.pick(one), objective.take([row]))
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-12)


def test_only_the_asked_rows_are_solved():
    objective = problem(3, 6, seed=4)
    here = point(objective, np.zeros((3, 6)))
    direction = NewtonCG("hessian", 50)
    first(direction, here, objective)
    objective.products.clear()
    direction.look(np.array([False, True, False]), here, objective)
    assert set(objective.products) == {1}


def test_no_more_products_than_allowed():
    objective = problem(2, 40, seed=1)
    here = point(objective, np.zeros((2, 40)))
    first(NewtonCG("hessian", 3), here, objective)
    assert len(objective.products) <= 3


@pytest.mark.parametrize("curvature", ["hessian", "gauss-newton"])
def test_a_quadratic_is_solved_in_few_iterations(curvature):
    objective = problem(6, 15, seed=3)
    outcome = sb.minimize(
        objective, np.zeros((6, 15)), method="newton-cg",
        curvature=curvature, gradient_rtol=1e-8,
    )  # fmt: skip
    assert outcome.converged.all()
    assert outcome.n_iterations.max() <= 15
    minimiser = np.linalg.solve(objective.H, objective.b[:, :, None])[:, :, 0]
    np.testing.assert_allclose(outcome.theta, minimiser, rtol=1e-5, atol=1e-6)


def test_objectives_without_products_and_bad_options_get_one_sentence():
    with pytest.raises(InvalidType, match=r"newton-cg must have the method hessian_product"):
        sb.minimize(lambda x: (x @ x, 2 * x), np.ones(3), method="newton-cg")
    with pytest.raises(InvalidInput, match="curvature of newton-cg must be one of"):
        sb.minimize(problem(1, 2, 0), np.ones((1, 2)), method="newton-cg", curvature="fisher")
    with pytest.raises(InvalidInput, match="max_inner of newton-cg must be a positive integer"):
        sb.minimize(problem(1, 2, 0), np.ones((1, 2)), method="newton-cg", max_inner=0)
