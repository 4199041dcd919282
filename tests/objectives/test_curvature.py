"""Hessian and Gauss-Newton against the textbook's, for every activation, loss and depth."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.errors import InvalidInput, InvalidType
from symbreak.losses import LOSSES
from tests.objectives import textbook
from tests.objectives.targets import targets

DEPTHS = {0: (), 1: (4,), 2: (4, 3), 3: (4, 3, 3)}
STARTS, M, ALPHA = 2, 13, 0.7


def make(activation, loss, depth, seed=0, outputs=3):
    rng = np.random.default_rng(seed)
    net = sb.Network((3, *DEPTHS[depth], outputs), activation, loss)
    X = rng.normal(size=(M, 3))
    y = targets(loss, rng, M, outputs)
    theta = 0.5 * rng.normal(size=(STARTS, net.n_parameters))
    return net, theta, rng.normal(size=theta.shape), X, y, rng.uniform(0.1, 2.0, M)


def assert_close(found, expected, tolerance=1e-10, scale=None):
    """Norm-wise, relative."""
    size = np.linalg.norm(expected if scale is None else scale)
    assert np.linalg.norm(found - expected) <= tolerance * size


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hessian_products_agree_with_the_textbook(activation, loss, depth):
    net, theta, v, X, y, weights = make(activation, loss, depth)
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA, sample_weight=weights)
    product = cost.hessian_product(theta, v)
    for start in range(STARTS):
        H = textbook.hessian(net, theta[start], X, y, ALPHA, weights)
        for block in net.blocks:
            expected = (H @ v[start])[block.slice]
            assert_close(product[start, block.slice], expected, scale=H[block.slice])


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_gauss_newton_agrees_with_the_textbook(activation, loss, depth):
    net, theta, v, X, y, weights = make(activation, loss, depth)
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA, sample_weight=weights)
    J, gradient, G = cost.gauss_newton(theta)
    product = cost.gauss_newton_product(theta, v)
    np.testing.assert_allclose(J, cost(theta)[0], rtol=1e-13)
    assert_close(gradient, cost(theta)[1], 1e-13)
    for start in range(STARTS):
        expected = textbook.gauss_newton(net, theta[start], X, y, ALPHA, weights)
        assert_close(G[start], expected)
        assert_close(product[start], expected @ v[start], scale=expected)


def test_without_weights_gauss_newton_is_a_mean_too():
    net, theta, v, X, y, _ = make("tanh", "cross_entropy", 1)
    cost = sb.NetworkCost(net, X, y)
    G = cost.gauss_newton(theta)[2]
    for start in range(STARTS):
        expected = textbook.gauss_newton(net, theta[start], X, y)
        assert_close(G[start], expected)
        assert_close(
            cost.gauss_newton_product(theta, v)[start], expected @ v[start], scale=expected
        )


def test_without_a_hidden_layer_gauss_newton_is_the_hessian():
    net, theta, v, X, y, _ = make("tanh", "cross_entropy", 0)
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA)
    assert_close(cost.hessian_product(theta, v), cost.gauss_newton_product(theta, v), 1e-13)


@given(seed=st.integers(0, 10**6), loss=st.sampled_from(sorted(LOSSES)), depth=st.integers(0, 3))
def test_products_are_symmetric_and_gauss_newton_bends_up(seed, loss, depth):
    net, theta, v, X, y, weights = make("silu", loss, depth, seed)
    u = np.random.default_rng(seed + 1).normal(size=v.shape)
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA, sample_weight=weights)
    for product in (cost.hessian_product, cost.gauss_newton_product):
        Hu, Hv = product(theta, u), product(theta, v)
        both = np.linalg.norm(Hu) * np.linalg.norm(v)
        np.testing.assert_allclose(
            (u * Hv).sum(1), (v * Hu).sum(1), atol=float(1e-12 * both), rtol=0.0
        )
    assert ((v * cost.gauss_newton_product(theta, v)).sum(1) > 0).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "poisson"])
def test_hessian_products_are_differences_of_gradients(loss):
    net, theta, v, X, y, _ = make("tanh", loss, 2)
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA)
    step = 1e-5
    numerical = (cost(theta + step * v)[1] - cost(theta - step * v)[1]) / (2 * step)
    assert_close(cost.hessian_product(theta, v), numerical, 1e-8)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "huber"])
def test_stacked_equals_one_by_one_and_blocked_equals_whole(loss, own):
    net, theta, v, X, y, weights = make("gelu", loss, 2)
    rng = np.random.default_rng(3)
    if own:
        weights = rng.uniform(0.1, 2.0, (STARTS, M))
    alpha = rng.uniform(0.1, 3.0, (STARTS, 3)) if own else ALPHA
    options = {"alpha": alpha, "sample_weight": weights}
    whole = sb.NetworkCost(net, X, y, **options)
    n = net.n_parameters
    small = sb.NetworkCost(net, X, y, **options, memory_budget=8 * (3 * n * n + 1000))
    for name in ("hessian_product", "gauss_newton_product"):
        together = getattr(whole, name)(theta, v)
        assert_close(getattr(small, name)(theta, v), together, 1e-13)
        for start in range(STARTS):
            alone = getattr(whole.take([start]), name)(
                theta[start : start + 1], v[start : start + 1]
            )
            assert_close(alone[0], together[start], 1e-13)
    if loss == "squared_error":
        smaller = sb.NetworkCost(net, X, y, **options, memory_budget=8 * STARTS * n * (n + 3 * M))
        for name in ("residuals", "jacobian"):
            together = getattr(whole, name)(theta)
            assert_close(getattr(smaller, name)(theta), together, 1e-13)
            for start in range(STARTS):
                alone = getattr(whole.take([start]), name)(theta[start : start + 1])
                assert_close(alone[0], together[start], 1e-13)
    G = whole.gauss_newton(theta)[2]
    assert_close(small.gauss_newton(theta)[2], G, 1e-13)
    np.testing.assert_allclose(small.gauss_newton(theta)[0], whole(theta)[0], rtol=1e-13)
    assert_close(small.gauss_newton(theta)[1], whole(theta)[1], 1e-13)
    assert_close(np.einsum("rij,rj->ri", G, v), whole.gauss_newton_product(theta, v), 1e-12)
    for start in range(STARTS):
        assert_close(
            whole.take([start]).gauss_newton(theta[start : start + 1])[2][0], G[start], 1e-13
        )


@pytest.mark.parametrize("examples", [1, 5, M])
@pytest.mark.parametrize("starts", [1, 2])
def test_every_cut_gives_the_same_answer(starts, examples, monkeypatch):
    net, theta, v, X, y, _ = make("gelu", "squared_error", 2)
    rng = np.random.default_rng(5)
    cost = sb.NetworkCost(
        net, X, y, alpha=rng.uniform(0.1, 3.0, STARTS), sample_weight=rng.uniform(1, 2, (STARTS, M))
    )

    def answers():
        yield from cost.gauss_newton(theta)
        yield from (cost.residuals(theta), cost.jacobian(theta))
        yield from (cost.hessian_product(theta, v), cost.gauss_newton_product(theta, v))

    whole = list(answers())
    monkeypatch.setattr(
        "symbreak.objectives.network_curvature.plan", lambda *_, **__: (starts, examples)
    )
    for found, expected in zip(answers(), whole, strict=True):
        assert_close(found, expected, 1e-13)


@pytest.mark.parametrize("weighted", ["no", "shared", "own"])
@pytest.mark.parametrize("alpha", [0.0, ALPHA])
def test_residuals_make_the_cost_and_their_jacobian_its_gradient(alpha, weighted):
    net, theta, _, X, y, weights = make("tanh", "squared_error", 2)
    if weighted == "own":
        weights = np.random.default_rng(4).uniform(0.1, 2.0, (STARTS, M))
    if weighted == "no":
        weights = None
    cost = sb.NetworkCost(net, X, y, alpha=alpha, sample_weight=weights)
    residuals, jacobian = cost.residuals(theta), cost.jacobian(theta)
    J, gradient = cost(theta)
    np.testing.assert_allclose(0.5 * (residuals**2).sum(1), J, rtol=1e-13)
    assert_close(np.einsum("rmn,rm->rn", jacobian, residuals), gradient, 1e-12)
    assert_close(jacobian.swapaxes(1, 2) @ jacobian, cost.gauss_newton(theta)[2], 1e-12)
    penalised = int(cost.is_weight.sum()) if alpha else 0
    assert residuals.shape == (STARTS, 3 * M + penalised)
    assert jacobian.shape == (*residuals.shape, net.n_parameters)


def test_a_vector_and_torch_come_back_as_they_came(torch):
    net, theta, v, X, y, _ = make("tanh", "squared_error", 1)
    cost = sb.NetworkCost(net, X, y)
    n = net.n_parameters
    assert cost.hessian_product(theta[0], v[0]).shape == (n,)
    J, gradient, G = cost.gauss_newton(theta[0])
    assert (np.shape(J), gradient.shape, G.shape) == ((), (n,), (n, n))
    assert cost.residuals(theta[0]).shape == (3 * M,)
    assert cost.jacobian(theta[0]).shape == (3 * M, n)
    assert isinstance(
        cost.hessian_product(torch.from_numpy(theta), torch.from_numpy(v)), torch.Tensor
    )


def test_what_does_not_fit_gets_one_sentence():
    net, theta, _, X, y, _ = make("tanh", "squared_error", 1)
    n = net.n_parameters
    refused = [
        ("gauss_newton", STARTS * n * n, "the Gauss-Newton matrices of 2 starts"),
        ("jacobian", STARTS * 3 * M * n, f"the Jacobians, 39 x {n}, of 2 starts"),
        ("residuals", STARTS * 3 * M, "the 39 residuals of 2 starts"),
    ]
    for name, kept, what in refused:
        tight = sb.NetworkCost(net, X, y, memory_budget=8 * kept)
        with pytest.raises(InvalidInput, match=f"bytes for {what}. Got {8 * kept}. Raise") as told:
            getattr(tight, name)(theta)
        needed = int(str(told.value).split()[7])
        assert needed > 8 * kept
        enough = sb.NetworkCost(net, X, y, memory_budget=needed)
        whole = getattr(sb.NetworkCost(net, X, y), name)(theta)
        np.testing.assert_allclose(getattr(enough, name)(theta)[-1], whole[-1], rtol=1e-12)
        almost = sb.NetworkCost(net, X, y, memory_budget=needed - 1)
        with pytest.raises(InvalidInput, match=f"at least {needed} bytes"):
            getattr(almost, name)(theta)


@pytest.mark.parametrize("name", ["residuals", "jacobian"])
def test_other_losses_have_no_residuals(name):
    net, theta, _, X, y, _ = make("tanh", "poisson", 1)
    message = f"{name} of NetworkCost needs the loss 'squared_error'. Got 'poisson'"
    with pytest.raises(InvalidType, match=message):
        getattr(sb.NetworkCost(net, X, y), name)(theta)


def test_a_direction_of_another_shape_is_refused():
    net, theta, v, X, y, _ = make("tanh", "squared_error", 1)
    cost = sb.NetworkCost(net, X, y)
    for wrong in (v[0], v[:1], v[:, :-1]):
        for product in (cost.hessian_product, cost.gauss_newton_product):
            with pytest.raises(InvalidInput, match=r"v must be of the shape of theta, \(2, 31\)"):
                product(theta, wrong)


@pytest.mark.parametrize("layers", [(6, 20, 1), (9, 12, 3)], ids=str)
def test_large_matrices_made_of_strips_are_whole_and_symmetric(layers):
    net = sb.Network(layers, "tanh", "squared_error")
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(300, layers[0])), rng.normal(size=(300, layers[-1]))
    theta = rng.normal(size=(2, net.n_parameters))
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA)
    G = cost.gauss_newton(theta)[2]
    rows = cost.jacobian(theta)
    assert_close(G, rows.swapaxes(1, 2) @ rows, 1e-13)
    assert_close(G, G.swapaxes(1, 2), 1e-15)


def test_curvature_of_a_batch_is_that_of_its_cost():
    net, theta, v, X, y, weights = make("tanh", "squared_error", 1)
    cost = sb.NetworkCost(net, X, y, alpha=ALPHA, sample_weight=weights).batch([0, 3, 4, 9])
    J, gradient = cost(theta)
    found = cost.gauss_newton(theta)
    np.testing.assert_allclose(found[0], J, rtol=1e-13)
    assert_close(found[1], gradient, 1e-13)
    residuals, rows = cost.residuals(theta), cost.jacobian(theta)
    np.testing.assert_allclose(0.5 * (residuals**2).sum(1), J, rtol=1e-13)
    assert_close(rows.swapaxes(1, 2) @ rows, found[2], 1e-12)
    step = 1e-5
    numerical = (cost(theta + step * v)[1] - cost(theta - step * v)[1]) / (2 * step)
    assert_close(cost.hessian_product(theta, v), numerical, 1e-8)


def peak_bytes(call):
    """The most memory that arrays take during a call beyond what they took before."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("activation", "loss", "layers"), [
    ("tanh", "squared_error", (5, 12, 1)),
    ("gelu", "cross_entropy", (5, 12, 12, 6)),
    ("silu", "squared_error", (8, 4, 4, 4, 2)),
    ("tanh", "cross_entropy", (6, 30)),
])  # fmt: skip
def test_what_a_call_holds_stays_within_the_budget(activation, loss, layers):
    net = sb.Network(layers, activation, loss)
    s, m, n = 5, 1000, net.n_parameters
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(m, layers[0])), targets(loss, rng, m, layers[-1])
    theta = rng.normal(size=(s, n))
    weights = rng.uniform(0.5, 1.0, (s, m))
    kept = {"gauss_newton": s * n * n, "hessian_product": 0, "gauss_newton_product": 0}
    if loss == "squared_error":
        count = m * layers[-1] + n
        kept |= {"jacobian": s * count * n, "residuals": s * count}
    for name, numbers in kept.items():
        budget = 8 * numbers + 1_500_000
        cost = sb.NetworkCost(net, X, y, alpha=0.1, sample_weight=weights, memory_budget=budget)
        given = (theta, theta) if "product" in name else (theta,)
        peak = peak_bytes(lambda cost=cost, name=name, given=given: getattr(cost, name)(*given))
        # Not counted: little vectors, and the buffers of NumPy for strided arrays.
        assert 8 * numbers < peak <= 1.005 * budget + 3 * 8 * np.getbufsize(), name
