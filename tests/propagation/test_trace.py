"""backpropagate: the lecture's symbols, by the lecture's formulas."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.losses import LOSSES
from tests.objectives.targets import targets

rng = np.random.default_rng(0)
X = rng.normal(size=(6, 4))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_every_array_of_the_lecture():
    net = sb.Network((4, 3, 2))
    theta = rng.normal(size=net.n_parameters)
    y = rng.integers(0, 2, (6, 2))
    trace = sb.backpropagate(net, theta, X, y)
    one, two = net.thetas(theta)
    ones = np.ones((1, 6))
    a1 = X.T
    z2 = one @ np.vstack([ones, a1])
    a2 = sigmoid(z2)
    z3 = two @ np.vstack([ones, a2])
    a3 = sigmoid(z3)
    d3 = a3 - y.T
    d2 = two[:, 1:].T @ d3 * a2 * (1 - a2)
    for found, expected in [
        (trace.a[0], a1), (trace.z[0], z2), (trace.a[1], a2), (trace.z[1], z3), (trace.a[2], a3),
        (trace.delta[0], d2), (trace.delta[1], d3),
        (trace.gradients[0], d2 @ np.vstack([ones, a1]).T / 6),
        (trace.gradients[1], d3 @ np.vstack([ones, a2]).T / 6),
        (trace.value, -np.mean(np.sum(y.T * np.log(a3) + (1 - y.T) * np.log(1 - a3), axis=0))),
    ]:  # fmt: skip
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert (len(trace.a), len(trace.z), len(trace.delta), len(trace.gradients)) == (3, 2, 2, 2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", [(), (3,), (3, 5)], ids=str)
def test_its_gradients_are_those_of_the_cost(loss, hidden):
    net = sb.Network((4, *hidden, 3), "gelu", loss)
    theta = rng.normal(size=(2, net.n_parameters))
    y = targets(loss, rng, 6, 3)
    trace = sb.backpropagate(net, theta, X, y)
    J, gradient = sb.NetworkCost(net, X, y)(theta)
    np.testing.assert_allclose(trace.value, J, rtol=1e-13)
    for found, expected in zip(trace.gradients, net.thetas(gradient), strict=True):
        error = np.linalg.norm(found - expected, axis=(1, 2))
        assert (error <= 1e-13 * np.linalg.norm(expected, axis=(1, 2))).all()


def test_equal_units_have_equal_a_delta_and_partial_derivatives():
    net = sb.Network((4, 3, 2), "tanh")
    trace = sb.backpropagate(net, np.full(net.n_parameters, 0.1), X, rng.integers(0, 2, (6, 2)))
    for same in (trace.a[1], trace.delta[0], trace.gradients[0], trace.gradients[1][:, 1:].T):
        np.testing.assert_allclose(same, np.broadcast_to(same[:1], same.shape), rtol=1e-14)


def test_kind_dtype_and_the_first_axis_follow_theta():
    net = sb.Network((4, 3, 2), loss="squared_error")
    y = rng.normal(size=(6, 2))
    theta = np.zeros((5, net.n_parameters), np.float32)
    trace = sb.backpropagate(net, theta, X, y)
    assert trace.a[1].shape == (5, 3, 6)
    assert trace.a[1].dtype == np.float32
    assert trace.value.shape == (5,)
    alone = sb.backpropagate(net, theta[0], X, y)
    assert alone.a[1].shape == (3, 6)
    assert isinstance(alone.gradients[0], np.ndarray)


def test_of_a_tensor_all_arrays_are_tensors(torch):
    net = sb.Network((4, 3, 2), loss="squared_error")
    theta = torch.zeros(5, net.n_parameters, dtype=torch.float32)
    trace = sb.backpropagate(net, theta, X, rng.normal(size=(6, 2)))
    for one in (*trace.a, *trace.z, *trace.delta, *trace.gradients, trace.value):
        assert isinstance(one, torch.Tensor)
        assert one.dtype == torch.float32


def test_it_leaves_theta_alone():
    net = sb.Network((4, 3, 2), "relu", "squared_error")
    theta = rng.normal(size=net.n_parameters)
    kept = theta.copy()
    sb.backpropagate(net, theta, X, rng.normal(size=(6, 2)))
    np.testing.assert_array_equal(theta, kept)


def test_what_does_not_fit_is_refused():
    net = sb.Network((4, 3, 2))
    with pytest.raises(InvalidInput, match=r"theta must be of shape"):
        sb.backpropagate(net, np.zeros(3), X, np.zeros((6, 2)))
    with pytest.raises(InvalidInput, match="must be 0 or 1"):
        sb.backpropagate(net, np.zeros(net.n_parameters), X, np.full((6, 2), 2.0))
    with pytest.raises(InvalidInput, match="equally many examples"):
        sb.backpropagate(net, np.zeros(net.n_parameters), X, np.zeros((5, 2)))
