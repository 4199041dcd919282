"""SGD, Adam and AdamW make the steps of torch.optim from the same gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from symbreak.optimize.updates.rules import SGD, Adam

pytestmark = pytest.mark.needs_torch

ROWS, N, STEPS = 3, 17, 60
RULES = {
    "plain": (lambda: SGD(0.0, nesterov=False), torch.optim.SGD, {}),
    "momentum": (lambda: SGD(0.9, nesterov=False), torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (
        lambda: SGD(0.7, nesterov=True), torch.optim.SGD, {"momentum": 0.7, "nesterov": True},
    ),
    "adam": (lambda: Adam(0.9, 0.999, 1e-8), torch.optim.Adam, {}),
    "adam, other numbers": (
        lambda: Adam(0.8, 0.95, 1e-3), torch.optim.Adam, {"betas": (0.8, 0.95), "eps": 1e-3},
    ),
    "adamw": (
        lambda: Adam(0.9, 0.999, 1e-8, 0.3), torch.optim.AdamW, {"weight_decay": 0.3},
    ),
}  # fmt: skip


class Masked:
    """An objective that says which entries are weights."""

    is_weight = torch.arange(N) % 3 > 0


def gradients(seed):
    """Gradients of very different sizes, (STEPS, ROWS, N)."""
    rng = np.random.default_rng(seed)
    sizes = np.logspace(-5, 3, N)
    return torch.tensor(rng.normal(size=(STEPS, ROWS, N)) * sizes)


def start(seed):
    return torch.tensor(np.random.default_rng([seed, 1]).normal(size=(ROWS, N)))


def torch_steps(optimiser, theta, slopes, rate, options):
    """Yield theta of one row after each step."""
    parameter = torch.nn.Parameter(theta)
    optimiser = optimiser([parameter], lr=rate, **options)
    for slope in slopes:
        parameter.grad = slope.clone()
        optimiser.step()
        yield parameter.detach().clone()


def assert_close(found, expected):
    assert (found - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("rates", [[0.02] * ROWS, [0.02, 0.5, 1e-4]], ids=["shared", "own"])
def test_every_step_is_that_of_torch(name, rates):
    make, optimiser, options = RULES[name]
    theta, slopes, rule = start(0), gradients(0), make()
    expected = [
        torch_steps(optimiser, theta[row].clone(), slopes[:, row], rates[row], options)
        for row in range(ROWS)
    ]
    rule.start(theta, object())
    rate = rates[0] if len(set(rates)) == 1 else torch.tensor(rates, dtype=theta.dtype)[:, None]
    for slope in slopes:
        kept = slope.clone()
        rule.update_(theta, slope, rate)
        assert torch.equal(slope, kept)
        for row in range(ROWS):
            assert_close(theta[row], next(expected[row]))


@given(
    beta1=st.floats(0.0, 0.99), beta2=st.floats(0.0, 0.9999), eps=st.floats(1e-10, 1.0),
    decay=st.floats(0.0, 1.0), rate=st.floats(1e-5, 1.0),
)  # fmt: skip
def test_adamw_of_any_numbers_is_that_of_torch(beta1, beta2, eps, decay, rate):
    options = {"betas": (beta1, beta2), "eps": eps, "weight_decay": decay}
    theta, slopes, rule = start(1)[:1], gradients(1)[:12, :1], Adam(beta1, beta2, eps, decay)
    rule.start(theta, object())
    expected = torch_steps(torch.optim.AdamW, theta[0].clone(), slopes[:, 0], rate, options)
    for slope in slopes:
        rule.update_(theta, slope, rate)
        assert_close(theta[0], next(expected))


@pytest.mark.parametrize("rate", [0.1, torch.tensor([[0.1], [0.2], [0.1]], dtype=torch.float64)])
def test_only_weights_decay_where_the_objective_tells_them(rate):
    theta = start(2)
    before, rule = theta.clone(), Adam(0.9, 0.999, 1e-8, 0.5)
    rule.start(theta, Masked())
    rule.update_(theta, torch.zeros_like(theta), rate)
    weight = Masked.is_weight
    assert torch.equal(theta[:, ~weight], before[:, ~weight])
    torch.testing.assert_close(
        theta[:, weight], (before * (1.0 - rate * 0.5))[:, weight], rtol=1e-15, atol=0.0
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
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_rows_that_are_kept_go_on_as_they_were(name):
    make, _, _ = RULES[name]
    slopes = gradients(4)
    together, alone = start(4), start(4)[1:2].clone()
    rule, single = make(), make()
    rule.start(together, object())
    single.start(alone, object())
    for slope in slopes[:5]:
        rule.update_(together, slope, 0.1)
        single.update_(alone, slope[1:2], 0.1)
    rule.keep(np.array([False, True, False]))
    kept = together[1:2].clone()
    for slope in slopes[5:9]:
        rule.update_(kept, slope[1:2], 0.1)
        single.update_(alone, slope[1:2], 0.1)
    assert torch.equal(kept, alone)
