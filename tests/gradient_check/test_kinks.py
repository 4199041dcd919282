"""Many kinks at theta: nothing hides among them, and nothing is called wrong because of them."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.gradient_check import check_gradient


def sparse(n, of_kinks, change, every=2):
    """Return |theta| at 0 for all but every `every`th entry, which are squares; and theta."""
    theta = np.random.default_rng(0).normal(size=n)
    smooth = np.arange(n) % every == 1
    theta[~smooth] = 0.0

    def objective(t):
        gradient = np.where(smooth, 2 * t, of_kinks(t))
        change(gradient)
        return np.abs(t[~smooth]).sum() + (t[smooth] ** 2).sum(), gradient

    return objective, theta, smooth


def nothing(gradient):
    pass


@pytest.mark.parametrize(("n", "every"), [(200, 2), (2000, 10)])
def test_many_kinks_are_no_false_alarm(n, every):
    objective, theta, _ = sparse(n, np.sign, nothing, every)
    assert check_gradient(objective, theta).verdict == "pass"


@pytest.mark.parametrize("every", [2, 4, 10])
def test_wrong_signs_among_many_kinks_do_not_pass(every):
    flags = np.arange(2000) % every == 1

    def turned(gradient):
        gradient[flags] *= -1.0

    objective, theta, smooth = sparse(2000, np.sign, turned, every)
    report = check_gradient(objective, theta)
    assert report.verdict == "fail"
    named = [int(name[6:-1]) for name in report.worst.wrong]
    assert named
    assert smooth[named].all()
    assert "seen close by theta, which lies on kinks" in report.line


def test_one_wrong_entry_among_kinks_is_named():
    def turned(gradient):
        gradient[1] *= -1.0

    objective, theta, _ = sparse(200, np.sign, turned)
    report = check_gradient(objective, theta)
    assert (report.verdict, report.worst.wrong) == ("fail", ("theta[1]",))
    assert "wrong sign" in report.line


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_the_lasso_at_a_sparse_theta(factor):
    random = np.random.default_rng(1)
    A, b = random.normal(size=(100, 50)), random.normal(size=100)
    theta = np.where(np.arange(50) < 5, random.normal(size=50), 0.0)

    def lasso(t):
        apart = A @ t - b
        J = apart @ apart / 200 + 100 * np.abs(t).sum()
        return J, factor * A.T @ apart / 100 + 100 * np.sign(t)

    report = check_gradient(lasso, theta)
    assert report.verdict == ("pass" if factor == 1.0 else "fail")
    assert bool(report.worst.wrong) == (factor != 1.0)


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [(-1.0, "pass"), (0.5, "pass"), (1.0, "pass"), (1.1, "fail"), (2.0, "fail"), (-3.0, "fail")],
)
def test_a_fixed_gradient_on_one_kink_is_held_against_both_sides(slope, verdict):
    report = check_gradient(lambda t: (np.abs(t).sum(), np.array([slope])), np.zeros(1))
    assert report.verdict == verdict
    assert np.isnan(report.missed(0.01))
    assert "nan" not in str(report).splitlines()[-1]
    if verdict == "fail":
        assert (report.worst.worst, report.worst.numerical) == ("theta[0]", np.sign(slope))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_on_their_kinks_one_behind_the_other_never_fail(activation, seed, dtype):
    # For a row of zeros all units of all layers are at 0, where the slope behind two kinks is not
    # the product of their slopes on any side.
    random = np.random.default_rng(seed)
    X = random.normal(size=(20, 5))
    X[:3] = 0.0
    net = sb.Network((5, 30, 20, 10, 3), activation, "cross_entropy")
    cost = sb.NetworkCost(net, X, random.integers(0, 3, 20), dtype=dtype)
    verdict = check_gradient(cost, sb.initialize(net, "he_normal", seed=seed)).verdict
    assert verdict == "pass" if activation == "relu" else verdict != "fail"


def test_a_gradient_that_changes_from_call_to_call_is_told_as_that():
    random = np.random.default_rng(0)

    def noisy(t):
        return t @ t, 2 * t + 1e-3 * random.normal(size=5)

    report = check_gradient(noisy, np.ones(5), thorough=True)
    assert report.verdict == "inconclusive"
    assert str(report).count("changes from call to call") == 1
    assert report.also == ()


def test_the_half_that_is_seen_to_be_wrong_is_searched_not_the_one_with_the_wider_bar():
    def waves_and_squares(t):
        J = np.sin(300 * t[:4]).sum() / 300 + (t[4:] ** 2).sum()
        gradient = np.concatenate([np.cos(300 * t[:4]), 2 * t[4:]])
        gradient[5] *= 1.01
        return J, gradient

    theta = np.random.default_rng(0).normal(size=8)
    assert check_gradient(waves_and_squares, theta).worst.wrong == ("theta[5]",)
