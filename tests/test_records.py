"""What the records of activations, losses and methods say is true of what they compute."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.errors import InvalidInput
from symbreak.losses import LOSSES, loss_of, loss_with_link
from symbreak.optimize.methods import METHODS
from tests.objectives import reference

EVERY_LOSS = pytest.mark.parametrize("name", LOSSES)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_the_range_of_the_output_is_met_far_out_and_not_left(activation):
    z = np.array([-1e30, -3.0, 0.0, 3.0, 1e30])
    a = activation.value(z)
    if activation.output_range is None:
        assert abs(a).max() > 1e29
        return
    assert (a.min().item(), a.max().item()) == activation.output_range


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_the_active_range_is_where_it_bends(activation):
    z = np.linspace(-8.0, 8.0, 1601)
    slope = activation.derivative(z)
    if activation.active_range is None:
        assert slope.min() == slope.max()
        return
    low, high = activation.active_range
    inside = (z >= low) & (z <= high)
    assert slope[inside].max() - slope[inside].min() > 0.4 * (slope.max() - slope.min())


def raw_and_target(name):
    rng = np.random.default_rng(0)
    y = reference.targets(name, rng, 20, 3)
    raw = rng.normal(size=(1, 3, 20))
    return raw, loss_of(name).prepare(y, 3)


@EVERY_LOSS
def test_the_textbook_of_a_prediction_agrees_with_raw(name):
    loss = loss_of(name)
    raw, target = raw_and_target(name)
    y = loss.outputs_of(target, 3).astype(float)
    value, delta = loss.from_prediction(loss.link(raw), y)
    work = raw.copy()
    np.testing.assert_allclose(value, loss.value_and_delta_(work, target), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(delta, work, rtol=1e-12, atol=1e-12)


@EVERY_LOSS
def test_a_loss_sees_differences_alone_where_it_says_so(name):
    loss = loss_of(name)
    raw, target = raw_and_target(name)
    before, after = loss.value(raw.copy(), target), loss.value(raw + 0.7, target)
    assert np.allclose(before, after, rtol=1e-12) == loss.sees_differences


@EVERY_LOSS
def test_a_loss_takes_every_number_where_it_says_so(name):
    loss, y = loss_of(name), np.array([[-1.5, 0.25, 2.0]])
    if loss.fits_any_number:
        loss.prepare(y, 3)
    else:
        with pytest.raises(InvalidInput, match="y of"):
            loss.prepare(y, 3)


@EVERY_LOSS
def test_a_loss_of_classes_predicts_probabilities_and_the_link_is_scikit_learns(name):
    raw, _ = raw_and_target(name)
    links = {
        "identity": raw, "exp": np.exp(raw), "logistic": expit(raw),
        "softmax": softmax(raw, axis=1),
    }  # fmt: skip
    loss = loss_of(name)
    np.testing.assert_allclose(loss.link(raw), links[loss.sklearn_link], rtol=1e-12, atol=0)
    assert loss.is_classification == (loss.sklearn_link in ("logistic", "softmax"))
    assert loss_with_link(loss.sklearn_link).sklearn_link == loss.sklearn_link


@pytest.mark.parametrize("method", METHODS)
def test_steps_of_a_method_that_may_not_rise_do_not(method):
    cost = sb.NetworkCost(
        sb.Network((2, 4, 1), "tanh", "squared_error"),
        np.random.default_rng(0).normal(size=(30, 2)), np.ones(30), alpha=0.1,
    )  # fmt: skip
    theta = sb.initialize(cost.network, starts=4, seed=0)
    history = sb.minimize(cost, theta, method=method, max_iter=40).history
    rises = np.diff(history, axis=0) > 1e-12
    assert METHODS[method].may_rise or not rises.any()


def bowl(x):
    return 0.5 * (x @ x), x


def test_a_method_that_may_rise_does():
    for method in {one.name: one for one in METHODS.values() if one.may_rise}.values():
        rate = {"learning_rate": 0.5} if "learning_rate" in method.options else {}
        found = sb.minimize(bowl, np.array([3.0, -4.0]), method=method.name, max_iter=60, **rate)
        assert (np.diff(found.history[:, 0]) > 0).any(), method.name
