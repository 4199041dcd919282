"""What people who know `scipy.optimize.minimize` write: bounds, and words that we say otherwise."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
import scipy.optimize

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize.methods import METHODS
from symbreak.optimize.scipy_options import TOLERANCES
from symbreak.optimize.scipy_words import OF_ALL, OF_OURS, TAKES_BOUNDS
from tests.optimize.plain_functions import quadratic, rosenbrock

CENTRE = np.array([3.0, -2.0, 0.5])
BOUNDS = [(0.0, 1.0), (None, -3.0), (-np.inf, None)]
NEAREST = np.array([1.0, -3.0, 0.5])
STARTS = np.array([[0.5, -4.0, 2.0], [1.0, -3.0, -7.0], [0.0, -9.0, 0.5]])


def hill(theta, weights=(1.0, 2.0, 3.0)):
    return quadratic(theta - CENTRE, weights)


@pytest.mark.parametrize("name", TAKES_BOUNDS)
def test_a_minimum_on_the_bounds_is_converged(name):
    outcome = sb.minimize(
        hill, STARTS, method=f"scipy:{name}", bounds=BOUNDS, max_iter=5000, gradient_rtol=1e-4
    )
    np.testing.assert_allclose(outcome.theta, np.tile(NEAREST, (3, 1)), atol=1e-3)
    low, high = [0.0, -np.inf, -np.inf], [1.0, -3.0, np.inf]
    assert ((low <= outcome.theta) & (outcome.theta <= high)).all()
    if name not in ("trust-constr", "COBYLA", "COBYQA", "Powell"):
        assert outcome.converged.all()
        assert (outcome.gradient_norm < 1e-3).all()


def test_the_kinds_of_bounds_are_the_same():
    pairs, theirs = BOUNDS, scipy.optimize.Bounds([0.0, -np.inf, -np.inf], [1.0, -3.0, np.inf])
    found = [
        sb.minimize(hill, STARTS, method="scipy:L-BFGS-B", bounds=bounds).theta
        for bounds in (pairs, theirs, np.array(pairs, dtype=object), tuple(pairs))
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    same = [(-1.5, 0.5)] * 2
    for bounds in (same, scipy.optimize.Bounds(-1.5, 0.5)):
        outcome = sb.minimize(rosenbrock, np.zeros(2), method="scipy:SLSQP", bounds=bounds)
        np.testing.assert_allclose(outcome.theta, [0.5, 0.25], atol=1e-6)


def test_without_an_active_bound_it_is_the_free_minimum():
    free = sb.minimize(hill, STARTS, method="scipy:L-BFGS-B")
    bound = sb.minimize(hill, STARTS, method="scipy:L-BFGS-B", bounds=[(-99.0, 99.0)] * 3)
    np.testing.assert_allclose(bound.theta, free.theta, atol=1e-5)
    assert bound.converged.all()


def test_bounds_are_those_that_float32_has():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40.0)
    cost = sb.NetworkCost(sb.Network((2, 1), loss="squared_error"), X, y, dtype="float32")
    outcome = sb.minimize(cost, np.zeros((2, 3)), method="scipy:L-BFGS-B", bounds=[(-0.1, 0.1)] * 3)
    assert (np.abs(outcome.theta) <= np.float32(0.1)).all()
    assert outcome.theta[0, 0] == np.float32(0.1)
    assert outcome.converged.all()


@pytest.mark.parametrize("start", [[1.5, -4.0, 0.0], [np.nextafter(1.0, 2.0), -4.0, 0.0]])
def test_a_start_outside_is_named(start):
    with pytest.raises(InvalidInput, match=r"must lie within bounds. Got theta\[1, 0\] = 1"):
        sb.minimize(hill, [STARTS[0], start], method="scipy:TNC", bounds=BOUNDS)


@pytest.mark.parametrize(
    "bounds",
    [[(0, 1)], [(0, 1)] * 4, [(1, 0)] * 3, (0, 1), "near", [(0, np.nan)] * 3, 7, [1, 2, 3],
     scipy.optimize.Bounds([0, 0], [1, 1])],
    ids=str,
)  # fmt: skip
def test_bounds_that_are_none_are_refused(bounds):
    with pytest.raises(InvalidInput, match="bounds of minimize must be 3 pairs"):
        sb.minimize(hill, STARTS, method="scipy:L-BFGS-B", bounds=bounds)


@pytest.mark.parametrize("method", [*dict.fromkeys(one.name for one in METHODS.values()), None])
@pytest.mark.parametrize("word", OF_OURS)
def test_every_word_of_scipy_is_answered_by_what_says_the_same(method, word):
    if word == "tol" and method in ("sgd", "adam", "adamw"):  # of their schedule
        return
    with pytest.raises(InvalidInput, match=rf"must leave {word} to .*Got {word}=0.5"):
        sb.minimize(hill, STARTS, method=method, **{word: 0.5})


@pytest.mark.parametrize("name", TOLERANCES)
@pytest.mark.parametrize("word", OF_ALL)
def test_so_is_every_one_beside_a_method_of_scipy(name, word):
    if word == "bounds" and name in TAKES_BOUNDS:
        return
    with pytest.raises(InvalidInput, match=rf"of scipy:{name} must leave {word} to "):
        sb.minimize(hill, STARTS, method=f"scipy:{name}", **{word: 0.5})


def test_the_answers_are_words_that_minimize_takes():
    for word, answer in OF_OURS.items():
        if answer.endswith(" of minimize"):
            for ours in answer.removesuffix(" of minimize").replace(" and ", ", ").split(", "):
                value = {"max_iter": 3, "max_evaluations": 3, "callback": lambda _: False}
                sb.minimize(hill, STARTS, **{ours: value.get(ours, 0.5)})
        else:
            assert word in {"options", "jac", "args", "hess", "hessp", "constraints", "bounds",
                            "maxcor"}  # fmt: skip
    bound = partial(hill, weights=(1.0, 1.0, 1.0))
    np.testing.assert_allclose(sb.minimize(bound, STARTS).theta[0], CENTRE, atol=1e-4)


def test_the_methods_that_take_bounds_are_scipys():
    """By its own page: the sentence on the argument."""
    text = re.sub(r"\s+", " ", str(scipy.optimize.minimize.__doc__))
    listed = re.search(r"Bounds on variables for (.*?) methods", text)
    assert listed is not None
    assert sorted(re.split(r", and |, | and ", listed[1])) == sorted(TAKES_BOUNDS)


@pytest.mark.parametrize("theta", [3.0, np.float32(3.0), np.array(3.0), np.ones((2, 2, 2))])
def test_a_theta_that_is_no_vector_is_refused(theta):
    def parabola(x):
        return (x * x).sum(-1), 2.0 * x

    for call in (sb.minimize, sb.check_gradient):
        with pytest.raises(InvalidInput, match=r"theta.* must be of shape \(n,\) or \(starts, n\)"):
            call(parabola, theta)
