"""Blocks: within the budget, whatever the sizes; the answer does not depend on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.arrays import is_contiguous
from symbreak.errors import InvalidInput
from symbreak.objectives import array_kernel, blocking
from symbreak.objectives.blocking import plan
from symbreak.propagation.workspace import Workspace, numbers_per_pair, numbers_per_start

# Blocks are cut where arrays are computed on; the compiled core takes one start after another.
pytestmark = pytest.mark.usefixtures("without_core")

SIZES = st.integers(1, 200)


@given(
    layers=st.lists(SIZES, min_size=2, max_size=5),
    starts=st.integers(1, 300),
    examples=st.integers(1, 10**6),
    budget=st.integers(0, 2**30),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_a_block_stays_under_the_budget(layers, starts, examples, budget, dtype):
    net = sb.Network(layers, "gelu")
    stack = np.broadcast_to(np.empty(1, dtype), (starts, net.n_parameters))
    least = stack.itemsize * (numbers_per_start(net) + numbers_per_pair(net))
    s, m = plan(net, stack, examples, budget + least)
    assert 1 <= s <= starts
    assert 1 <= m <= examples
    numbers = s * (numbers_per_start(net) + m * numbers_per_pair(net))
    assert numbers * stack.itemsize <= budget + least
    assert m == examples or m < 16 or m % 16 == 0


def test_starts_and_examples_are_cut_evenly():
    net = sb.Network((64, 30, 10), loss="cross_entropy")
    s, m = plan(net, np.zeros((32, net.n_parameters), "float32"), 1797, 2**28)
    assert (s, m) == (11, 912)
    # 60000 rows of 784 with 32 starts fit a budget that a whole pass exceeds 20 times.
    net = sb.Network((784, 128, 10), loss="cross_entropy")
    s, m = plan(net, np.broadcast_to(np.empty(1, "float32"), (32, net.n_parameters)), 60000, 2**25)
    assert 60000 * 32 * numbers_per_pair(net) * 4 > 20 * 2**25
    assert s * (numbers_per_start(net) + m * numbers_per_pair(net)) * 4 <= 2**25


def test_a_budget_for_less_than_one_pair_is_refused():
    net = sb.Network((4, 3, 1))
    least = 8 * (numbers_per_start(net) + numbers_per_pair(net))
    theta, X, y = np.zeros((2, net.n_parameters)), np.zeros((5, 4)), np.zeros(5)
    with pytest.raises(InvalidInput, match=f"must be at least {least} bytes.*Got {least - 1}"):
        sb.NetworkCost(net, X, y, memory_budget=least - 1)(theta)
    assert sb.NetworkCost(net, X, y, memory_budget=least)(theta)[0].shape == (2,)


@pytest.mark.parametrize("budget", [3_000, 8_000, 50_000])
def test_the_buffers_of_a_cost_stay_under_its_budget(budget, monkeypatch):
    made = []

    def spy(*arguments, by_columns):
        made.append(Workspace(*arguments, by_columns=by_columns))
        return made[-1]

    monkeypatch.setattr(array_kernel, "Workspace", spy)
    net = sb.Network((4, 5, 3, 2), ["gelu", "tanh"])
    rng = np.random.default_rng(0)
    cost = sb.NetworkCost(
        net, rng.normal(size=(50, 4)), rng.integers(0, 2, (50, 2)), memory_budget=budget
    )
    theta = rng.normal(size=(6, net.n_parameters))
    cost(theta)
    cost.value(theta)
    cost(theta[:4])
    cost.batch(np.arange(20))(theta)
    assert made
    assert max(workspace.bytes for workspace in made) <= budget
    assert len(cost._data.workspaces.by_size) == 1  # what was made before is let go


@pytest.mark.parametrize("examples", [1, 3, 16, 23])
@pytest.mark.parametrize("starts", [1, 2, 5])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("columns", [True, False])
def test_every_cut_gives_the_same_answer(starts, examples, shared, columns, monkeypatch):
    net = sb.Network((4, 5, 3, 2), ["gelu", "tanh"])
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.1, 2.0, 23 if shared else (5, 23))
    theta = rng.normal(size=(5, net.n_parameters))
    X, y = rng.normal(size=(23, 4)), rng.integers(0, 2, (23, 2))

    def answer():
        return sb.NetworkCost(net, X, y, alpha=0.3, sample_weight=weights)(theta)

    J, gradient = answer()
    monkeypatch.setattr(blocking, "COLUMNS_FROM", 1 if columns else 10**9)
    monkeypatch.setattr(
        "symbreak.objectives.array_kernel.plan", lambda *arguments: (starts, examples)
    )
    J_cut, gradient_cut = answer()
    np.testing.assert_allclose(J_cut, J, rtol=1e-13)
    for block in net.blocks:
        error = np.linalg.norm((gradient_cut - gradient)[:, block.slice], axis=1)
        assert (error <= 1e-13 * np.linalg.norm(gradient[:, block.slice], axis=1)).all()


def test_transposed_copies_of_the_examples_are_made_only_within_the_budget():
    net = sb.Network((50, 3, 2), loss="cross_entropy")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 50)), rng.integers(0, 2, 2000)
    theta = rng.normal(size=(4, net.n_parameters))

    def is_transposed(budget):
        cost = sb.NetworkCost(net, X, y, memory_budget=budget)
        cost(theta)
        kernel = cost._data.kernel
        assert isinstance(kernel, array_kernel.ArrayKernel)
        last = kernel._last.blocks
        assert last is not None
        blocks = last[1].examples
        return {is_contiguous(block.rows_T) for block in blocks}

    assert is_transposed(2000 * 51 * 8 + 10**6) == {True}
    assert is_transposed(2000 * 51 * 8) == {False}


def test_the_cache_bounds_blocks_on_the_cpu_only(torch):
    net = sb.Network((64, 30, 10), loss="cross_entropy")
    here = torch.empty(1).expand(32, net.n_parameters)
    s, m = plan(net, here, 10**6, 2**40)
    assert s * m * numbers_per_pair(net) <= blocking.CACHE_NUMBERS
    elsewhere = torch.empty(1, device="meta").expand(32, net.n_parameters)
    assert plan(net, elsewhere, 10**6, 2**40) == (32, 10**6)


def test_without_a_budget_any_net_may_be_evaluated(monkeypatch):
    rng = np.random.default_rng(0)
    net = sb.Network((4, 30, 2), "tanh")
    X, y = rng.normal(size=(50, 4)), rng.integers(0, 2, (50, 2))
    theta = rng.normal(size=(3, net.n_parameters))
    wide = sb.NetworkCost(net, X, y)(theta)
    monkeypatch.setattr(blocking, "DEFAULT_MEMORY", 1000)
    for cost in (
        sb.NetworkCost(net, X, y),
        sb.NetworkCost(net, X, y, dtype="float32").to("float64"),
    ):
        assert cost.memory_budget < 2**20
        J, gradient = cost(theta)
        np.testing.assert_allclose(J, wide[0], rtol=1e-6)
        np.testing.assert_allclose(gradient, wide[1], rtol=1e-5, atol=1e-7)
        gradients = cost.minibatch_gradients(theta, np.arange(50), 7)
        assert sum(1 for _ in gradients) == 8


@pytest.mark.parametrize("loss", sb.losses.LOSSES)
def test_a_stack_adds_the_losses_of_a_start_as_exactly_as_one_start_alone(loss):
    net = sb.Network((8, 12, 3), "tanh", loss)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 8)), rng.integers(0, 2, (500, 3))
    cost = sb.NetworkCost(net, X, y[:, 0] if loss == "cross_entropy" else y)
    theta = rng.normal(size=(64, net.n_parameters))
    single = np.array([cost.value(one) for one in theta])
    np.testing.assert_allclose(cost.value(theta), single, rtol=1.2e-15)
