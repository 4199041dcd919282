"""BFGS: the textbook update, its theory on quadratics, its memory, and whole searches."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize.directions.bfgs import BFGS
from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.methods import METHODS
from tests.optimize.directions.moves import (
    cosines,
    exact_line_searches,
    linear_conjugate_gradients,
    moved,
    point,
    positive_definite,
)
from tests.optimize.plain_functions import PROBLEMS, quadratic

ROOM = 2**30


def begun(rows, n, part=None):
    """A direction that has started at a gradient of zeros."""
    part = BFGS(ROOM) if part is None else part
    zeros = np.zeros((rows, n))
    part.start(point(zeros, zeros))
    return part


def textbook(H, s, y):
    """The inverse update with all its matrices (Nocedal & Wright 2006, eq. 6.17)."""
    rho, eye = 1.0 / (s @ y), np.eye(len(s))
    left = eye - rho * np.outer(s, y)
    return left @ H @ left.T + rho * np.outer(s, s)


def test_direction_is_the_textbook_one_when_rows_accept_at_their_own_times():
    rng = np.random.default_rng(0)
    rows, n = 3, 7
    A = positive_definite(rng, rows, n)
    part = begun(rows, n)
    inverse: dict[int, np.ndarray] = {}
    for _ in range(12):
        accepted = rng.random(rows) < 0.7
        s, g = rng.normal(size=(rows, n)), rng.normal(size=(rows, n))
        y = np.einsum("rij,rj->ri", A, s)
        answer = moved(part, accepted, s, y, g)
        for row in map(int, np.flatnonzero(accepted)):
            if row not in inverse:
                inverse[row] = (s[row] @ y[row]) / (y[row] @ y[row]) * np.eye(n)
            inverse[row] = textbook(inverse[row], s[row], y[row])
            expected = -inverse[row] @ g[row]
            scale = np.linalg.norm(expected)
            np.testing.assert_allclose(answer[row], expected, rtol=0.0, atol=float(1e-11 * scale))
    np.testing.assert_allclose(
        part._H, np.stack([inverse[row] for row in range(rows)]), rtol=1e-9, atol=1e-11
    )


def test_secant_condition_and_positive_definiteness_after_every_update():
    rng = np.random.default_rng(1)
    rows, n = 4, 6
    part, everyone, nobody = begun(rows, n), np.full(rows, True), np.full(rows, False)
    for _ in range(30):
        s = rng.normal(size=(rows, n))
        y = np.einsum("rij,rj->ri", positive_definite(rng, rows, n), s)  # of no one function
        moved(part, everyone, s, y, y)
        kept = -moved(part, nobody, s, y, y)
        np.testing.assert_allclose(kept, s, rtol=0, atol=1e-9)
        assert np.linalg.eigvalsh(part._H).min() > 0


@pytest.mark.parametrize("n", [1, 2, 9])
def test_exact_steps_give_conjugate_gradients_and_end_a_quadratic_in_n_steps(n):
    rng = np.random.default_rng(2)
    A, theta = positive_definite(rng, 3, n, 10.0), rng.normal(size=(3, n))
    directions, gradients = exact_line_searches(BFGS(ROOM), A, theta, n)
    assert np.abs(gradients[-1]).max() < 1e-10 * np.abs(gradients[0]).max()
    for row in range(3):
        expected = linear_conjugate_gradients(A[row], theta[row], n)
        found = np.stack([d[row] for d in directions])
        np.testing.assert_allclose(cosines(found, np.stack(expected)), 1.0, rtol=1e-8)


def test_after_n_exact_steps_H_is_the_inverse_of_the_quadratic():
    rng = np.random.default_rng(3)
    A = positive_definite(rng, 2, 6)
    part = BFGS(ROOM)
    exact_line_searches(part, A, rng.normal(size=(2, 6)), 6)
    np.testing.assert_allclose(part._H, np.linalg.inv(A), rtol=0, atol=1e-8)


def test_equals_lbfgs_with_enough_memory_where_all_pairs_ask_for_one_scale():
    rng = np.random.default_rng(4)
    rows, n, updates, gamma = 3, 8, 9, 0.3
    A, everyone = positive_definite(rng, rows, n, 20.0), np.full(rows, True)
    full, limited = begun(rows, n), begun(rows, n, LBFGS(updates))
    for _ in range(updates):
        s, g = rng.normal(size=(2, rows, n))
        y = np.einsum("rij,rj->ri", A, s)
        # L-BFGS takes gamma = s · y / y · y from the latest pair, BFGS from the first.
        y *= (np.sum(s * y, axis=1) / (gamma * np.sum(y * y, axis=1)))[:, None]
        one, other = (moved(part, everyone, s, y, g) for part in (full, limited))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * np.abs(other).max())


def test_pairs_without_curvature_are_not_stored():
    part, s = begun(1, 2), np.array([[1.0, 0.0]])
    gradient = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(moved(part, [True], s, -s, gradient), -gradient)
    # Nor do they use up the first scale.
    np.testing.assert_allclose(moved(part, [True], s, 4.0 * s, gradient), -gradient / 4.0)


def test_restart_puts_one_row_back_and_its_next_pair_scales_again():
    rng = np.random.default_rng(5)
    part, everyone = begun(2, 5), np.full(2, True)
    s, g = rng.normal(size=(2, 2, 5))
    moved(part, everyone, s, 2.0 * s, g)
    moved(part, [True, False], s, s * [0.5, 1.0, 2.0, 1.0, 3.0], g)
    answer = part.restart(np.array([True, False]), point(g, g))
    np.testing.assert_array_equal(answer[0], -g[0])
    kept = moved(part, [False, False], s, s, g)
    np.testing.assert_array_equal(kept[0], -g[0])
    np.testing.assert_allclose(kept[1], -0.5 * g[1], rtol=1e-12)
    np.testing.assert_allclose(moved(part, everyone, s, 8.0 * s, g)[0], -g[0] / 8.0)


def test_rows_in_a_stack_are_what_they_are_alone():
    rng = np.random.default_rng(6)
    pairs = rng.normal(size=(6, 3, 4, 5))  # updates; s, noise, gradient; rows; n
    stack = begun(4, 5)
    alone = [begun(1, 5) for _ in range(4)]
    for s, noise, g in pairs:
        y, accepted = s + 0.1 * noise, rng.random(4) < 0.7
        together = moved(stack, accepted, s, y, g)
        for row, part in enumerate(alone):
            one = np.s_[row : row + 1]
            single = moved(part, accepted[one], s[one], y[one], g[one])
            np.testing.assert_allclose(together[row], single[0], rtol=1e-11, atol=1e-13)


def test_equal_entries_stay_equal():
    rng = np.random.default_rng(7)
    unit = np.array([0, 0, 0, 1, 1, 2])  # entries of one number are equal
    part, everyone = begun(2, 6), np.full(2, True)
    for _ in range(10):
        s, noise, g = rng.normal(size=(3, 2, 3))[:, :, unit]
        d = moved(part, everyone, s, s + 0.1 * noise, g)
        np.testing.assert_allclose(d, d[:, [1, 2, 0, 4, 3, 5]], rtol=1e-11)


def test_float32_rows_far_from_scale_one_get_their_inverse():
    A = np.diag([1e-3, 1.0, 1e3]).astype(np.float32)[None]
    part = BFGS(ROOM)
    exact_line_searches(part, A, np.ones((1, 3), dtype=np.float32), 3)
    H = part._H
    assert H.dtype == np.float32
    assert np.abs(H - H.swapaxes(1, 2)).max() <= 1e-5 * np.abs(H).max()
    assert np.linalg.eigvalsh(H.astype(float)).min() > 0


def test_too_large_an_H_is_refused_in_one_sentence():
    sentence = r"memory_budget of bfgs must be at least 144 bytes for 2 starts of n = 3 .*l-bfgs"
    with pytest.raises(InvalidInput, match=sentence):
        sb.minimize(quadratic, np.ones((2, 3)), method="bfgs", memory_budget=143)
    assert sb.minimize(quadratic, np.ones((2, 3)), method="bfgs", memory_budget=144).converged.all()


@pytest.mark.parametrize("line_search", ["hager-zhang", "more-thuente", "armijo"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_reaches_the_minimum(name, line_search):
    function, start, minimum, at = PROBLEMS[name]
    outcome = sb.minimize(
        function, start, method="bfgs", gradient_rtol=1e-8, line_search=line_search
    )
    assert outcome.converged[0]
    np.testing.assert_allclose(outcome.theta, at, atol=1e-6)
    assert outcome.value[0] == pytest.approx(minimum, abs=1e-12)


def test_float32_gets_low():
    function, start, _, _ = PROBLEMS["rosenbrock"]
    outcome = sb.minimize(function, start.astype(np.float32), method="bfgs")
    assert outcome.value[0] < 1e-6


def test_its_other_name_and_bad_options():
    assert METHODS["fminunc"] is METHODS["bfgs"]
    with pytest.raises(InvalidInput, match="memory_budget of bfgs must be a positive integer"):
        sb.minimize(quadratic, np.ones(3), method="bfgs", memory_budget=0)
    with pytest.raises(InvalidInput, match=r"line_search of bfgs must be one of .*Did you mean"):
        sb.minimize(quadratic, np.ones(3), method="fminunc", line_search="armijoo")


def test_the_state_that_is_kept_is_that_of_the_kept_rows():
    rng = np.random.default_rng(8)
    part, everyone = begun(3, 4), np.full(3, True)
    s, g = rng.normal(size=(2, 3, 4))
    moved(part, everyone, s, 3.0 * s, g)
    rows = np.array([False, True, True])
    picked = part.pick(rows)
    before = picked._H.copy()
    moved(part, everyone, s, 5.0 * s, g)  # in place: must not reach the copy
    assert np.array_equal(picked._H, before)
    np.testing.assert_allclose(
        moved(picked, [False] * 2, s[1:], s[1:], g[1:]), -g[1:] / 3.0, rtol=1e-12
    )
