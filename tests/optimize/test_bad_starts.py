"""One row that overflows, underflows or has no curvature neither ends nor changes the others.

The stack below minimises in every row a sum over entries of another function of one number, with
its exact derivatives, so that any two rows may stand side by side and each may stand alone.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import symbreak as sb
from symbreak.optimize import Status
from symbreak.optimize.methods import METHODS
from symbreak.parameters import Block

# name -> x -> (f, f', f''), as NumPy computes them, warnings and all.
FUNCTIONS = {
    "bowl": lambda x: (0.5 * x**2, x, np.ones_like(x)),
    "cosh": lambda x: (np.cosh(x) - 1.0, np.sinh(x), np.cosh(x)),
    "absolute value": lambda x: (np.abs(x), np.sign(x), 0.0 * x),
    "root": lambda x: (
        np.sqrt(np.abs(x)),
        0.5 * np.sign(x) / np.sqrt(np.abs(x)),
        -0.25 * np.abs(x) ** -1.5,
    ),
    "overflow": lambda x: (
        np.exp(x**4),
        4.0 * x**3 * np.exp(x**4),
        (12.0 * x**2 + 16.0 * x**6) * np.exp(x**4),
    ),
    "no bottom": lambda x: (-np.exp(x**2), -2.0 * x * np.exp(x**2), -2.0 * np.exp(x**2)),
    "pole": lambda x: (np.log(np.abs(x)), 1.0 / x, -1.0 / x**2),
    "constant": lambda x: (0.0 * x + 3.0, 0.0 * x, 0.0 * x),
    "not a number": lambda x: (x * np.nan, x, np.ones_like(x)),
    "gradient not a number": lambda x: (x**2, x * np.nan, np.ones_like(x)),
    "wall": lambda x: (np.where(x < 0.5, np.nan, x), np.ones_like(x), np.ones_like(x) * np.nan),
    "curvature not a number": lambda x: (x**2, 2.0 * x, x * np.nan),
    "denormal": lambda x: (1e-310 * x**2, 2e-310 * x, 0.0 * x + 2e-310),
    "tiny": lambda x: (1e-200 * x**2, 2e-200 * x, 0.0 * x + 2e-200),
    "huge": lambda x: (1e200 * x**2, 2e200 * x, 0.0 * x + 2e200),
    "largest": lambda x: (1e307 * x, 1e307 * np.sign(x), 0.0 * x + 1e307),
    "flat": lambda x: (x**40, 40.0 * x**39, 1560.0 * x**38),
    "step": lambda x: (np.floor(x), 0.0 * x + 1.0, 0.0 * x),
    "wrong sign": lambda x: (0.5 * x**2, -x, -np.ones_like(x)),
}
STARTS = ((2.0, -1.0, 3.0), (0.7, 0.0, 1e-160))
GOOD = (("cosh", (1.0, -2.0, 0.5)), ("bowl", (3.0, 1.0, -2.0)), ("cosh", (-0.3, 0.2, 2.5)))
WITH_LINE_SEARCH = ("l-bfgs", "bfgs", "conjugate-gradient", "newton-cg")
CASES = [
    *[(method, {}) for method in METHODS if method not in ("fmincg", "fminunc")],
    *[(method, {"line_search": "more-thuente"}) for method in WITH_LINE_SEARCH],
    *[(method, {"line_search": "armijo"}) for method in ("l-bfgs", "bfgs", "newton-cg")],
    ("conjugate-gradient", {"line_search": "hager-zhang", "beta": "polak-ribiere"}),
    ("newton-cg", {"curvature": "gauss-newton"}),
    ("l-bfgs", {"memory": 1}),
    ("l-bfgs", {"memory": 3}),
    *[("sgd", {"schedule": word}) for word in ("invscaling", "adaptive", "cosine")],
]
# Each method as it comes is in the fast suite, its variants are in the slow one.
every_method = pytest.mark.parametrize(
    ("method", "options"),
    [pytest.param(*case, marks=pytest.mark.slow if case[1] else ()) for case in CASES],
    ids=lambda part: part if isinstance(part, str) else str(part),
)


class Rows:
    """Row i is the sum over entries of the function that kinds[i] names."""

    def __init__(self, kinds, n=3):
        self.kinds = np.array(kinds)
        self.blocks = (Block("theta", 0, (n,)),)

    def _of(self, theta, order):
        found = np.empty(theta.shape)
        with np.errstate(all="ignore"):
            for kind in set(self.kinds):
                rows = self.kinds == kind
                found[rows] = FUNCTIONS[kind](theta.astype(float)[rows])[order]
            return found.astype(theta.dtype)

    def __call__(self, theta, *, out=None):
        with np.errstate(all="ignore"):
            return self._of(theta, 0).sum(1), self._of(theta, 1)

    def value(self, theta):
        return self(theta)[0]

    def take(self, starts):
        return Rows(self.kinds[np.asarray(starts)], self.blocks[0].shape[0])

    def batch(self, rows):
        raise NotImplementedError

    def hessian_product(self, theta, v):
        with np.errstate(all="ignore"):
            return self._of(theta, 2) * v

    gauss_newton_product = hessian_product

    def gauss_newton(self, theta):
        with np.errstate(all="ignore"):
            bend = self._of(theta, 2)[:, :, None] * np.eye(theta.shape[1])
        return *self(theta), bend


def search(rows, method, *, dtype=np.float64, **options):
    kinds, starts = zip(*rows, strict=True)
    theta = np.array(starts, dtype=dtype)
    return sb.minimize(
        Rows(kinds, theta.shape[1]), theta, method=method, max_iter=30,
        gradient_rtol=1e-8, **options,
    )  # fmt: skip


def assert_is_an_answer(outcome, rows):
    """Every row ended, in a point of numbers that is no worse than its start."""
    assert np.isfinite(outcome.theta).all()
    assert str(outcome)
    assert str(outcome.restarts)
    kinds, starts = zip(*rows, strict=True)
    with np.errstate(all="ignore"):
        began = host_of(Rows(kinds, len(starts[0])), starts, outcome.theta.dtype)
    for row, status in enumerate(outcome.status):
        assert status is not Status.RUNNING
        if status is Status.NON_FINITE_START:
            assert outcome.value[row] == np.inf
        else:
            assert outcome.value[row] <= began[row]


def host_of(objective, starts, dtype):
    return objective(np.array(starts, dtype=dtype))[0].astype(float)


def assert_row_is_alone(together, row, alone):
    np.testing.assert_array_equal(together.theta[row], alone.theta[0])
    assert together.value[row] == alone.value[0]
    assert together.status[row] is alone.status[0]
    assert together.n_evaluations[row] == alone.n_evaluations[0]
    steps = alone.n_iterations[0]
    assert together.n_iterations[row] == steps
    np.testing.assert_array_equal(together.history[: steps + 1, row], alone.history[:, 0])


@every_method
def test_every_row_of_a_mixed_stack_is_bit_for_bit_what_it_is_alone(method, options):
    rows = [*GOOD, *zip(FUNCTIONS, itertools.cycle(STARTS))]
    together = search(rows, method, **options)
    assert_is_an_answer(together, rows)
    for row, one in enumerate(rows):
        assert_row_is_alone(together, row, search([one], method, **options))


@every_method
def test_float32_knows_no_row_that_raises(method, options):
    rows = [(kind, start) for kind in FUNCTIONS for start in ((2.0, -1.0, 3.0), (0.7, 0.0, 1e-30))]
    assert_is_an_answer(search(rows, method, dtype=np.float32, **options), rows)


@pytest.mark.parametrize("method", ["l-bfgs", "gradient-descent", "levenberg-marquardt", "adam"])
def test_every_limit_bears_a_mixed_stack(method):
    rows = [(kind, start) for kind in FUNCTIONS for start in STARTS]
    objective = Rows([kind for kind, _ in rows])
    for limit in (
        {"value_rtol": 1e-9}, {"step_rtol": 1e-9}, {"value_patience": 5, "patience_tol": 1e-3},
        {"racing": True}, {"validation": objective, "patience": 5}, {"target_value": 0.0},
    ):  # fmt: skip
        assert search(rows, method, **limit).theta.shape == (len(rows), 3)


@every_method
def test_stacks_of_whole_numbers_end(method, options):
    rng = np.random.default_rng(0)
    for kind in ("absolute value", "root", "step", "overflow"):
        for n in (1, 3):
            rows = [(kind, tuple(start)) for start in rng.integers(-4, 5, (8, n)).astype(float)]
            assert_is_an_answer(search(rows, method, **options), rows)


def test_a_sum_of_absolute_values_reaches_zero_from_whole_numbers():
    outcome = sb.minimize(
        lambda T: (np.abs(T).sum(1), np.sign(T)),
        np.array([[1.0, 0.0], [0.0, 3.0], [-2.0, 2.0], [1.0, -3.0]]),
    )
    assert (outcome.value < 1e-12).all()


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs"])
@pytest.mark.parametrize("scale", [1e-250, 1e-200, 1e200, 1e250])
def test_a_scale_whose_square_is_no_number_does_not_slow_a_search(method, scale):
    curvatures = np.array([1.0, 30.0, 7.0, 200.0])
    start = np.array([[3.0, -2.0, 1.0, 0.5]])

    def scaled(size):
        return sb.minimize(
            lambda x: (0.5 * size * np.sum(curvatures * x**2, -1), size * curvatures * x),
            start, method=method, gradient_rtol=0.0, gradient_atol=1e-9 * size,
        )  # fmt: skip

    one, other = scaled(1.0), scaled(scale)
    assert one.converged[0]
    assert other.converged[0]
    assert other.n_evaluations[0] <= 2 * one.n_evaluations[0]


@pytest.mark.parametrize(
    "method", ["L-BFGS-B", "BFGS", "CG", "TNC", "trust-exact", "dogleg", "Newton-CG"]
)
def test_methods_of_scipy_answer_for_every_row(method):
    rows = [(kind, (2.0, -1.0, 3.0)) for kind in FUNCTIONS]
    together = search(rows, f"scipy:{method}")
    assert_is_an_answer(together, rows)
    for row in (0, 1):
        assert_row_is_alone(together, row, search([rows[row]], f"scipy:{method}"))
