"""Network: what it is made of, what it refuses, its settings, predictions for people."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.activations import ACTIVATIONS, Activation
from symbreak.errors import InvalidInput, InvalidType
from symbreak.losses import LOSSES
from symbreak.propagation import prediction

rng = np.random.default_rng(0)
X = rng.normal(size=(7, 4))


def test_sizes_and_names():
    net = sb.Network([4, 5, 3, 2], activation=["tanh", "relu"], loss="cross_entropy")
    assert net.layers == (4, 5, 3, 2)
    assert (net.n_features, net.n_outputs, net.n_hidden, net.n_parameters) == (4, 2, 2, 51)
    assert [a.name for a in net.activations] == ["tanh", "relu"]
    assert str(net) == "4-5-3-2 (tanh, relu; cross_entropy), 51 parameters"
    assert str(sb.Network((4, 1))) == "4-1 (no hidden layer; binary_cross_entropy), 5 parameters"


def test_networks_are_frozen_and_equal_by_content():
    net = sb.Network((4, 3, 1), "tanh")
    assert net == sb.Network(
        (np.int64(4), 3, 1), ACTIVATIONS["tanh"], LOSSES["binary_cross_entropy"]()
    )
    assert hash(net) == hash(sb.Network((4, 3, 1), "tanh"))
    assert net != sb.Network((4, 3, 1), "relu")
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.layers = (1, 1)


def test_pickles_of_0_1_are_networks_of_today():
    pickled = Path(__file__).parent / "reference" / "networks_of_0.1.pickle"
    nets = pickle.loads(pickled.read_bytes())
    assert nets == [
        sb.Network((4, 5, 2), "tanh", "cross_entropy"),
        sb.Network((4, 5, 3, 2), ("gelu", "leaky_relu"), sb.losses.Huber(0.5)),
    ]
    assert all(net.blocks[0].has_bias_column for net in nets)


def test_an_activation_of_ones_own_in_a_pickle_of_0_1_is_refused_in_a_sentence():
    own = Activation.__new__(Activation)
    with pytest.raises(InvalidInput, match=r"pickle of version 0\.1 must be one of .*Got 'mine'"):
        own.__setstate__({"name": "mine", "needs_input": False})


@given(
    hidden=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(sorted(ACTIVATIONS))), max_size=3),
    loss=st.sampled_from([*LOSSES, sb.losses.Huber(0.5), sb.losses.Quantile(0.25)]),
)
def test_settings_are_plain_and_make_an_equal_network(hidden, loss):
    net = sb.Network((3, *(size for size, _ in hidden), 2), [name for _, name in hidden], loss)
    assert sb.Network.from_settings(json.loads(json.dumps(net.to_settings()))) == net


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((4,), "two or more positive integers"),
        (7, "two or more positive integers.*Got 7"),
        ("4-3-1", "two or more positive integers.*Got '4-3-1'"),
        ((4, 0, 1), r"Got \(4, 0, 1\): layer 2 has 0 units. Remove the layer"),
        ((4, -3, 1), "layer 2 has -3 units"),
        ((4, 2.0, 1), r"layer 2 has 2\.0 units"),
        ((4, True, 1), "layer 2 has True units"),
    ],
)
def test_other_layers_are_refused(layers, message):
    with pytest.raises(InvalidInput, match=message):
        sb.Network(layers)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"activation": "rellu"}, r"Got 'rellu'\. Did you mean 'relu'\?"),
        ({"activation": ["relu", "relu"]}, r"\(1\)\. Got 2 names"),
        ({"loss": "squared_eror"}, r"Did you mean 'squared_error'\?"),
        ({"loss": "cross_entropy"}, "2 or more with loss 'cross_entropy'.*Got 1"),
    ],
)
def test_other_words_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        sb.Network((4, 3, 1), **arguments)


GOOD = sb.Network((4, 3, 1)).to_settings()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {**GOOD, "loss": "huber"},
        {**GOOD, "loss": {"name": "huber", "epsilon": 1.0}},
        {**GOOD, "loss": {"name": "no such loss"}},
        {**GOOD, "activations": ["no such word"]},
        {**GOOD, "layers": [4, 0, 1]},
        {key: GOOD[key] for key in ("layers", "loss")},
    ],
)
def test_other_settings_are_refused(settings):
    with pytest.raises(InvalidInput, match="must"):
        sb.Network.from_settings(settings)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", [(), (5,), (5, 3)], ids=str)
def test_predict_is_the_link_of_the_last_z(loss, hidden):
    net = sb.Network((4, *hidden, 2), "tanh", loss)
    theta = rng.normal(size=(3, net.n_parameters))
    found = net.predict(theta, X)
    assert found.shape == (3, 7, 2)
    for start in range(3):
        a = X
        for Theta in net.thetas(theta[start])[:-1]:
            a = np.tanh(a @ Theta[:, 1:].T + Theta[:, 0])
        Theta = net.thetas(theta[start])[-1]
        raw = a @ Theta[:, 1:].T + Theta[:, 0]
        expected = net.loss.link(raw.T[None])[0].T
        np.testing.assert_allclose(found[start], expected, rtol=1e-12)
        np.testing.assert_allclose(net.predict(theta[start], X), found[start], rtol=1e-13)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_gives_a_of_the_layer_that_was_asked_for(activation):
    net = sb.Network((4, 5, 3, 1), activation)
    theta = rng.normal(size=(2, net.n_parameters))
    trace = sb.backpropagate(net, theta, X, rng.integers(0, 2, 7))
    for layer, units in ((1, 5), (2, 3)):
        a = net.hidden(theta, X, layer)
        assert a.shape == (2, 7, units)
        np.testing.assert_allclose(a, trace.a[layer].swapaxes(1, 2), rtol=1e-13, atol=1e-16)
    assert net.hidden(theta[0], X, 1).shape == (7, 5)


def test_blocks_of_examples_change_no_prediction(monkeypatch):
    net = sb.Network((4, 5, 3), "gelu", "cross_entropy")
    theta = rng.normal(size=(2, net.n_parameters))
    whole = net.predict(theta, X), net.hidden(theta, X, 1)
    monkeypatch.setattr(prediction, "BLOCK_BYTES", 1000)
    np.testing.assert_allclose(net.predict(theta, X), whole[0], rtol=1e-13)
    np.testing.assert_allclose(net.hidden(theta, X, 1), whole[1], rtol=1e-13)


def test_what_comes_out_is_of_the_kind_of_theta(torch):
    net = sb.Network((4, 3, 1))
    theta = rng.normal(size=(2, net.n_parameters))
    assert isinstance(net.predict(theta, torch.from_numpy(X)), np.ndarray)
    single = torch.from_numpy(theta).float()
    found = net.predict(single, X)
    assert found.dtype == torch.float32
    assert net.predict(theta.astype(np.float32), X).dtype == np.float32
    np.testing.assert_allclose(found, net.predict(theta, X), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, t: net.predict(t, X[:, :3]), r"\(examples, 4\)\. Got \(7, 3\)"),
        (lambda net, t: net.predict(t, X[0]), r"Got \(4,\)"),
        (lambda net, t: net.predict(t, X[:0]), "at least one example. Got 0 rows"),
        (
            lambda net, t: net.predict(t, np.where(X[2, 1] == X, np.nan, X)),
            r"nan in X\[2, 1\]",
        ),
        (lambda net, t: net.predict(t[:-1], X), r"shape \(19,\) or \(starts, 19\)"),
        (lambda net, t: net.hidden(t, X, 0), r"must be 1\.\.1, a hidden layer\. Got 0"),
        (lambda net, t: net.hidden(t, X, 2), r"Got 2\."),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    net = sb.Network((4, 3, 1))
    with pytest.raises(InvalidInput, match=message):
        call(net, np.zeros(net.n_parameters))


def test_text_is_refused_as_x():
    net = sb.Network((2, 1))
    with pytest.raises(InvalidType, match="X must be an array of real numbers"):
        net.predict(np.zeros(3), [["a", "b"]])


def test_layers_may_be_an_array():
    assert sb.Network(np.array([4, 5, 3])) == sb.Network((4, 5, 3))
    for wrong in (np.array([4.0, 3.0]), np.array(4), np.array([4, 0])):
        with pytest.raises(InvalidInput, match="layers of Network must be"):
            sb.Network(wrong)
