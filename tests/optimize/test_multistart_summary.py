"""What many starts show together, on outcomes that were made by hand."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Outcome, Status
from symbreak.optimize.multistart_summary import restarts

C, M = Status.CONVERGED, Status.MAX_ITERATIONS


def made(J, status=None, gradient=1e-12, theta=1.0):
    J = np.asarray(J, dtype=float)
    n = len(J)
    return Outcome(
        theta=np.full((n, 3), theta, dtype=float),
        value=J,
        gradient_norm=np.broadcast_to(np.asarray(gradient, dtype=float), (n,)),
        status=tuple([C] * n if status is None else status),
        n_iterations=np.zeros(n, dtype=np.int64),
        n_evaluations=np.ones(n, dtype=np.int64),
        best_iteration=np.zeros(n, dtype=np.int64),
        history=J[None],
        seconds=0.0,
    )


def test_values_within_the_tolerance_are_one_lowest_first():
    found = made([2.0, 1.0, 2.0001, 1.00005, 3.0, 1.0]).restarts
    assert [(one.value, one.starts) for one in found.minima] == [
        (1.0, (1, 5, 3)), (2.0, (0, 2)), (3.0, (4,)),
    ]  # fmt: skip
    assert found.gaps == (1.0, 1.0)
    assert (found.n_lowest, found.lowest, found.n_once) == (3, 1.0, 1)
    assert found.chance_of_new == 1 / 6
    assert found.chance_of_lower == 1 / 7


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_tolerance_follows_the_size_of_j(scale):
    J = np.array([1.0, 1.00009, 1.00011, -1.0, -0.99995]) * scale
    found = restarts(made(J, gradient=0.0))
    assert [one.starts for one in found.minima] == [(3, 4), (0, 1), (2,)]
    finer = restarts(made(J, gradient=0.0), rtol=1e-6)
    assert len(finer.minima) == 5


def test_groups_do_not_grow_by_chaining():
    J = 1.0 + 0.6e-4 * np.arange(9)
    sizes = [len(one.starts) for one in made(J).restarts.minima]
    assert sizes == [2, 2, 2, 2, 1]


def test_near_zero_the_gradient_says_what_is_one():
    """J = 1e-17 and 3e-12 with gradients of 1e-8: both are 0 as far as was searched."""
    J = [1e-17, 3e-12, 9e-8, 0.25]
    found = made(J, gradient=[1e-8, 1e-8, 1e-8, 1e-12], theta=5.0).restarts
    assert [one.starts for one in found.minima] == [(0, 1), (2,), (3,)]
    assert [len(one.starts) for one in made(J, gradient=0.0).restarts.minima] == [1, 1, 1, 1]


def test_starts_that_have_not_converged_are_no_minima():
    J = [1.0, 1.00005, 1.5, 2.0, 2.0, np.inf]
    status = [C, M, M, C, C, Status.NON_FINITE_START]
    found = made(J, status, gradient=[1e-9, 10.0, 10.0, 1e-9, 1e-9, np.inf]).restarts
    assert [one.starts for one in found.minima] == [(0,), (3, 4)]
    assert (found.n_starts, found.n_usable, found.n_converged) == (6, 5, 3)
    assert found.n_lowest == 2  # the one that is on its way has reached J, but is no minimum
    assert found.chance_of_new == 1 / 3
    assert found.chance_of_lower == 1 / 7
    assert "2 of 6 starts reached the lowest J, 1 " in str(found)
    assert "3 converged, to 2 values: 1 (1), 2 (2)" in str(found)


def test_a_lowest_that_has_not_converged_asks_to_go_on_not_for_more_starts():
    found = made([0.5, 1.0, 2.0], [M, C, C]).restarts
    assert not found.lowest_converged
    assert not found.needs_more_starts
    assert found.advice == (
        "The lowest has not converged: stopped at max_iter; raise max_iter to go on."
    )
    assert found.n_lowest == 1


@pytest.mark.parametrize(
    ("J", "more"),
    [
        ([1.0], True),
        ([1.0, 2.0, 3.0, 4.0], True),  # all seen once
        ([1.0, 1.0, 3.0, 4.0], False),  # the lowest was seen twice
        ([1.0, *[2.0] * 8], True),  # 1 of 9 seen once: 11 %
        ([1.0, *[2.0] * 9], False),  # 1 of 10: 10 %
        ([1.0, 2.0, 3.0, *[4.0] * 25], True),  # 3 of 28
    ],
)
def test_more_starts_are_asked_for_where_the_lowest_was_seen_once_and_new_ones_are_likely(J, more):
    found = made(J).restarts
    assert found.needs_more_starts is more
    assert ("Use more starts" in str(found)) is more
    assert (found.advice != "") is more


def test_nothing_usable_and_nothing_converged_are_said():
    nothing = made([np.inf, np.inf], [Status.NON_FINITE_START] * 2, gradient=np.inf).restarts
    assert str(nothing) == "None of 2 starts ended with a finite J."
    assert (nothing.n_lowest, nothing.lowest, nothing.minima) == (0, math.inf, ())
    assert nothing.advice == ""
    on_their_way = made([1.0, 2.0], [M, M]).restarts
    assert math.isnan(on_their_way.chance_of_new)
    assert "none converged, so no value is a minimum" in str(on_their_way)
    assert "Good-Turing" not in str(on_their_way)
    assert "at most 33 % (1 in 3)" in str(on_their_way)


def test_the_sentences_say_which_figures_they_come_from():
    text = str(made([1.0, 1.0, 2.0, 3.0]).restarts)
    assert text == (
        "2 of 4 starts reached the lowest J, 1 (to 0.01 % or gradient error); "
        "4 converged, to 3 values: 1 (2), 2 (1), 3 (1).\n"
        "The next start: a new value, about 50 % (Good-Turing, 2 of 4 seen once); "
        "lower than all so far, at most 20 % (1 in 5)."
    )


def test_many_values_are_not_all_listed():
    first = str(made(np.arange(1.0, 9.0)).restarts).splitlines()[0]
    assert first.endswith("8 converged, to 8 values: 1 (1), 2 (1), 3 (1), 4 (1) and others.")


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_good_turing_counts_the_basins_that_were_seen_once(basins):
    found = made([1.0 + basin for basin in basins]).restarts
    counts = Counter(basins)
    once = sum(count == 1 for count in counts.values())
    assert len(found.minima) == len(counts)
    assert found.chance_of_new == once / len(basins)
    assert found.n_lowest == counts[min(basins)]
    assert sorted(start for one in found.minima for start in one.starts) == [*range(len(basins))]


def test_good_turing_is_right_on_average():
    """Basins of known chances: the mean estimate is the mean chance of what is unseen."""
    rng = np.random.default_rng(1)
    chances = np.array([0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02])
    estimated, true = [], []
    for _ in range(2000):
        basins = rng.choice(len(chances), size=12, p=chances)
        estimated.append(made(1.0 + basins).restarts.chance_of_new)
        true.append(1.0 - chances[np.unique(basins)].sum())
    # E[N1 / N] is E[unseen] after N - 1 draws, a little more than after N.
    expected = float((chances * (1 - chances) ** 11).sum())
    assert np.mean(estimated) == pytest.approx(expected, abs=4 * np.std(estimated) / 2000**0.5)
    assert np.mean(estimated) == pytest.approx(np.mean(true), abs=0.02)


def test_the_bound_on_a_lower_j_is_the_rank_of_exchangeable_starts():
    rng = np.random.default_rng(2)
    J = rng.exponential(size=(20000, 8))
    lower = (J[:, 7] < J[:, :7].min(axis=1)).mean()
    assert lower == pytest.approx(made(J[0, :7]).restarts.chance_of_lower, abs=0.01)


def test_it_is_plain_data_and_takes_a_plain_vector():
    found = sb.minimize(lambda x: (x @ x, 2 * x), np.array([3.0, -4.0])).restarts
    data = json.loads(json.dumps(found.to_dict()))
    assert data["n_starts"] == data["n_lowest"] == 1
    assert data["lowest_status"] == "converged"
    assert data["minima"][0]["starts"] == [0]
    assert data["needs_more_starts"] is True


@pytest.mark.parametrize("rtol", [-1.0, np.nan, "1"])
def test_a_tolerance_out_of_range_is_refused(rtol):
    with pytest.raises(InvalidInput, match="rtol of restarts must be zero or a positive number"):
        restarts(made([1.0]), rtol)


def test_xor_says_how_many_starts_solved_it():
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    net = sb.Network((2, 2, 1), "tanh", "squared_error")
    cost = sb.NetworkCost(net, X, y)
    outcome = sb.minimize(cost, sb.initialize(net, starts=100, seed=0), max_iter=2000)
    solved = (np.abs(net.predict(outcome.theta, X)[..., 0] - y) < 0.1).all(axis=1)
    found = outcome.restarts
    assert 20 < solved.sum() < 95
    assert found.n_lowest == solved.sum()
    assert sorted(found.minima[0].starts) == np.flatnonzero(solved).tolist()
    assert str(found).startswith(f"{solved.sum()} of 100 starts reached the lowest J, ")
    # Elsewhere two of the four examples, or three, are left at their mean.
    np.testing.assert_allclose([one.value for one in found.minima[1:]], [1 / 16, 1 / 12], rtol=1e-6)


def test_a_start_without_a_gradient_warns_of_nothing():
    found = made(
        [1.0, 0.0], status=[C, Status.NON_FINITE_START], gradient=[0.0, math.inf], theta=0.0
    )
    assert found.restarts.n_converged == 1
    assert "1 converged" in str(found.restarts)
