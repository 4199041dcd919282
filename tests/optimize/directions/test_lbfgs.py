"""The batched compact form against the two-loop recursion of Nocedal (1980), row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.protocols import Point

pytestmark = pytest.mark.needs_torch


def point(theta, gradient):
    norm = np.abs(gradient.numpy()).max(axis=1)
    return Point(theta, np.zeros(len(theta)), gradient, norm)


def update(part, accepted, move, change, gradient):
    """The direction after theta moved by `move` and its gradient changed by `change`."""
    here = point(move, gradient)
    return part.update(accepted, point(torch.zeros_like(move), gradient - change), here)


def restart(part, rows, gradient):
    return part.restart(rows, point(gradient, gradient))


def two_loop(pairs, gradient):
    """H g by the textbook recursion (Nocedal & Wright 2006, algorithm 7.4)."""
    q, alphas = gradient.copy(), []
    for s, y in reversed(pairs):
        alphas.append(s @ q / (s @ y))
        q -= alphas[-1] * y
    s, y = pairs[-1]
    r = (s @ y) / (y @ y) * q
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r += s * (alpha - y @ r / (s @ y))
    return r


def test_direction_equals_the_two_loop_recursion_when_rows_accept_at_their_own_times():
    rng = np.random.default_rng(0)
    rows, n, memory = 3, 12, 4
    hessian = np.diag(np.linspace(1.0, 9.0, n))
    part = LBFGS(memory)
    zeros = torch.zeros(rows, n, dtype=torch.float64)
    part.start(point(zeros, zeros))
    pairs: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(rows)]
    compared = 0
    for _ in range(14):
        accepted = rng.random(rows) < 0.7
        move, gradient = rng.normal(size=(rows, n)), rng.normal(size=(rows, n))
        change = move @ hessian
        for row in np.flatnonzero(accepted):
            pairs[row] = [*pairs[row], (move[row], change[row])][-memory:]
        answer = update(part, accepted, *map(torch.from_numpy, (move, change, gradient)))
        for row in np.flatnonzero(accepted):
            expected = -two_loop(pairs[row], gradient[row])
            np.testing.assert_allclose(answer[row].numpy(), expected, rtol=1e-9, atol=1e-12)
            compared += 1
    assert compared > 20


def test_pairs_without_curvature_are_not_stored():
    part = LBFGS(3)
    gradient = torch.ones(1, 2, dtype=torch.float64)
    part.start(point(gradient, gradient))
    move = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    answer = update(part, np.array([True]), move, -move, gradient)
    assert torch.equal(answer, -gradient)


def test_restart_forgets_one_row_only():
    rng = np.random.default_rng(1)
    part = LBFGS(3)
    gradient = torch.from_numpy(rng.normal(size=(2, 5)))
    part.start(point(gradient, gradient))
    move = torch.from_numpy(rng.normal(size=(2, 5)))
    both = np.array([True, True])
    update(part, both, move, 2.0 * move, gradient)
    restart(part, np.array([True, False]), gradient)
    answer = update(part, np.array([False, False]), move, move, gradient)
    torch.testing.assert_close(answer[0], -gradient[0])
    torch.testing.assert_close(answer[1], -0.5 * gradient[1])
