"""Buffers: how large they are, and that blocks of every size share them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.propagation.workspace import Workspace, numbers_per_pair, numbers_per_start

LIKE = np.empty(0)


@pytest.mark.parametrize("hidden", [(), (5,), (5, 3)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_workspace_takes_what_the_counts_say(activation, hidden):
    net = sb.Network((4, *hidden, 2), activation)
    workspace = Workspace(net, 3, 7, LIKE)
    assert workspace.bytes == 8 * 3 * (numbers_per_start(net) + 7 * numbers_per_pair(net))


@given(st.integers(1, 3), st.integers(1, 7))
def test_layers_of_every_size_lie_in_the_same_room(starts, examples):
    net = sb.Network((4, 5, 2), "gelu")
    workspace = Workspace(net, 3, 7, LIKE)
    before = workspace.bytes
    large, small = workspace.layers(3, 7), workspace.layers(starts, examples)
    assert workspace.bytes == before
    assert workspace.layers(starts, examples) is small
    for one, other in zip(large.all, small.all, strict=True):
        assert one.theta.ctypes.data == other.theta.ctypes.data
        assert one.z.ctypes.data == other.z.ctypes.data
        assert other.z.flags.c_contiguous


def test_theta_and_its_gradient_go_in_and_out_unchanged():
    net = sb.Network((4, 5, 3, 2))
    layers = Workspace(net, 2, 3, LIKE).layers(2, 3)
    theta = np.random.default_rng(0).normal(size=(2, net.n_parameters))
    layers.load(theta)
    for layer, Theta in zip(layers.all, net.thetas(theta), strict=True):
        assert np.array_equal(layer.theta, Theta)
        layer.gradient[...] = Theta
    out = np.empty_like(theta)
    layers.store_gradient(0.5, out)
    assert np.array_equal(out, 0.5 * theta)


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_the_derivative_finds_what_it_needs(activation):
    net = sb.Network((4, 5, 2), activation)
    hidden = Workspace(net, 2, 3, LIKE).layers(2, 3).hidden[0]
    apart = hidden.delta.ctypes.data != hidden.z.ctypes.data
    assert apart == net.activations[0].needs_input
    assert hidden.saved.ctypes.data == (hidden.z if apart else hidden.a).ctypes.data
