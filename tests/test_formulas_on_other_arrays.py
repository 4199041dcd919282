"""Activations and losses are one text for NumPy, PyTorch and any other of the array API."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.activations import ACTIVATIONS
from symbreak.errors import InvalidInput
from symbreak.losses import LOSSES
from tests.kinds import EVERY_KIND, OTHER_KINDS
from tests.objectives.targets import targets

ENDS = np.array([0.0, 1e-300, 1e-12, 1e-3, 0.5, 3.0, 20.0, 37.0, 700.0, 1e4, 1e30])
Z = np.concatenate([-ENDS[::-1], ENDS, np.linspace(-9.0, 9.0, 26)]).reshape(2, 4, 6)
STARTS, OUTPUTS, M = 2, 3, 30


def assert_same(found, expected, rtol=2e-14):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=rtol, atol=1e-300)


@OTHER_KINDS
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_activations_are_those_of_numpy(activation, dtype, make):
    z = Z.astype(dtype)
    eps = np.finfo(dtype).eps
    # The lower tail of gelu falls like exp(-z² / 2), which z² roundings go into.
    rtol = eps * (1500.0 if activation.name == "gelu" else 40.0)
    found = make(z)
    for name in ("value", "derivative", "second_derivative"):
        of = getattr(activation, name)
        expected = of(z)
        assert of(found).dtype == found.dtype
        np.testing.assert_allclose(
            np.asarray(of(found)), expected, rtol=rtol, atol=4 * eps, err_msg=name
        )
    np.testing.assert_array_equal(np.asarray(found), z)


@EVERY_KIND
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_they_write_into_strided_room_and_onto_z_itself(activation, make):
    expected = activation.value(Z)
    room = make(np.full((2, 5, 6), 7.0))
    activation.write(make(Z), room[:, 1:, :])
    assert_same(room[:, 1:, :], expected)
    assert_same(room[:, 0, :], 7.0)
    if not activation.needs_input:
        onto = make(Z)
        activation.write(onto, onto)
        assert_same(onto, expected)


@EVERY_KIND
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_delta_is_multiplied_in_place(activation, make):
    delta = make(np.ones(Z.shape))
    saved = make(Z) if activation.needs_input else activation.value(make(Z))
    assert activation.multiply_by_derivative_(delta, saved) is delta
    expected = activation.derivative(Z)
    np.testing.assert_allclose(np.asarray(delta), expected, rtol=2e-14, atol=4e-16)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_odd_ones_are_odd_to_the_last_bit(activation):
    if activation.is_odd:
        np.testing.assert_array_equal(activation.value(-Z), -activation.value(Z))


def data(name, shift):
    rng = np.random.default_rng(3)
    raw = 3.0 * rng.normal(size=(STARTS, OUTPUTS, M)) + shift * rng.choice([-1.0, 0.0, 1.0], M)
    return raw, rng.normal(size=raw.shape), targets(name, rng, M, OUTPUTS)


@OTHER_KINDS
@pytest.mark.parametrize("shift", [0.0, 40.0, 1e4])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_those_of_numpy(name, shift, make):
    loss, (raw, u, y) = LOSSES[name](), data(name, shift)
    target, other = loss.prepare(y, OUTPUTS), loss.prepare(make(y), OUTPUTS)
    np.testing.assert_array_equal(np.asarray(other), target)
    delta, found = raw.copy(), make(raw)
    assert_same(loss.value_and_delta_(found, other), loss.value_and_delta_(delta, target))
    assert_same(found, delta)
    assert_same(loss.value(make(raw), other), loss.value(raw.copy(), target))
    assert_same(loss.link(make(raw)), loss.link(raw))
    assert_same(
        loss.curvature_product(make(raw), other, make(u)), loss.curvature_product(raw, target, u)
    )
    assert_same(loss.curvature_root(make(raw), other), loss.curvature_root(raw, target), 1e-13)


@OTHER_KINDS
@pytest.mark.parametrize("name", LOSSES)
def test_losses_by_the_textbook_are_those_of_numpy(name, make):
    loss, (raw, _, y) = LOSSES[name](), data(name, 0.0)
    prediction, numbers = loss.link(raw), loss.outputs_of(loss.prepare(y, OUTPUTS), OUTPUTS)
    other = loss.outputs_of(loss.prepare(make(y), OUTPUTS), OUTPUTS)
    np.testing.assert_array_equal(np.asarray(other), numbers)
    found = loss.from_prediction(make(prediction), other)
    for one, expected in zip(found, loss.from_prediction(prediction, numbers), strict=True):
        assert_same(one, expected)


@EVERY_KIND
@pytest.mark.parametrize(
    ("name", "y"),
    [
        ("cross_entropy", np.array([0, 3])), ("cross_entropy", np.array([0.5, 1.0])),
        ("cross_entropy", np.eye(3)[[0, 1]] * 2), ("binary_cross_entropy", np.full((2, 3), 2.0)),
        ("poisson", np.full((2, 3), -1.0)), ("squared_error", np.zeros((2, 2))),
    ],
)  # fmt: skip
def test_targets_outside_the_range_are_refused(name, y, make):
    with pytest.raises(InvalidInput, match=f"y of {name} must"):
        LOSSES[name]().prepare(make(y), OUTPUTS)
