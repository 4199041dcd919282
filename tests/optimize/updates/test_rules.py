"""SGD, Adam and AdamW make the steps of torch.optim from the same gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbreak.optimize.updates.rules import SGD, Adam
from tests.kinds import tensor

ROWS, N, STEPS = 3, 17, 60
RULES = {
    "plain": (lambda: SGD(0.0, nesterov=False), "SGD", {}),
    "momentum": (lambda: SGD(0.9, nesterov=False), "SGD", {"momentum": 0.9}),
    "nesterov": (
        lambda: SGD(0.7, nesterov=True), "SGD", {"momentum": 0.7, "nesterov": True},
    ),
    "adam": (lambda: Adam(0.9, 0.999, 1e-8), "Adam", {}),
    "adam, other numbers": (
        lambda: Adam(0.8, 0.95, 1e-3), "Adam", {"betas": (0.8, 0.95), "eps": 1e-3},
    ),
    "adamw": (
        lambda: Adam(0.9, 0.999, 1e-8, 0.3), "AdamW", {"weight_decay": 0.3},
    ),
}  # fmt: skip


class Masked:
    """An objective that says which entries are weights."""

    is_weight = np.arange(N) % 3 > 0


def gradients(seed):
    """Gradients of very different sizes, (STEPS, ROWS, N)."""
    rng = np.random.default_rng(seed)
    sizes = np.logspace(-5, 3, N)
    return rng.normal(size=(STEPS, ROWS, N)) * sizes


def start(seed):
    return np.random.default_rng([seed, 1]).normal(size=(ROWS, N))


def torch_steps(optimiser, theta, slopes, rate, options):
    """Yield theta of one row after each step of the optimiser of `torch.optim` of this name."""
    import torch

    parameter = torch.nn.Parameter(tensor(theta))
    optimiser = getattr(torch.optim, optimiser)([parameter], lr=rate, **options)
    for slope in slopes:
        parameter.grad = tensor(slope)
        optimiser.step()
        yield parameter.detach().numpy().copy()


def assert_close(found, expected):
    assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.needs_torch
@pytest.mark.parametrize("make_theta", [np.array, tensor])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("rates", [[0.02] * ROWS, [0.02, 0.5, 1e-4]], ids=["shared", "own"])
def test_every_step_is_that_of_torch(name, rates, make_theta):
    make, optimiser, options = RULES[name]
    theta, slopes, rule = make_theta(start(0)), make_theta(gradients(0)), make()
    expected = [
        torch_steps(optimiser, start(0)[row], gradients(0)[:, row], rates[row], options)
        for row in range(ROWS)
    ]
    rule.start(theta, object())
    rate = rates[0] if len(set(rates)) == 1 else make_theta(rates)[:, None]
    for slope in slopes:
        kept = np.asarray(slope).copy()
        rule.update_(theta, slope, rate)
        np.testing.assert_array_equal(slope, kept)
        for row in range(ROWS):
            assert_close(np.asarray(theta[row]), next(expected[row]))


@pytest.mark.needs_torch
@given(
    beta1=st.floats(0.0, 0.99), beta2=st.floats(0.0, 0.9999), eps=st.floats(1e-10, 1.0),
    decay=st.floats(0.0, 1.0), rate=st.floats(1e-5, 1.0),
)  # fmt: skip
def test_adamw_of_any_numbers_is_that_of_torch(beta1, beta2, eps, decay, rate):
    options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay}
    theta, slopes, rule = start(1)[:1], gradients(1)[:12, :1], Adam(beta1, beta2, eps, decay)
    rule.start(theta, object())
    expected = torch_steps("AdamW", theta[0].copy(), slopes[:, 0], rate, options)
    for slope in slopes:
        rule.update_(theta, slope, rate)
        assert_close(theta[0], next(expected))


@pytest.mark.parametrize("rate", [0.1, np.array([[0.1], [0.2], [0.1]])])
def test_only_weights_decay_where_the_objective_tells_them(rate):
    theta = start(2)
    before, rule = theta.copy(), Adam(0.9, 0.999, 1e-8, 0.5)
    rule.start(theta, Masked())
    rule.update_(theta, np.zeros_like(theta), rate)
    weight = Masked.is_weight
    np.testing.assert_array_equal(theta[:, ~weight], before[:, ~weight])
    np.testing.assert_allclose(
        theta[:, weight], (before * (1.0 - rate * 0.5))[:, weight], rtol=1e-15
    )


@pytest.mark.parametrize("name", RULES)
def test_a_fresh_copy_goes_its_own_way(name):
    make, _, _ = RULES[name]
    slopes, rule = gradients(3), make()
    rule.start(start(3), object())
    rule.update_(start(3), slopes[0], 0.1)
    ends = []
    for _ in range(2):
        theta, copied = start(3), rule.fresh()
        for slope in slopes[1:5]:
            copied.update_(theta, slope, 0.1)
        ends.append(theta)
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_rows_that_are_kept_go_on_as_they_were(name):
    make, _, _ = RULES[name]
    slopes = gradients(4)
    together, alone = start(4), start(4)[1:2].copy()
    rule, single = make(), make()
    rule.start(together, object())
    single.start(alone, object())
    for slope in slopes[:5]:
        rule.update_(together, slope, 0.1)
        single.update_(alone, slope[1:2], 0.1)
    rule.keep(np.array([False, True, False]))
    kept = together[1:2].copy()
    for slope in slopes[5:9]:
        rule.update_(kept, slope[1:2], 0.1)
        single.update_(alone, slope[1:2], 0.1)
    np.testing.assert_array_equal(kept, alone)
