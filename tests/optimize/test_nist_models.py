"""The NIST regressions themselves: numbers whole, derivatives exact, minima where certified.

Conventions
-----------
The derivative of r by theta_k is Im r(theta + i h e_k) / h, h = 1e-30 |theta_k|: nothing cancels,
so it is exact to rounding (Squire and Trapp, 1998) and knows nothing of how Jacobians are taken.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symbreak.errors import InvalidType
from symbreak.objectives.contract import Objective
from tests.optimize.nist import MODELS, NUMBERS, regression

pytestmark = pytest.mark.needs_torch

# Set, parameters and observations, as NIST lists them by level of difficulty.
LISTED = {
    "lower": "Misra1a 2 14, Chwirut2 3 54, Chwirut1 3 214, Lanczos3 6 24, Gauss1 8 250, "
    "Gauss2 8 250, DanWood 2 6, Misra1b 2 14",
    "average": "Kirby2 5 151, Hahn1 7 236, Nelson 3 128, MGH17 5 33, Lanczos1 6 24, "
    "Lanczos2 6 24, Gauss3 8 250, Misra1c 2 14, Misra1d 2 14, Roszman1 4 25, ENSO 9 168",
    "higher": "MGH09 4 11, Thurber 7 37, BoxBOD 2 6, Rat42 3 9, MGH10 3 16, Eckerle4 3 35, "
    "Rat43 4 15, Bennett5 3 154",
}


def starts_of(data):
    """Return both starts, (2, n)."""
    return torch.from_numpy(data.starts)


def by_complex_step(residuals, theta):
    """Return dr/dtheta of one start theta (n,), shape (m, n)."""
    h = 1e-30 * theta.abs()
    return residuals(theta + 1j * torch.diag(h)).imag.T / h


def newton_step(objective, theta):
    """Return the step (n,) from theta (n,), with the Hessian by autograd.

    Parameters differ by 1e10 in size, so they are measured in lengths of the Jacobian's columns.
    """
    hessian = torch.autograd.functional.hessian(lambda at: objective.value(at[None])[0], theta)
    lengths = objective.jacobian(theta[None])[0].norm(dim=0)
    slope = objective(theta[None])[1][0] / lengths
    return -torch.linalg.solve(hessian / lengths / lengths[:, None], slope) / lengths


def half_a_last_digit(certified):
    """Return what rounding to 11 digits may change."""
    return 0.5 * 10.0 ** (certified.abs().log10().floor() - 10)


@pytest.mark.parametrize("level", LISTED)
def test_the_numbers_are_those_that_nist_lists(level):
    sets = [line.split() for line in LISTED[level].split(", ")]
    assert {name for name, *_ in sets} == {k for k in NUMBERS if NUMBERS[k]["level"] == level}
    for name, n, m in ((name, int(n), int(m)) for name, n, m in sets):
        assert (len(NUMBERS[name]["certified"]), len(NUMBERS[name]["y"])) == (n, m)
        predictors = 2 if name == "Nelson" else 1
        assert np.shape(NUMBERS[name]["starts"]) == (2, n)
        assert np.shape(NUMBERS[name]["x"]) == (m, predictors)


@pytest.mark.parametrize("name", MODELS)
def test_the_jacobian_is_that_of_complex_steps(name):
    data = regression(name)
    theta = torch.cat([starts_of(data), torch.from_numpy(data.certified)[None]])
    jacobian = data.objective.jacobian(theta)
    # ResidualProblem casts theta to float64, so complex steps go to the function that it holds.
    for one, found in zip(theta, jacobian, strict=True):
        wanted = by_complex_step(data.objective._residuals, one)
        size = wanted.abs().amax(0)
        assert found.shape == wanted.shape == (len(NUMBERS[name]["y"]), len(one))
        assert bool(((found - wanted).abs() <= 1e-12 * size).all())


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_is_that_of_half_the_sum_of_squares(name):
    data = regression(name)
    theta = starts_of(data).requires_grad_()
    r = data.objective.residuals(theta)
    (wanted,) = torch.autograd.grad((r**2).sum() / 2, theta)
    J, gradient = data.objective(theta.detach())
    torch.testing.assert_close(J, (r.detach() ** 2).sum(1) / 2, rtol=1e-13, atol=0.0)
    torch.testing.assert_close(gradient, wanted, rtol=1e-9, atol=0.0)


@pytest.mark.parametrize("name", MODELS)
def test_the_certified_values_are_the_minimum_rounded_to_eleven_digits(name):
    data = regression(name)
    theta = torch.from_numpy(data.certified)
    step = newton_step(data.objective, theta)
    # The hundredth more is for the rounding of the step itself.
    assert float((step.abs() / half_a_last_digit(theta)).max()) <= 1.01


def test_lanczos1_has_its_sum_of_squares_a_newton_step_from_the_certified_values():
    # Its residuals are 1e-13, and rounding theta to eleven digits makes them 1e-11; one step takes
    # that away. Rounding y to float64, 4e-16, is then half a percent of a residual.
    data = regression("Lanczos1")
    theta = torch.from_numpy(data.certified)
    moved = theta + newton_step(data.objective, theta)
    before, after = (2 * float(data.objective.value(at[None])[0]) for at in (theta, moved))
    assert before > 1e3 * data.sum_of_squares
    assert after == pytest.approx(data.sum_of_squares, rel=1e-2)


@pytest.mark.parametrize("name", MODELS)
def test_starts_do_not_see_each_other_and_the_contract_is_kept(name):
    objective = regression(name).objective
    theta = starts_of(regression(name))
    out = torch.full_like(theta, torch.nan)
    J, gradient = objective(theta, out=out)
    assert isinstance(objective, Objective)
    assert gradient is out
    assert objective.blocks[-1].stop == theta.shape[1]
    assert torch.equal(objective.value(theta), J)
    for k in (0, 1):
        alone, slope = objective(theta[k : k + 1])
        torch.testing.assert_close(alone[0], J[k], rtol=1e-12, atol=0.0)
        torch.testing.assert_close(slope[0], gradient[k], rtol=1e-9, atol=0.0)
    assert objective.take([1]) is objective
    with pytest.raises(InvalidType, match="batch needs an objective with examples"):
        objective.batch([0])
