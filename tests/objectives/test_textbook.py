"""The textbook's J, gradient and curvature are those of torch autograd."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.losses import LOSSES
from tests.objectives import reference, textbook
from tests.objectives.targets import targets

pytestmark = pytest.mark.needs_torch

DEPTHS = {0: (), 1: (4,), 3: (4, 3, 3)}
M = 13


def arguments(activation, loss, depth):
    rng = np.random.default_rng(0)
    net = sb.Network((3, *DEPTHS[depth], 3), activation, loss)
    X, y = rng.normal(size=(M, 3)), targets(loss, rng, M, 3)
    alpha, weights = rng.uniform(0.0, 3.0, len(net.blocks)), rng.uniform(0.1, 2.0, M)
    return net, rng.normal(size=net.n_parameters), X, y, alpha, weights


def assert_same(found, expected):
    assert np.linalg.norm(found - expected) <= 1e-14 * np.linalg.norm(expected)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_value_gradient_and_hessian(activation, loss, depth):
    given = arguments(activation, loss, depth)
    J, gradient = textbook.value_and_gradient(*given)
    expected, slope = reference.value_and_gradient(*given)
    assert pytest.approx(expected, rel=1e-14) == J
    assert_same(gradient, slope)
    assert_same(textbook.hessian(*given), reference.hessian(*given))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gauss_newton(loss, depth):
    given = arguments("gelu", loss, depth)
    assert_same(textbook.gauss_newton(*given), reference.gauss_newton(*given))


def test_without_weights_and_penalty():
    given = arguments("tanh", "cross_entropy", 1)[:4]
    assert_same(textbook.hessian(*given), reference.hessian(*given))
    assert_same(textbook.gauss_newton(*given), reference.gauss_newton(*given))
