"""A right back-propagation passes: any net, any layout, any precision, saturated or at a kink."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbreak as sb
from symbreak.backpropagation_check.compare import truth_of
from symbreak.backpropagation_check.problem import problem_of
from symbreak.backpropagation_check.stages import Pass
from symbreak.losses import LOSSES
from tests.backpropagation_check.learner import ACTIVATIONS, LINKS, Learner, check, problem, sigmoid
from tests.objectives import reference


def laid_out(found, columns, side, with_input, X):
    """Return z, a and delta as rows or columns, a (and delta) with a bias unit or without."""

    def turned(array, bias):
        if bias is not None and side is not None:
            one = np.full((1, array.shape[1]), bias)
            array = np.vstack([one, array] if side == "first" else [array, one])
        return array if columns else array.T

    a = [X.T, *found["a"]] if with_input else found["a"]
    return {
        **found,
        "z": [turned(array, None) for array in found["z"]],
        "a": [turned(array, 1.0) for array in a],
        "delta": [turned(array, 0.3) for array in found["delta"]],
    }


def gradients_as(gradients, form, bias_last):
    turned = [np.roll(one, -1, axis=1) if bias_last else one for one in gradients]
    if form == "transposed":
        return [one.T for one in turned]
    if form == "matrices":
        return turned
    return np.concatenate([one.ravel(order=form) for one in turned])


@st.composite
def nets(draw):
    hidden = draw(st.lists(st.integers(1, 5), max_size=3))
    loss = draw(st.sampled_from(sorted(LINKS)))
    outputs = draw(st.integers(2, 4) if loss == "cross_entropy" else st.integers(1, 4))
    words = tuple(draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in hidden)
    layers = (draw(st.integers(1, 5)), *hidden, outputs)
    return problem(layers, words, loss, draw(st.integers(1, 8)), draw(st.integers(0, 999)), 0.7)


@settings(max_examples=150)
@given(
    net=nets(),
    columns=st.booleans(),
    side=st.sampled_from([None, "first", "last"]),
    with_input=st.booleans(),
    form=st.sampled_from(["matrices", "transposed", "C", "F"]),
    bias_last=st.booleans(),
    alpha=st.sampled_from([0.0, 0.7]),
)
def test_every_layout_of_every_net_passes(net, columns, side, with_input, form, bias_last, alpha):
    net, theta, X, y = net

    def my_function(thetas, X, y, alpha):
        found = laid_out(Learner(net)(thetas, X, y, alpha), columns, side, with_input, X)
        return {**found, "gradients": gradients_as(found["gradients"], form, bias_last)}

    report = sb.check_backpropagation(my_function, net, theta, X, y, alpha)
    assert report.verdict == "pass", str(report)
    assert report.n_compared == len(report.stages)
    assert report.first_wrong is None
    report.raise_on_failure()


@pytest.mark.parametrize("loss", LOSSES)
def test_our_own_pass_is_the_trace(loss):
    """What mistakes are made in is what `backpropagate` computes."""
    random = np.random.default_rng(1)
    net = sb.Network((4, 5, 3, 3), ("gelu", "selu"), loss)
    y = reference.targets(loss, random, 6, 3)
    X, theta = random.normal(size=(6, 4)), random.normal(size=net.n_parameters)
    given = problem_of(net, theta, X, y, 0.7)
    truth = truth_of(given, y, "float64")
    run = Pass(given)
    for stage, right in truth.values.items():
        np.testing.assert_allclose(run.value(*stage), right, rtol=1e-11, atol=0)
    J, gradient = sb.NetworkCost(net, X, y, alpha=0.7)(theta)
    np.testing.assert_allclose(run.value("J", 4).item(), J, rtol=1e-12)
    for layer, part in enumerate(net.thetas(gradient), start=1):
        np.testing.assert_allclose(run.value("gradients", layer), part, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softplus"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error"])
@pytest.mark.parametrize("seed", range(5))
def test_a_learner_in_float32_passes(activation, loss, seed):
    net, theta, X, y = problem((6, 8, 5, 3), activation, loss, 30, seed, 0.6)
    theta, X = theta.astype(np.float32), X.astype(np.float32)
    y = y.astype(np.float32) if y.dtype.kind == "f" else y
    seen = []

    def my_function(thetas, X, y, alpha):
        seen.append(thetas[0].dtype)
        found = Learner(net)(thetas, X, y, np.float32(alpha))
        rounded = {kind: [np.float32(one) for one in v] for kind, v in found.items() if kind != "J"}
        return {**rounded, "J": np.float32(found["J"])}

    report = sb.check_backpropagation(my_function, net, theta, X, y, 0.7)
    assert report.verdict == "pass", str(report)
    assert report.tolerance == 1e-3
    assert seen == [np.float32]


@pytest.mark.parametrize("scale", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_saturation_is_no_mistake(activation, scale):
    """a - y and a (1 - a) cancel there; what is lost in rounding is not called wrong."""
    for seed in range(10):
        for loss in ("cross_entropy", "binary_cross_entropy"):
            net, theta, X, y = problem((4, 5, 3), activation, loss, seed=seed, scale=scale)
            report = check((net, theta, X, y))
            assert report.first_wrong is None, str(report)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_layer_saturated_as_a_whole_is_no_mistake(activation):
    """1 - a is a few thousand roundings of 1, and that is what g' is made of in ours."""
    net, theta, X, y = problem((4, 5, 3), activation)
    net.thetas(theta)[0][:, 0] = 28.0 if activation == "sigmoid" else 14.0
    net.thetas(theta)[0][:, 1:] *= 0.1

    def without_cancellation(me, layer):
        slope = {
            "sigmoid": lambda z: sigmoid(z) * sigmoid(-z),
            "tanh": lambda z: np.cosh(z) ** -2.0,
        }
        if layer == me.L:
            return me.right("delta", layer)
        return me.Theta[layer][:, 1:].T @ me.delta[layer + 1] * slope[activation](me.z[layer])

    report = check((net, theta, X, y), {"delta": without_cancellation})
    delta = next(stage for stage in report.stages if stage.name == "delta(2)")
    assert 1e-6 < delta.relative_error < 1e-2
    assert report.verdict == "pass", str(report)


