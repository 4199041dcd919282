"""The NIST regressions themselves: numbers whole, derivatives exact, minima where certified."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.errors import InvalidType
from symbreak.objectives.contract import Objective
from tests.optimize.nist import MODELS, NUMBERS, regression
from tests.optimize.problems.core import by_complex_step

# Set, parameters and observations, as NIST lists them by level of difficulty.
LISTED = {
    "lower": "Misra1a 2 14, Chwirut2 3 54, Chwirut1 3 214, Lanczos3 6 24, Gauss1 8 250, "
    "Gauss2 8 250, DanWood 2 6, Misra1b 2 14",
    "average": "Kirby2 5 151, Hahn1 7 236, Nelson 3 128, MGH17 5 33, Lanczos1 6 24, "
    "Lanczos2 6 24, Gauss3 8 250, Misra1c 2 14, Misra1d 2 14, Roszman1 4 25, ENSO 9 168",
    "higher": "MGH09 4 11, Thurber 7 37, BoxBOD 2 6, Rat42 3 9, MGH10 3 16, Eckerle4 3 35, "
    "Rat43 4 15, Bennett5 3 154",
}


def in_complex(name):
    """Return the objective of the data set for complex steps."""
    return regression(name, np.complex128).objective


def newton_step(data):
    """Return the step (n,) from the certified values.

    Parameters differ by 1e10 in size, so they are measured in lengths of the Jacobian's columns.
    """
    theta, objective = data.certified, in_complex(data.name)
    hessian = by_complex_step(lambda at: objective(at)[1], theta)
    lengths = np.linalg.norm(data.objective.jacobian(theta), axis=0)
    slope = data.objective(theta)[1] / lengths
    return -np.linalg.solve(hessian / lengths / lengths[:, None], slope) / lengths


def half_a_last_digit(certified):
    """Return what rounding to 11 digits may change."""
    return 0.5 * 10.0 ** (np.floor(np.log10(np.abs(certified))) - 10)


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
    theta = np.vstack([data.starts, data.certified])
    jacobian = data.objective.jacobian(theta)
    for one, found in zip(theta, jacobian, strict=True):
        wanted = by_complex_step(in_complex(name).residuals, one)
        size = np.abs(wanted).max(0)
        assert found.shape == wanted.shape == (len(NUMBERS[name]["y"]), len(one))
        assert (np.abs(found - wanted) <= 1e-12 * size).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_is_that_of_half_the_sum_of_squares(name):
    data = regression(name)
    r = data.objective.residuals(data.starts)
    J, gradient = data.objective(data.starts)
    np.testing.assert_allclose(J, (r**2).sum(1) / 2, rtol=1e-13)
    for theta, found in zip(data.starts, gradient, strict=True):
        wanted = by_complex_step(in_complex(name).value, theta)
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_the_certified_values_are_the_minimum_rounded_to_eleven_digits(name):
    data = regression(name)
    # The hundredth more is for the rounding of the step itself.
    assert (np.abs(newton_step(data)) / half_a_last_digit(data.certified)).max() <= 1.01


def test_lanczos1_has_its_sum_of_squares_a_newton_step_from_the_certified_values():
    # Its residuals are 1e-13, and rounding theta to eleven digits makes them 1e-11; one step takes
    # that away. Rounding y to float64, 4e-16, is then half a percent of a residual.
    data = regression("Lanczos1")
    moved = data.certified + newton_step(data)
    before, after = (2 * data.objective.value(at) for at in (data.certified, moved))
    assert before > 1e3 * data.sum_of_squares
    assert after == pytest.approx(data.sum_of_squares, rel=1e-2)


@pytest.mark.parametrize("name", MODELS)
def test_starts_do_not_see_each_other_and_the_contract_is_kept(name):
    objective, theta = regression(name).objective, regression(name).starts
    out = np.full_like(theta, np.nan)
    J, gradient = objective(theta, out=out)
    assert isinstance(objective, Objective)
    assert gradient is out
    assert objective.blocks[-1].stop == theta.shape[1]
    np.testing.assert_array_equal(objective.value(theta), J)
    for k in (0, 1):
        alone, slope = objective(theta[k : k + 1])
        np.testing.assert_allclose(alone[0], J[k], rtol=1e-12)
        np.testing.assert_allclose(slope[0], gradient[k], rtol=1e-9)
    assert objective.take([1]) is objective
    with pytest.raises(InvalidType, match="batch needs an objective with examples"):
        objective.batch([0])
