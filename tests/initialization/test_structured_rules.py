"""Orthogonal and Nguyen-Widrow: the geometry that they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from symbreak.errors import InvalidInput
from symbreak.initialization import rules
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.streams import Stream

sizes = st.integers(1, 12)


def draw(rule, layer, starts=3, seed=0):
    return rule.draw(layer, Stream(seed, "Theta1", range(starts)))


@given(sizes, sizes, st.floats(0.1, 10.0), st.integers(0, 1000))
def test_the_smaller_side_is_orthonormal(inputs, units, gain, seed):
    theta = draw(rules.Orthogonal(gain=gain), LayerShape(inputs, units), seed=seed)
    w = theta[..., 1:] / gain
    small = w @ w.swapaxes(1, 2) if units <= inputs else w.swapaxes(1, 2) @ w
    np.testing.assert_allclose(
        small, np.broadcast_to(np.eye(small.shape[1]), small.shape), atol=1e-13
    )
    assert not theta[..., 0].any()


def test_orthogonal_matrices_are_uniformly_distributed():
    # Trace of a Haar orthogonal matrix: mean 0, variance 1. Without the signs of R the diagonal
    # of Q would be biased downwards.
    w = draw(rules.Orthogonal(), LayerShape(5, 5), starts=4000)[..., 1:]
    traces = np.trace(w, axis1=1, axis2=2)
    assert abs(traces.mean()) < 5 / math.sqrt(4000)
    assert abs(traces.var() - 1) < 5 * math.sqrt(2 / 4000)
    # An entry squared is Beta(1/2, (n - 1)/2).
    for entry in (w[:, 0, 0], w[:, 4, 4], w[:, 0, 4]):
        assert stats.kstest(entry**2, stats.beta(0.5, 2).cdf).pvalue > 1e-3
        assert abs(np.mean(entry > 0) - 0.5) < 5 * 0.5 / math.sqrt(4000)


STRETCH = {"sigmoid": 4.0, "tanh": 2.0, "relu": 1.0, "gelu": 1.0}


@pytest.mark.parametrize("activation", STRETCH)
@given(inputs=sizes, units=sizes, seed=st.integers(0, 1000))
def test_rows_of_one_length_and_evenly_spaced_biases(activation, inputs, units, seed):
    theta = draw(rules.NguyenWidrow(), LayerShape(inputs, units, activation), seed=seed)
    length = STRETCH[activation] * 0.7 * units ** (1 / inputs)
    np.testing.assert_allclose(np.linalg.norm(theta[..., 1:], axis=-1), length, rtol=1e-13)
    places = theta[..., 0] * np.sign(theta[..., 1]) / length
    even = np.linspace(-1, 1, units) if units > 1 else [0.0]
    np.testing.assert_allclose(places, np.broadcast_to(even, places.shape), atol=1e-13)


def test_directions_point_everywhere():
    theta = draw(rules.NguyenWidrow(), LayerShape(2, 10, "tanh"), starts=400)
    quadrant = (theta[..., 1] > 0) * 2 + (theta[..., 2] > 0)
    share = np.bincount(quadrant.ravel(), minlength=4) / quadrant.size
    assert np.all(np.abs(share - 0.25) < 5 * math.sqrt(0.25 * 0.75 / quadrant.size))


def test_with_one_input_the_active_regions_tile_the_input_range():
    # One input: z = 0 at evenly spaced places, each unit active (|z| <= 2) on its own slice.
    lo, hi = 10.0, 30.0
    rule = rules.NguyenWidrow(input_range=(lo, hi))
    theta = draw(rule, LayerShape(1, 21, "tanh"))
    centres = np.sort(-theta[..., 0] / theta[..., 1], axis=1)
    np.testing.assert_allclose(centres, np.broadcast_to(np.linspace(lo, hi, 21), centres.shape))
    halves = 2.0 / np.abs(theta[..., 1])
    np.testing.assert_allclose(halves, (hi - lo) / 2 / (0.7 * 21))


@given(
    st.floats(-100, 100), st.floats(0.01, 100), sizes, sizes, st.sampled_from(["tanh", "sigmoid"])
)
def test_an_input_range_gives_the_same_z_as_scaled_inputs(lo, width, inputs, units, activation):
    layer = LayerShape(inputs, units, activation)
    plain = draw(rules.NguyenWidrow(), layer)
    ranged = draw(rules.NguyenWidrow(input_range=(lo, lo + width)), layer)
    scaled = np.linspace(-1, 1, inputs)
    x = lo + width * (scaled + 1) / 2
    z = plain[..., 0] + plain[..., 1:] @ scaled
    # Both sums may cancel; what rounding can do is set by their terms.
    size = np.abs(ranged[..., 0]) + np.abs(ranged[..., 1:]) @ np.abs(x) + np.abs(plain).sum(-1)
    assert np.all(np.abs(ranged[..., 0] + ranged[..., 1:] @ x - z) <= 1e-11 * size)


@pytest.mark.parametrize(("read", "span"), [("sigmoid", (0, 1)), ("tanh", (-1, 1)), ("relu", None)])
def test_deeper_layers_use_the_range_of_what_they_read(read, span):
    data = (3.0, 5.0)
    deeper = draw(rules.NguyenWidrow(input_range=data), LayerShape(4, 6, "tanh", read))
    first = draw(rules.NguyenWidrow(input_range=span or data), LayerShape(4, 6, "tanh"))
    assert np.array_equal(deeper, first)


@pytest.mark.parametrize("activation", [None, "identity"])
def test_layers_without_an_active_range_are_uniform(activation):
    theta = draw(rules.NguyenWidrow((0, 9)), LayerShape(6, 4, activation, "tanh"), starts=500)
    for part in (theta[..., 0], theta[..., 1:]):
        assert stats.kstest(part.ravel(), stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("span", [(1, 1), (2, 1), (0, math.inf), (0,), 3, ("a", "b"), None])
def test_ranges_that_are_none_are_refused(span):
    with pytest.raises(InvalidInput, match="input_range of NguyenWidrow must be"):
        rules.NguyenWidrow(input_range=span)


@pytest.mark.parametrize("around", [("mish", None), ("tanh", "mish")])
def test_the_ranges_of_an_activation_that_is_not_known_are_not_guessed(around):
    rule, layer = rules.NguyenWidrow(), LayerShape(4, 6, *around)
    for ask in (lambda: draw(rule, layer), lambda: rule.spread(layer)):
        with pytest.raises(InvalidInput, match=r"must be one of identity, .* Got 'mish'"):
            ask()


def test_a_module_whose_activation_is_not_known_is_left_as_it_was(torch):
    from symbreak.modules.initialization import initialize_module

    nn = torch.nn
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3), nn.Mish(), nn.Linear(3, 1))
    before = [part.clone() for part in module.parameters()]
    with pytest.raises(InvalidInput, match="Got 'mish'"):
        initialize_module(module, "nguyen_widrow", seed=0)
    assert all(map(torch.equal, before, module.parameters()))
