"""initialize: which start it is depends on seed, start and block only; symmetric starts warn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from symbreak.errors import InvalidInput, InvalidType, SymmetryWarning
from symbreak.initialization import LayerShape, initialize, layer_shapes, rules
from symbreak.network import Network
from symbreak.units import distinct_units

NET = Network((5, 7, 4, 2), ("tanh", "sigmoid"))
RANDOM = [name for name in rules.BY_NAME if name not in ("zeros", "constant")]
every_random_rule = pytest.mark.parametrize("rule", RANDOM)


@every_random_rule
@given(few=st.integers(1, 4), more=st.integers(1, 5), seed=st.integers(0, 2**80))
def test_a_start_is_the_same_however_many_are_drawn(rule, few, more, seed):
    small = initialize(NET, rule, starts=few, seed=seed)
    large = initialize(NET, rule, starts=few + more, seed=seed)
    assert np.array_equal(small, large[:few])
    assert np.array_equal(initialize(NET, rule, seed=seed), small[0])


@every_random_rule
def test_another_layer_changes_nothing(rule):
    longer = Network((5, 7, 4, 6, 2), ("tanh", "sigmoid", "tanh"))
    here = NET.thetas(initialize(NET, rule, starts=3))
    there = longer.thetas(initialize(longer, rule, starts=3))
    assert np.array_equal(here[0], there[0])
    assert np.array_equal(here[1], there[1])


@every_random_rule
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_dtype_only_rounds(rule, dtype):
    exact = initialize(NET, rule, starts=3)
    assert np.array_equal(initialize(NET, rule, starts=3, dtype=dtype), exact.astype(dtype))


@every_random_rule
def test_bfloat16_only_rounds_and_is_a_tensor(rule, torch):
    exact = torch.from_numpy(initialize(NET, rule, starts=3))
    for dtype in ("bfloat16", torch.bfloat16):
        theta = initialize(NET, rule, starts=3, dtype=dtype)
        assert torch.equal(theta, exact.to(torch.bfloat16))


@every_random_rule
def test_starts_seeds_and_layers_differ_and_all_units_are_distinct(rule):
    theta = initialize(NET, rule, starts=6)
    other = initialize(NET, rule, starts=6, seed=1)
    assert len(np.unique(np.concatenate([theta, other]), axis=0)) == 12
    square = Network((4, 4, 4), "tanh")
    first, second = square.thetas(initialize(square, rule))
    assert not np.array_equal(first[:, 1:], second[:, 1:])
    for count, units in zip(distinct_units(NET, theta), NET.layers[1:-1], strict=True):
        assert count.tolist() == [units] * 6


# The first six numbers of Theta1 of a 2-2-1 tanh net, seed 0, start 0, from the frozen words of
# test_random_streams by hand: 0.12 (2u - 1), and the normal quantile over sqrt(2) with biases 0.
GOLDEN = {
    "uniform": [0.08094538237699259, 0.10508571231271116, -0.029567347680371364],
    "lecun_normal": [0.0, 1.0868450067858182, -0.22195295591625616],
}


@pytest.mark.parametrize("rule", GOLDEN)
def test_starts_are_the_frozen_ones(rule):
    theta = initialize(Network((2, 2, 1), "tanh"), rule)
    np.testing.assert_allclose(theta[:3], GOLDEN[rule], rtol=1e-14)


def test_shapes_dtypes_and_defaults():
    assert initialize(NET).shape == (NET.n_parameters,)
    assert initialize(NET, starts=1).shape == (1, NET.n_parameters)
    assert initialize(NET, starts=np.int64(3)).shape == (3, NET.n_parameters)
    assert type(initialize(NET)) is np.ndarray
    assert initialize(NET).dtype == np.float64
    assert np.array_equal(initialize(NET), initialize(NET, rules.GlorotUniform(), seed=0))


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), "torch.float32"])
def test_dtypes_of_every_spelling(dtype):
    assert initialize(NET, dtype=dtype).dtype == np.float32


def test_a_dtype_of_torch_decides_the_precision_only(torch):
    theta = initialize(NET, dtype=torch.float32)
    assert isinstance(theta, np.ndarray)
    assert theta.dtype == np.float32


def test_a_device_gives_a_tensor(torch):
    assert isinstance(initialize(NET, device="cpu"), torch.Tensor)
    theta = initialize(NET, device="cpu:0", dtype=np.float32)
    assert theta.device.type == "cpu"
    assert theta.dtype == torch.float32
    assert torch.equal(theta, torch.from_numpy(initialize(NET, dtype=np.float32)))


@pytest.mark.parametrize(
    ("like", "dtype"),
    [
        (np.ones(2), np.float64),
        (np.ones((2, 3), np.float32), np.float32),
        (np.ones(2, np.float16), np.float16),
        (np.ones(2, int), np.float64),
        ([1.0, 2.0], np.float64),
    ],
    ids=str,
)
def test_like_an_array(like, dtype):
    theta = initialize(NET, starts=2, like=like)
    assert isinstance(theta, np.ndarray)
    assert theta.dtype == dtype
    assert np.array_equal(theta, initialize(NET, starts=2, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "int64"])
def test_like_a_tensor(dtype, torch):
    like = torch.ones(2, dtype=getattr(torch, dtype))
    theta = initialize(NET, starts=2, like=like)
    expected = torch.from_numpy(initialize(NET, starts=2))
    assert torch.equal(theta, expected.to(like.dtype) if like.is_floating_point() else expected)


def test_like_a_tensor_that_requires_grad(torch):
    assert not initialize(NET, like=torch.ones(2, requires_grad=True)).requires_grad


def test_seed_none_is_fresh_each_time():
    assert not np.array_equal(initialize(NET, seed=None), initialize(NET, seed=None))


def test_theta_is_writable_and_its_own():
    theta = initialize(NET)
    theta += 1.0
    assert np.array_equal(theta, initialize(NET) + 1.0)


def test_a_layer_knows_the_activations_around_it():
    assert layer_shapes(NET) == (
        LayerShape(5, 7, "tanh", None),
        LayerShape(7, 4, "sigmoid", "tanh"),
        LayerShape(4, 2, None, "sigmoid"),
    )
    assert layer_shapes(Network((3, 2))) == (LayerShape(3, 2, None, None),)


def test_blocks_are_drawn_for_their_own_place():
    theta = initialize(NET, "torch_default", starts=500)
    for part, fan_in in zip(NET.thetas(theta), (5, 7, 4), strict=True):
        assert abs(part).max().item() == pytest.approx(fan_in**-0.5, rel=1e-2)
        assert abs(part).max().item() <= fan_in**-0.5


@pytest.mark.parametrize("rule", ["zeros", "constant", rules.Constant(0.5)], ids=repr)
def test_a_symmetric_start_warns_where_it_was_asked_for(rule):
    with pytest.warns(SymmetryWarning) as caught:
        theta = initialize(Network((30, 25, 1, 10, 3)), rule)
    (warning,) = caught
    text = str(warning.message)
    assert "hidden layer 1 has 1 distinct unit of 25" in text
    assert "hidden layer 3 has 1 distinct unit of 10" in text
    assert "hidden layer 2" not in text
    assert "hidden layer 4" not in text
    assert warning.filename == __file__
    net = Network((30, 25, 1, 10, 3))
    assert [count.item() for count in distinct_units(net, theta)] == [1, 1, 1]


@pytest.mark.parametrize("layers", [(4, 1), (4, 3), (4, 1, 1), (4, 1, 5)])
@pytest.mark.parametrize("rule", ["zeros", "constant"])
def test_where_nothing_is_symmetric_nothing_is_said(layers, rule):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        initialize(Network(layers), rule)


@every_random_rule
def test_random_rules_do_not_warn(rule):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        initialize(NET, rule)


REFUSED = [
    ({"rule": "glorot"}, InvalidInput, r"rule must be one of zeros, .* Got 'glorot'"),
    ({"rule": "he_norml"}, InvalidInput, r"Did you mean 'he_normal'\?"),
    ({"rule": rules.Uniform}, InvalidType, r"write Uniform\(\) with brackets"),
    ({"rule": 0.12}, InvalidType, "rule must be a word such as 'uniform' or a rule"),
    ({"starts": 0}, InvalidInput, "starts of initialize must be at least 1, or None. Got 0"),
    ({"starts": -1}, InvalidInput, "Got -1"),
    ({"starts": 2.0}, InvalidType, "starts of initialize must be an integer or None. Got 2.0"),
    ({"starts": True}, InvalidType, "Got True"),
    ({"seed": -1}, InvalidInput, "seed of initialize must be at least 0, or None. Got -1"),
    ({"seed": "0"}, InvalidType, "seed of initialize must be an integer or None. Got '0'"),
    ({"dtype": "int64"}, InvalidInput, "dtype must be float64 or float32 or float16 or bfloat16"),
    ({"dtype": np.complex64}, InvalidInput, "Got <class 'numpy.complex64'>"),
    ({"dtype": "flaot32"}, InvalidInput, "Got 'flaot32'"),
    ({"dtype": object()}, InvalidInput, "dtype must be float64 or float32"),
    ({"like": np.ones(2), "dtype": "float32"}, InvalidInput, "like, or dtype and device, and not"),
    ({"like": np.ones(2), "device": "cpu"}, InvalidInput, "like, or dtype and device, and not"),
    ({"like": "numpy"}, InvalidType, "like of initialize must be an array of real numbers"),
]


@pytest.mark.parametrize(("arguments", "error", "text"), REFUSED)
def test_bad_arguments_get_one_sentence(arguments, error, text):
    with pytest.raises(error, match=text):
        initialize(NET, **arguments)


@pytest.mark.needs_torch
@pytest.mark.parametrize("device", ["toaster", "cuda:99"])
def test_a_device_that_is_not_there(device):
    with pytest.raises(InvalidInput, match="device must be one that PyTorch can use here"):
        initialize(NET, device=device)


def test_a_dtype_of_torch_that_does_not_do(torch):
    with pytest.raises(InvalidInput, match=r"Got torch\.complex64"):
        initialize(NET, dtype=torch.complex64)


@dataclass(frozen=True)
class Laplace(rules.EntrywiseRule):
    name: ClassVar[str] = "laplace"
    scale: float = 0.1

    def sample(self, layer, stream):
        u = stream.open_uniform(layer.block) - 0.5
        return -self.scale * np.sign(u) * np.log1p(-2 * abs(u))


def test_a_rule_of_ones_own_as_the_documentation_shows_it():
    theta = initialize(NET, Laplace(0.2), starts=2000)
    law = stats.laplace(scale=0.2)
    assert stats.kstest(theta.ravel(), law.cdf).pvalue > 1e-3
    biased = NET.thetas(initialize(NET, rules.HeNormal(bias=Laplace(0.2)), starts=2000))
    assert stats.kstest(biased[0][..., 0].ravel(), law.cdf).pvalue > 1e-3
