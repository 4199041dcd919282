"""Activations: value and derivative, against autograd and high-precision numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from symbreak.activations import ACTIVATIONS, Activation, activations_of
from symbreak.errors import InvalidInput
from tests.kinds import NUMPY_AND_TORCH
from tests.objectives import reference

CASES = json.loads((Path(__file__).parent / "reference/activations_at_extremes.json").read_text())
# Computed from a = g(z), these derivatives are as sharp as a is: to the rounding of 1.
FROM_A = ("sigmoid", "tanh", "elu", "selu")
EVERY = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
BOTH = pytest.mark.parametrize("make", NUMPY_AND_TORCH)


@EVERY
@given(z=st.floats(-30, 30))
def test_value_and_derivative_agree_with_autograd(torch, activation, z):
    z = torch.tensor([z], dtype=torch.float64, requires_grad=True)
    a = reference.ACTIVATIONS[activation.name](z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    torch.testing.assert_close(activation.value(z.detach()), a.detach(), rtol=1e-12, atol=4e-16)
    torch.testing.assert_close(activation.derivative(z.detach()), slope, rtol=1e-12, atol=4e-16)


@BOTH
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}({case['z']})")
def test_value_and_derivative_agree_with_high_precision(case, make):
    activation, z = ACTIVATIONS[case["name"]], make([float(case["z"])])
    value, slope = float(case["value"]), float(case["slope"])
    # z^2 in the exponent of gelu turns one rounding into z^2 of them.
    rel = max(1e-14, 3e-16 * case["z"] ** 2)
    assert activation.value(z).item() == pytest.approx(value, rel=rel, abs=1e-300)
    sharp = 4 * 2.3e-16 if case["name"] in FROM_A else 1e-300
    assert activation.derivative(z).item() == pytest.approx(slope, rel=rel, abs=sharp)


@BOTH
@EVERY
@DTYPES
def test_far_out_the_value_and_derivative_are_those_of_the_limits(activation, dtype, make):
    z = np.array([-1e30, -1e4, 1e4, 1e30], dtype)
    grows = activation.name not in ("sigmoid", "tanh")
    low = {
        "identity": z[:2], "tanh": [-1, -1], "leaky_relu": 0.01 * z[:2], "elu": [-1, -1],
        "selu": [-1.7580993408473766] * 2,
    }.get(activation.name, [0, 0])  # fmt: skip
    scale = 1.0507009873554805 if activation.name == "selu" else 1.0
    high = scale * z[2:] if grows else [1, 1]
    np.testing.assert_allclose(activation.value(make(z)), [*low, *high], rtol=1e-6)
    slopes = np.full(4, scale if grows else 0.0)
    slopes[:2] = {"identity": 1.0, "leaky_relu": 0.01}.get(activation.name, 0.0)
    np.testing.assert_allclose(activation.derivative(make(z)), slopes, rtol=1e-6)


@EVERY
def test_back_propagation_multiplies_by_the_derivative_in_place(activation):
    z = np.linspace(-3, 3, 24).reshape(2, 3, 4)
    delta = np.linspace(1, 2, 24).reshape(2, 3, 4)
    expected = delta * activation.derivative(z)
    saved = z.copy() if activation.needs_input else activation.value(z)
    assert activation.multiply_by_derivative_(delta, saved) is delta
    np.testing.assert_allclose(delta, expected, rtol=1e-15)


@EVERY
def test_value_and_derivative_leave_z_alone(activation):
    z = np.linspace(-3, 3, 7)
    kept = z.copy()
    activation.value(z)
    activation.derivative(z)
    np.testing.assert_array_equal(z, kept)


@EVERY
def test_write_fills_strided_room_as_the_passes_hold_it(activation):
    z = np.linspace(-3, 3, 24).reshape(2, 3, 4)
    room = np.full((2, 4, 4), 7.0)
    activation.write(z, room[:, 1:])
    np.testing.assert_allclose(room[:, 1:], activation.value(z), rtol=1e-15)
    assert (room[:, 0] == 7.0).all()


@EVERY
def test_odd_ones_say_so(activation):
    z = np.linspace(0.1, 3, 8)
    is_odd = np.allclose(activation.value(-z), -activation.value(z))
    assert activation.is_odd == is_odd


@EVERY
def test_kinks_are_where_the_derivative_jumps(activation):
    def jump(z):
        return np.ptp(activation.derivative(np.array([z - 1e-9, z + 1e-9])))

    assert all(jump(kink) > 1e-3 for kink in activation.kinks)
    grid = [z / 10 for z in range(-30, 31) if z / 10 not in activation.kinks]
    assert all(jump(z) < 1e-6 for z in grid)


@pytest.mark.parametrize(
    ("name", "slope"),
    [("relu", 0.0), ("leaky_relu", 0.01), ("selu", 1.7580993408473766), ("elu", 1.0)],
)
def test_at_zero_the_derivative_is_that_of_the_left_side(name, slope):
    assert ACTIVATIONS[name].derivative(np.zeros(1)).item() == pytest.approx(slope)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "selu", "elu"])
def test_at_zero_the_second_derivative_is_that_of_the_left_side(name):
    second = ACTIVATIONS[name].second_derivative
    near, at = np.array([-1e-12]), np.array([0.0])
    np.testing.assert_allclose(second(at), second(near), rtol=1e-11)


def test_one_for_all_layers_or_one_for_each():
    relu, tanh = ACTIVATIONS["relu"], ACTIVATIONS["tanh"]
    assert activations_of("relu", 2) == (relu, relu)
    assert activations_of(["relu", tanh], 2) == (relu, tanh)
    assert activations_of("relu", 0) == ()
    assert isinstance(relu, Activation)
    assert str(relu) == "relu"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("sigmoyd", "Got 'sigmoyd'. Did you mean 'sigmoid'?"),
        (["relu"], r"one for each|one per hidden layer \(2\). Got 1 names"),
        (7, "must be a name or one name per hidden layer. Got 7"),
        (["relu", 3], "must be one of .* Got 3"),
    ],
)
def test_other_words_are_refused(words, message):
    with pytest.raises(InvalidInput, match=message.replace("?", r"\?")):
        activations_of(words, 2)


@EVERY
@given(z=st.floats(-30, 30))
def test_second_derivative_agrees_with_autograd(torch, activation, z):
    assume(z != 0.0)  # there autograd takes the right side of elu, the derivative the left one
    rounding = 1e-15 * max(1.0, abs(z))  # of autograd, which multiplies what cancels by z
    z = torch.tensor([z], dtype=torch.float64, requires_grad=True)
    a = reference.ACTIVATIONS[activation.name](z)
    (slope,) = torch.autograd.grad(a.sum(), z, create_graph=True)
    bend = torch.zeros_like(z)
    if slope.requires_grad:
        (bend,) = torch.autograd.grad(slope.sum(), z)
    found = activation.second_derivative(z.detach())
    torch.testing.assert_close(found, bend, rtol=1e-11, atol=rounding)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu"])
@pytest.mark.parametrize("z", [-36.0, -20.0, 15.0, 36.0])
def test_second_derivative_keeps_its_digits_at_saturation(name, z):
    e = math.exp(-abs(z))  # of the tail; terms below e² do not count in 16 digits
    expected = {
        "sigmoid": -math.copysign(e * (1 - 4 * e), z),
        "tanh": -math.copysign(8 * e**2 * (1 - 4 * e**2), z),
        "softplus": e * (1 - 2 * e),
        "silu": e * (2 - abs(z) - e * (4 - 4 * abs(z))),
    }[name]
    found = ACTIVATIONS[name].second_derivative(np.array([z])).item()
    assert found == pytest.approx(expected, rel=1e-11, abs=0)


@BOTH
@EVERY
@DTYPES
def test_far_out_nothing_bends_and_z_stays_as_it_is(activation, dtype, make):
    kept = np.array([-1e30, -1e4, 1e4, 1e30], dtype)
    z = make(kept)
    np.testing.assert_array_equal(activation.second_derivative(z), np.zeros(4))
    np.testing.assert_array_equal(z, kept)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_second_derivative_is_the_slope_of_the_derivative(activation):
    z = np.linspace(-4.05, 4.0, 97)
    step = 1e-4 * np.maximum(np.abs(z), 0.1)
    rise = activation.derivative(z + step) - activation.derivative(z - step)
    expected = rise / (2 * step)
    found = activation.second_derivative(z)
    noise = 4e-16 / step + step**2  # rounding of g', and the difference is not the slope
    assert (np.abs(found - expected) <= 1e-6 * np.abs(expected) + noise).all()
