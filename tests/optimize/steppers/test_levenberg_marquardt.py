"""Levenberg-Marquardt: the damped step, the units of theta, singular and hopeless cases."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize.protocols import Point
from symbreak.optimize.status import Status
from symbreak.optimize.steppers.levenberg_marquardt import LevenbergMarquardt
from tests.optimize.problems.core import ResidualProblem, constant


def linear(A, b):
    """r = A theta - b."""
    return ResidualProblem(A.shape[1], lambda x: x @ A.T - b, lambda x: constant(A, x))


def exponential(t, y, units=1.0):
    """r = x1 exp(-x2 t) - y, x = units · theta."""

    def residuals(theta):
        x = theta * units
        return x[:, :1] * np.exp(-x[:, 1:] * t) - y

    def jacobian(theta):
        x = theta * units
        decay = np.exp(-x[:, 1:] * t)
        return np.stack([decay, -x[:, :1] * t * decay], axis=2) * units

    return ResidualProblem(2, residuals, jacobian)


T = np.linspace(0.0, 3.0, 20)
NOISY = 2.0 * np.exp(-0.7 * T) + 0.05 * np.sin(9.0 * T)


def point(objective, theta):
    value, gradient = objective(theta)
    return Point(theta, value, gradient, np.abs(gradient).max(1))


def test_the_step_solves_the_damped_equations():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(9, 4)) * [1.0, 10.0, 0.1, 3.0], rng.normal(size=9)
    objective = linear(A, b)
    here = point(objective, rng.normal(size=(2, 4)))
    stepper = LevenbergMarquardt(damping=0.3)
    stepper.start(here, objective)
    step = stepper.trial(here, objective) - here.theta
    H = A.T @ A
    damped = H + 0.3 * np.diag(np.diag(H))
    expected = -np.linalg.solve(damped, here.gradient.T).T
    np.testing.assert_allclose(step, expected, rtol=1e-10)
    predicted = -(step * here.gradient).sum(1) - 0.5 * np.einsum("ri,ij,rj->r", step, H, step)
    np.testing.assert_allclose(stepper._predicted, predicted, rtol=1e-10)


def test_linear_least_squares_takes_one_step_without_damping():
    rng = np.random.default_rng(1)
    A, b = rng.normal(size=(30, 5)), rng.normal(size=30)
    outcome = sb.minimize(
        linear(A, b), np.zeros(5), method="levenberg-marquardt", damping=1e-12, gradient_rtol=1e-9
    )
    assert outcome.converged[0]
    assert outcome.n_iterations[0] == 1
    np.testing.assert_allclose(outcome.theta, np.linalg.lstsq(A, b)[0], rtol=1e-9)


def test_a_singular_jacobian_does_no_harm():
    rng = np.random.default_rng(2)
    A, b = rng.normal(size=(20, 3)), rng.normal(size=20)
    A = np.column_stack([A, A[:, 0], np.zeros(20)])  # a copy, and a parameter without effect
    outcome = sb.minimize(
        linear(A, b), np.ones(5), method="levenberg-marquardt", gradient_rtol=1e-9
    )
    best = 0.5 * np.sum((A @ np.linalg.lstsq(A, b)[0] - b) ** 2)
    assert outcome.value[0] == pytest.approx(best, rel=1e-10)
    assert outcome.theta[4] == 1.0


def test_a_matrix_without_a_factor_is_damped_more():
    A = np.ones((4, 2))  # singular, and 1e-20 does not mend it
    outcome = sb.minimize(
        linear(A, np.arange(4.0)), np.zeros(2), method="levenberg-marquardt", damping=1e-20
    )
    assert outcome.converged[0]
    assert outcome.value[0] == pytest.approx(2.5, rel=1e-12)


def test_a_trial_whose_gradient_is_not_finite_is_not_accepted():
    def jacobian(x):
        return np.where(x > 2.0, np.nan, 1.0)[:, :, None]

    objective = ResidualProblem(1, lambda x: x - 2.1, jacobian)
    start = np.array([0.0])
    outcome = sb.minimize(objective, start, method="levenberg-marquardt", damping=1e-9)
    assert outcome.n_iterations[0] > 0
    assert np.isfinite(outcome.gradient_norm[0])
    assert 1.0 < outcome.theta[0] <= 2.0


def test_the_units_of_theta_do_not_matter():
    options = {"method": "levenberg-marquardt", "max_iter": 6, "gradient_rtol": 0.0}
    units = np.array([1e4, 1e-5])
    plain = sb.minimize(exponential(T, NOISY), np.array([1.0, 2.0]), **options)
    other = sb.minimize(exponential(T, NOISY, units), np.array([1.0, 2.0]) / units, **options)
    np.testing.assert_allclose(other.theta * units, plain.theta, rtol=1e-9)
    np.testing.assert_allclose(other.history, plain.history, rtol=1e-9)


def test_the_damping_follows_nielsen():
    stepper = LevenbergMarquardt(damping=1.0)
    stepper._damping, stepper._growth = np.ones(4), np.array([2.0, 2.0, 2.0, 8.0])
    accepted = np.array([True, True, True, False])
    stepper._adapt(accepted, np.array([1.0, 0.5, 0.1, np.nan]))
    np.testing.assert_allclose(stepper._damping, [1 / 3, 1.0, 1.0 + 0.8**3, 8.0])
    np.testing.assert_allclose(stepper._growth, [2.0, 2.0, 2.0, 16.0])


def test_accepted_points_never_rise_and_starts_do_not_see_each_other():
    theta = np.array([[1.0, 2.0], [5.0, -1.0], [0.1, 0.1]])
    options = {"method": "levenberg-marquardt", "gradient_rtol": 1e-10}
    outcome = sb.minimize(exponential(T, NOISY), theta, **options)
    noise = 1e-14 * np.nanmax(np.abs(outcome.history))
    assert np.nanmax(np.diff(outcome.history, axis=0)) <= noise
    for start, alone in enumerate(theta):
        single = sb.minimize(exponential(T, NOISY), alone, **options)
        assert single.n_evaluations[0] == outcome.n_evaluations[start]
        np.testing.assert_allclose(single.theta, outcome.theta[start], rtol=1e-9)


def test_a_trial_that_is_not_finite_is_a_step_too_long():
    def residuals(x):
        with np.errstate(invalid="ignore"):
            return np.log(x) - 1.0

    objective = ResidualProblem(1, residuals, lambda x: 1.0 / x[:, :, None])
    # The undamped step from 30 is 30 - 30 · (log 30 - 1) < 0.
    outcome = sb.minimize(
        objective, np.array([30.0]), method="levenberg-marquardt", damping=1e-9, gradient_rtol=1e-9
    )
    assert outcome.converged[0]
    assert outcome.theta[0] == pytest.approx(np.e, rel=1e-8)


def test_where_nothing_lower_can_be_told_apart_it_says_so():
    outcome = sb.minimize(
        exponential(T, NOISY), np.array([1.1, 2.2]), method="levenberg-marquardt",
        gradient_rtol=0.0, max_iter=500,
    )  # fmt: skip
    assert outcome.status[0] in (Status.PRECISION_LIMIT, Status.CONVERGED)
    assert outcome.gradient_norm[0] < 1e-12
    assert outcome.n_evaluations[0] <= outcome.n_iterations[0] + 10


def test_objectives_without_curvature_and_bad_options_get_one_sentence():
    with pytest.raises(InvalidType, match=r"levenberg-marquardt must have the method gauss_newton"):
        sb.minimize(lambda x: (x @ x, 2 * x), np.ones(3), method="levenberg-marquardt")
    with pytest.raises(
        InvalidInput, match=r"damping of levenberg-marquardt must be a positive number. Got 0.0"
    ):
        sb.minimize(
            linear(np.eye(2), np.ones(2)), np.ones(2), method="levenberg-marquardt", damping=0.0
        )


def test_a_scale_never_falls():
    """D holds the largest diagonal so far (Moré 1978): here H grows and falls along the way."""
    objective = exponential(T, NOISY)
    starts = np.array([[2.0, 0.1], [0.1, 3.0]])
    diagonals = [
        (J**2).sum(1) for J in (objective.jacobian(starts), objective.jacobian(starts[::-1]))
    ]
    assert (diagonals[0] > diagonals[1]).any()
    assert (diagonals[0] < diagonals[1]).any()
    stepper, here = LevenbergMarquardt(damping=0.3), point(objective, starts)
    stepper.start(here, objective)
    moved = point(objective, starts[::-1])
    stepper.advance(np.array([True, True]), here, moved, objective)
    step = stepper.trial(moved, objective) - moved.theta
    squares = np.maximum(*diagonals)
    jacobians = objective.jacobian(moved.theta)
    for row in range(2):
        H = jacobians[row].T @ jacobians[row]
        expected = -np.linalg.solve(H + 0.3 * np.diag(squares[row]), moved.gradient[row])
        np.testing.assert_allclose(step[row], expected, rtol=1e-10)
