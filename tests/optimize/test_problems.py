"""The problems themselves: minima are minima, gradients are gradients."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from tests.optimize.problems import PROBLEMS


@pytest.mark.parametrize("name", PROBLEMS)
def test_stated_minimum_has_its_value_and_no_gradient(name):
    function, start, minimum, at = PROBLEMS[name]
    value, gradient = function(np.full_like(start, at))
    assert value == pytest.approx(minimum, abs=1e-15)
    assert np.abs(gradient).max() == 0.0


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradient_belongs_to_value(name):
    function, start, _, _ = PROBLEMS[name]
    numerical = approx_fprime(start, lambda x: function(x)[0])
    np.testing.assert_allclose(function(start)[1], numerical, rtol=1e-4, atol=1e-5)
