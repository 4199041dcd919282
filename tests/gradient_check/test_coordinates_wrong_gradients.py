"""A wrong gradient fails, and the report names the entry."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.activations import ACTIVATIONS
from symbreak.arrays import copied
from symbreak.gradient_check.probes import EPS
from symbreak.initialization import initialize
from tests.gradient_check.conftest import coordinates as check_gradient

WRONG = {
    "sign": lambda g: -g,
    "zero": lambda g: 0.0 * g,
    "twice": lambda g: 2.0 * g,
    "one percent": lambda g: 1.01 * g,
    "not a number": lambda g: float("nan") * g,
}
every_mistake = pytest.mark.parametrize("mistake", WRONG)


@every_mistake
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_wrong_entry_of_any_block_is_named(make, mistake, activation, dtype):
    cost = make.cost((4, 6, 5, 3), activation, dtype=dtype)
    theta = initialize(cost.network, "glorot_uniform", seed=2)
    for block in cost.blocks:
        place = make.largest(cost, theta, block)
        wrong = make.changed(cost, make.change_entry(place, WRONG[mistake]))
        report = check_gradient(wrong, theta)
        assert report.verdict == "fail", report
        assert report.worst.worst == block.entry(place - block.start)
        assert [b.verdict for b in report.blocks].count("fail") == 1


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1.0, 1e8, 1e200])
@every_mistake
def test_the_scale_of_J_hides_no_mistake(make, mistake, scale):
    cost = make.cost((4, 6, 3), "relu")
    theta = initialize(cost.network, "he_normal")
    place = make.largest(cost, theta, cost.blocks[0])
    wrong = make.changed(cost, make.change_entry(place, WRONG[mistake]), scale)
    assert check_gradient(wrong, theta).verdict == "fail"
    every = make.changed(cost, lambda theta, gradient: WRONG[mistake](gradient), scale)
    report = check_gradient(every, theta)
    assert [block.verdict for block in report.blocks] == ["fail"] * 4


def test_a_wrong_small_block_does_not_hide_behind_a_large_one(make):
    # The gradient of Theta1 is 1e-5 of that of Theta2.
    cost = make.cost((4, 6, 3), alpha=0.0)
    theta = initialize(cost.network, "glorot_uniform")
    cost.network.thetas(theta)[1][:, 1:] *= 1e-5
    place = make.largest(cost, theta, cost.blocks[0])
    report = check_gradient(make.changed(cost, make.change_entry(place, WRONG["sign"])), theta)
    assert report.verdict == "fail"
    assert report.worst.name.startswith("Theta1")


def test_small_biases_do_not_hide_behind_large_weights(make):
    cost = make.cost((4, 6, 3), alpha=1e4)
    theta = initialize(cost.network, "glorot_uniform")
    wrong = make.changed(cost, make.change_entry(cost.blocks[1].start, lambda g: 1.01 * g))
    report = check_gradient(wrong, theta)
    assert report.verdict == "fail"
    assert (report.worst.name, report.worst.worst) == ("Theta2 biases", "Theta2[0, 0]")


def test_a_forgotten_penalty_fails_in_the_weights_only(make):
    plain, penalised = make.cost((4, 6, 3), alpha=0.0), make.cost((4, 6, 3), alpha=1.0)
    wrong = make.changed(penalised, lambda theta, _: plain(theta)[1])
    report = check_gradient(wrong, initialize(plain.network, "torch_default"))
    assert [block.verdict for block in report.blocks] == ["pass", "fail"] * 2


def test_a_penalty_on_the_biases_fails_in_the_biases_only(make):
    cost = make.cost((4, 6, 3), alpha=1.0)

    def penalise_biases(theta, gradient):
        for Theta, G in zip(cost.network.thetas(theta), cost.network.thetas(gradient), strict=True):
            G[..., 0] += Theta[..., 0] / cost.n_examples
        return gradient

    report = check_gradient(
        make.changed(cost, penalise_biases), initialize(cost.network, "torch_default")
    )
    assert [block.verdict for block in report.blocks] == ["fail", "pass"] * 2


def test_biases_left_out_fail(make):
    cost = make.cost((4, 6, 3))

    def without_biases(theta, gradient):
        cost.network.thetas(gradient)[0][..., 0] = 0.0
        return gradient

    report = check_gradient(
        make.changed(cost, without_biases), initialize(cost.network, "glorot_uniform")
    )
    assert [block.verdict for block in report.blocks] == ["fail", "pass", "pass", "pass"]
    assert report.blocks[0].relative_error == 1.0


def test_a_loss_averaged_over_outputs_with_a_gradient_that_is_not_fails(make):
    # J is the mean over examples and outputs, the gradient divides by the examples alone.
    outputs = 3
    cost = make.cost((4, 6, outputs), "relu", "squared_error", alpha=0.0)

    def objective(theta):
        J, gradient = cost(theta)
        return J / outputs, gradient

    theta = initialize(cost.network, "he_normal")
    report = check_gradient(objective, theta, blocks=cost.blocks)
    assert [block.verdict for block in report.blocks] == ["fail"] * 4
    for block in report.blocks:
        np.testing.assert_allclose(block.analytic / block.numerical, outputs, rtol=1e-6)


def test_a_gradient_of_the_transposed_matrix_fails(make):
    cost = make.cost((4, 4, 4))

    def transposed(theta, gradient):
        G = cost.network.thetas(gradient)[0][..., 1:]
        G[...] = copied(G.mT)
        return gradient

    report = check_gradient(
        make.changed(cost, transposed), initialize(cost.network, "glorot_uniform")
    )
    assert [block.verdict for block in report.blocks] == ["pass", "fail", "pass", "pass"]


def test_the_worst_of_many_starts_is_reported(make):
    cost = make.cost((4, 6, 3))
    theta = initialize(cost.network, "glorot_uniform", starts=4)

    def wrong_at_two(theta, gradient):
        if len(gradient) > 2:
            gradient[2, 9] *= 1.5
        return gradient

    report = check_gradient(make.changed(cost, wrong_at_two), theta)
    assert (report.verdict, report.start, report.worst.worst) == ("fail", 2, "Theta1[1, 4]")
    assert "worst start 2" in report.line


def test_a_wrong_slope_at_a_distance_from_a_kink_fails():
    # The kink is within the default step, not within a hundredth of it.
    theta = np.array([5e-7, 1.0])
    report = check_gradient(lambda t: (abs(t[0]) + t[1], np.array([0.0, 1.0])), theta)
    assert report.verdict != "pass"
    report = check_gradient(lambda t: (abs(t[0]) + t[1], np.array([-1.0, 1.0])), theta)
    assert report.verdict == "fail"


def test_a_torch_function_with_a_wrong_entry_fails(torch):
    def objective(theta):
        gradient = torch.exp(theta)
        gradient[1] *= 1.001
        return torch.exp(theta).sum(), gradient

    report = check_gradient(objective, torch.zeros(3, dtype=torch.float64))
    assert (report.verdict, report.worst.worst) == ("fail", "theta[1]")


def test_a_wrong_slope_is_no_kink_however_strong_the_curvature():
    theta = np.array([1.0, 1.0])

    def objective(t):
        return 1e5 * (t[0] - 1.0) ** 2 + t.sum(), np.array([1.01 + 2e5 * (t[0] - 1.0), 1.0])

    assert check_gradient(objective, theta).verdict == "fail"


def test_agreement_with_one_step_by_chance_does_not_pass():
    # Across the kink a tenth of the step gives the slope 0.495; closer up it is 1.
    theta = np.array([3e-7, 1.0])
    by_chance = 3e-7 / (0.1 * EPS ** (1 / 3))
    report = check_gradient(lambda t: (abs(t[0]) + t[1], np.array([by_chance, 1.0])), theta)
    assert report.verdict != "pass"


def test_the_entry_named_is_wrong_and_not_merely_unclear():
    def objective(theta):
        with np.errstate(all="ignore"):
            return np.sqrt(theta[0]) + theta[1], np.array([0.5 / np.sqrt(theta[0]), 1e6])

    report = check_gradient(objective, np.array([1e-12, 1.0]))
    assert (report.verdict, report.worst.worst) == ("fail", "theta[1]")
