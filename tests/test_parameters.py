"""theta and the matrices Theta: views without copies, both orders, round trips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.parameters import Block, blocks_of
from tests.kinds import NUMPY_AND_TORCH, tensor
from tests.needing_torch import MISSING

LAYERS = st.lists(st.integers(1, 5), min_size=2, max_size=5).map(tuple)
ORDERS = st.sampled_from(["C", "F"])
KINDS = pytest.mark.parametrize("kind", NUMPY_AND_TORCH)


def memory(array):
    return array if isinstance(array, np.ndarray) else array.numpy()


def test_the_net_of_the_lecture():
    net = sb.Network((10, 10, 1))
    theta = np.arange(121.0)
    first, second = net.thetas(theta)
    assert first.shape == (10, 11)
    assert second.shape == (1, 11)
    assert first[0].tolist() == list(range(11))
    assert first[1, 0] == 11.0  # the bias of the second unit
    assert second[0, 0] == 110.0


def test_octaves_order_is_column_by_column():
    net = sb.Network((2, 3, 1))
    one = np.arange(9.0).reshape(3, 3)
    two = np.arange(10.0, 14.0).reshape(1, 4)
    octave = np.concatenate([one.ravel(order="F"), two.ravel(order="F")])
    found = net.thetas(octave, order="F")
    np.testing.assert_array_equal(found[0], one)
    np.testing.assert_array_equal(found[1], two)
    np.testing.assert_array_equal(net.unroll((one, two), order="F"), octave)


@KINDS
@pytest.mark.parametrize("shape", [(), (3,)], ids=["one start", "three starts"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_matrices_are_views_not_copies(kind, shape, order):
    net = sb.Network((3, 2, 2))
    theta = kind(np.zeros((*shape, net.n_parameters)))
    for Theta, block in zip(net.thetas(theta, order), net.blocks, strict=True):
        assert np.shares_memory(memory(Theta), memory(theta))
        assert tuple(Theta.shape) == (*shape, *block.shape)
        Theta[..., 0, 1] = 5.0
        assert int((theta[..., block.slice] == 5.0).sum()) == max(1, *shape, 1)


@KINDS
def test_views_of_starts_that_are_not_contiguous_share_memory_too(kind):
    net = sb.Network((3, 2, 2))
    theta = kind(np.zeros((6, net.n_parameters)))
    for Theta in net.thetas(theta[::2]):
        assert np.shares_memory(memory(Theta), memory(theta))


@given(layers=LAYERS, order=ORDERS, starts=st.sampled_from([None, 1, 3]), seed=st.integers(0, 99))
def test_unroll_is_the_inverse_of_thetas(layers, order, starts, seed):
    net = sb.Network(layers)
    shape = (net.n_parameters,) if starts is None else (starts, net.n_parameters)
    theta = np.random.default_rng(seed).normal(size=shape)
    kinds: list[Any] = [np.asarray] if MISSING else [np.asarray, tensor]
    for kind in kinds:
        back = net.unroll(net.thetas(kind(theta), order), order)
        assert type(back) is type(kind(theta))
        np.testing.assert_array_equal(memory(back), theta)


@given(layers=LAYERS)
def test_blocks_lie_one_after_the_other_and_cover_theta(layers):
    blocks = blocks_of(layers)
    assert [block.name for block in blocks] == [f"Theta{i}" for i in range(1, len(layers))]
    places = np.concatenate([np.arange(b.start, b.stop) for b in blocks])
    np.testing.assert_array_equal(places, np.arange(sb.Network(layers).n_parameters))
    assert all(b.size == b.shape[0] * b.shape[1] == len(range(10**6)[b.slice]) for b in blocks)


def test_entries_have_names():
    assert Block("Theta1", 5, (3, 4)).entry(9) == "Theta1[2, 1]"


def test_unroll_gives_fresh_memory():
    net = sb.Network((2, 1))
    theta = np.zeros(3)
    assert not np.shares_memory(net.unroll(net.thetas(theta)), theta)


def test_unroll_takes_matrices_of_several_kinds(torch):
    net = sb.Network((2, 3, 1))
    theta = np.arange(13.0)
    first, second = net.thetas(theta)
    for mixed in ((torch.tensor(first), second), (first, torch.tensor(second))):
        assert net.unroll(mixed).tolist() == theta.tolist()
        assert isinstance(net.unroll(mixed), torch.Tensor)


NET = sb.Network((2, 3, 1))
GOOD = NET.thetas(np.zeros(13))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NET.thetas(np.zeros(12)), r"shape \(13,\) or \(starts, 13\)\. Got \(12,\)\."),
        (lambda: NET.thetas(np.zeros((1, 2, 13))), r"Got \(1, 2, 13\)\."),
        (lambda: NET.thetas(np.zeros((0, 13))), "at least one start. Got 0 starts"),
        (lambda: NET.thetas(0.0), r"Got \(\)\."),
        (lambda: NET.thetas(np.zeros(13), order="K"), "must be one of C, F. Got 'K'"),
        (lambda: NET.unroll(GOOD, order="f"), "must be one of C, F. Got 'f'"),
        (lambda: NET.unroll(GOOD[:1]), "must be 2 matrices. Got 1"),
        (
            lambda: NET.unroll(GOOD[::-1]),
            r"Theta1 of unroll must be of shape \(3, 3\).*Got \(1, 4\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
