"""The search over hidden layers and penalties, on scores that are made up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symbreak.training.selection import FIRST, Candidate, best_of, chosen, compared, path_of


def peak_at(alpha):
    """Return scores on three folds that are highest at a penalty."""
    spread = np.array([-0.1, 0.0, 0.1])

    def scored(alphas):
        return np.array([-(np.log10(one / alpha) ** 2) + spread for one in alphas])

    return scored


def candidate(layers, n_parameters, scores, alpha=1.0, activation="tanh"):
    return Candidate(layers, activation, n_parameters, alpha, np.array(scores, dtype=float))


def test_given_penalties_are_the_ones_that_are_scored():
    assert list(path_of(peak_at(1e-6), [3.0, 1.0, 2.0])) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("peak", [1e-6, 1e-3, 0.1, 1e5])
def test_the_grid_reaches_the_peak_and_halves_the_step_there(peak):
    path = path_of(peak_at(peak), None)
    assert math.isclose(best_of(path), peak)
    around = [alpha for alpha in path if 0.2 < alpha / peak < 5.0]
    np.testing.assert_allclose(around, [peak / 10**0.5, peak, peak * 10**0.5])
    assert set(path) >= set(FIRST)
    assert list(path) == sorted(path)


@pytest.mark.parametrize("peak", [1e-3, 10**-0.5, 1.0, 10**0.5, 100.0])
def test_near_a_penalty_the_search_climbs_by_half_steps_to_the_peak(peak):
    path = path_of(peak_at(peak), None, near=1.0)
    assert math.isclose(best_of(path), peak)
    powers = 2 * np.log10(list(path))
    np.testing.assert_allclose(np.diff(powers), 1.0)  # nothing is left out or asked twice
    assert powers[0] <= min(2 * math.log10(peak), 0) - 1
    assert powers[-1] >= max(2 * math.log10(peak), 0) + 1
    assert len(path) == 3 + abs(round(2 * math.log10(peak)))


def test_penalties_that_are_given_are_not_looked_for_near_another():
    assert list(path_of(peak_at(1e-6), [3.0, 1.0], near=100.0)) == [1.0, 3.0]


def test_a_network_is_searched_near_the_best_penalty_of_those_before():
    peaks = {(): 1e4, (5,): 10.0, (9, 9): 0.1}
    begun = []

    def path(layers, activation, near):
        begun.append((layers, activation, near))
        peak = peaks[layers] if activation == "tanh" else 1.0
        rise = len(layers) - abs(math.log10(peak))
        return [candidate(layers, 9, [rise, rise], peak, activation)]

    compared(path, [(), (5,), (9, 9)], ["tanh", "silu", "relu"])
    assert begun == [
        ((), "tanh", None), ((5,), "tanh", None), ((9, 9), "tanh", 10.0),
        ((9, 9), "silu", 0.1), ((9, 9), "relu", 0.1),
    ]  # fmt: skip


def test_a_network_without_finite_scores_tells_the_next_nothing():
    begun = []

    def path(layers, activation, near):
        begun.append(near)
        return [candidate(layers, 9, [-math.inf, 0.0], 10.0, activation)]

    compared(path, [(5,), (6,)], ["tanh", "silu"])
    assert begun == [None, None, None]


def test_the_grid_ends_where_the_scores_rise_no_more():
    flat = path_of(lambda alphas: np.array([[1.0 / (1.0 + a)] * 2 for a in alphas]), None)
    assert min(flat) > 1e-6
    endless = path_of(lambda alphas: np.array([[-math.log(a)] * 2 for a in alphas]), None)
    assert 1e-9 < min(endless) < 1e-7


def test_a_penalty_with_a_fold_that_is_not_finite_is_not_the_best():
    path = path_of(lambda alphas: np.array([[9.0, -np.inf], [1.0, 1.0]]), [1.0, 2.0])
    assert best_of(path) == 2.0


def test_of_equal_penalties_the_larger_one_is_the_best():
    assert best_of({1.0: np.zeros(2), 2.0: np.zeros(2), 0.5: np.zeros(2)}) == 2.0


def test_the_smallest_network_within_one_standard_error_is_taken():
    top = candidate((20,), 90, [1.0, 2.0, 3.0])
    near = candidate((), 9, [0.7, 2.2, 2.9])  # behind by 0.067, with an error of 0.145
    far = candidate((), 9, [0.9, 1.9, 2.9])  # behind by 0.1, always
    assert chosen([near, top]) == 0
    assert chosen([top, near]) == 1
    assert chosen([far, top]) == 1


def test_only_the_best_penalty_of_hidden_layers_is_compared():
    close = candidate((20,), 90, [2.0, 2.1], alpha=3.0)
    assert chosen([close, candidate((20,), 90, [2.1, 2.1], alpha=1.0)]) == 1
    assert chosen([close, candidate((20,), 90, [2.0, 2.1], alpha=5.0)]) == 1


def test_of_networks_of_one_size_the_better_one_is_taken():
    tanh = candidate((20,), 90, [0.7, 2.2, 2.9])  # within the error
    silu = candidate((20,), 90, [1.0, 2.0, 3.0], activation="silu")
    assert chosen([tanh, silu]) == 1
    assert chosen([silu, tanh]) == 0


def test_one_fold_has_no_error():
    assert chosen([candidate((), 9, [0.9]), candidate((20,), 90, [1.0])]) == 1


def test_what_has_no_finite_score_is_not_taken():
    nothing = candidate((), 9, [np.inf * -1, 0.0])
    assert chosen([nothing]) is None
    assert chosen([nothing, candidate((20,), 90, [-5.0, -5.0])]) == 1