def test_a_trained_theta_is_no_mistake():
    """The gradient is then much smaller than its terms."""
    net, theta, X, y = problem((4, 5, 3), "tanh", "cross_entropy", m=30)
    outcome = sb.minimize(sb.NetworkCost(net, X, y, alpha=0.7), theta[None], max_iter=500)
    report = check((net, outcome.theta[0], X, y))
    assert report.first_wrong is None, str(report)


def test_the_right_side_of_a_kink_is_no_mistake():
    net, theta, X, y = problem((4, 5, 5, 3), "relu")
    for layer in (0, 1):
        net.thetas(theta)[layer][:2] = 0.0  # z is exactly 0 there

    def from_the_right(me, layer):
        if layer == me.L:
            return me.right("delta", layer)
        return me.Theta[layer][:, 1:].T @ me.delta[layer + 1] * (me.z[layer] >= 0)

    for only in (None, ["gradients"]):
        report = check((net, theta, X, y), {"delta": from_the_right}, only=only)
        assert report.verdict == "pass", str(report)
        assert "kink" in str(report)


def test_zeros_pass_and_are_said_to_be_zeros():
    net, theta, X, y = problem((4, 5, 3))
    report = check((net, 0 * theta, X, y))
    assert report.verdict == "pass"
    assert "delta(2): zero everywhere at this theta: nothing to compare." in str(report)


def test_tensors_frames_and_a_stack_of_one_are_taken(torch):
    pandas = pytest.importorskip("pandas")
    net, theta, X, y = problem((4, 5, 3))

    def my_function(thetas, X, y, alpha):
        assert isinstance(X, np.ndarray)
        found = Learner(net)(thetas, X, y, alpha)
        return {k: v if k == "J" else [torch.tensor(one) for one in v] for k, v in found.items()}

    stack = torch.tensor(theta)[None]
    frame = pandas.DataFrame(X)
    assert sb.check_backpropagation(my_function, net, stack, frame, y, 0.7).verdict == "pass"
    kept = np.random.default_rng(0).permutation(len(X)).tolist()
    report = sb.check_backpropagation(my_function, net, theta, X[kept].tolist(), y[kept].tolist())
    assert report.verdict == "pass"


@pytest.mark.parametrize("only", [["J"], ["z"], ["a"], ["delta"], ["gradients"]], ids=str)
def test_one_kind_is_enough(only):
    report = check(problem((4, 5, 5, 3)), only=only)
    assert report.verdict == "pass"
    assert {stage.kind for stage in report.stages if stage.verdict == "pass"} == set(only)
