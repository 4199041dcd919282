"""The check along random lines: no false alarm, wrong entries named, no absolute scale."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.gradient_check import check_gradient
from symbreak.gradient_check.parameter_groups import groups_of
from symbreak.losses import LOSSES
from symbreak.parameters import Block
from tests.gradient_check.conftest import change_entry, cost_of
from tests.kinds import NUMPY_AND_TORCH

LAYERS = (20, 50, 30, 5)
ERRORS = {"sign": -1.0, "zero": 0.0, "one percent": 1.01, "a hundredth of it": 1.0001}


def random_net(seed, activation, loss="cross_entropy", **options):
    """A net with 0 to 2 hidden layers of 2 to 11 units, and a start of it."""
    random = np.random.default_rng(seed)
    layers = tuple(int(units) for units in random.integers(2, 12, size=random.integers(2, 5)))
    examples = int(random.integers(5, 80))
    cost = cost_of(layers, activation, loss, examples=examples, seed=seed, **options)
    rule = "glorot_uniform" if seed % 2 else "he_normal"
    return cost, sb.initialize(cost.network, rule, seed=seed)


def test_it_is_a_public_name():
    assert sb.check_gradient is check_gradient


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_loss_passes(activation):
    for loss in LOSSES:
        for seed in (1, 2):
            cost, theta = random_net(seed, activation, loss)
            assert check_gradient(cost, theta).verdict == "pass"


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    activation=st.sampled_from(["tanh", "relu", "leaky_relu"]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_a_right_gradient_never_fails(seed, activation, dtype):
    cost, theta = random_net(seed, activation, dtype=dtype)
    assert check_gradient(cost, theta).verdict != "fail"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_two_hundred_nets_pass(activation, dtype):
    verdicts = [check_gradient(*random_net(seed, activation, dtype=dtype)).verdict
                for seed in range(200)]  # fmt: skip
    assert verdicts.count("fail") == 0
    assert verdicts.count("inconclusive") <= 4


def wrong_entries(make, draws, factor, scale=1.0, layers=LAYERS):
    """Yield (report, group, name of the wrong entry), `draws` times for each group of the net."""
    for seed in range(draws):
        cost = cost_of(layers, examples=40, seed=seed)
        theta = sb.initialize(cost.network, seed=seed)
        gradient = cost(theta)[1]
        for number, group in enumerate(groups_of(cost.blocks, None, 0)):
            sizes = np.abs(gradient[group.indices])
            seen = np.flatnonzero(sizes >= 1e-3 * np.sqrt(np.mean(sizes**2)))
            index = int(group.indices[np.random.default_rng([seed, number]).choice(seen)])
            wrong = make.changed(cost, change_entry(index, lambda g: factor * g), scale)
            name = group.block.entry(index - group.block.start)
            yield check_gradient(wrong, theta, seed=seed), group, name


def assert_named(report, group, name):
    assert report.verdict == "fail"
    verdicts = {block.name: block.verdict for block in report.blocks}
    assert verdicts.pop(group.name) == "fail"
    assert set(verdicts.values()) == {"pass"}
    block = next(block for block in report.blocks if block.name == group.name)
    assert block.wrong[0] == block.worst == name


@pytest.mark.parametrize("factor", ERRORS.values(), ids=ERRORS)
def test_a_wrong_entry_is_named(make, factor):
    for report, group, name in wrong_entries(make, 1, factor):
        assert_named(report, group, name)
        block = report.worst
        np.testing.assert_allclose(block.analytic, factor * block.numerical, rtol=1e-5, atol=1e-18)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("factor", ERRORS.values(), ids=ERRORS)
def test_twenty_of_twenty_in_every_block_within_five_hundred_evaluations(make, factor, scale):
    evaluations = []
    for report, group, name in wrong_entries(make, 20, factor, scale):
        assert_named(report, group, name)
        evaluations.append(report.n_evaluations)
    assert len(evaluations) == 20 * 6
    assert np.mean(evaluations) <= 500


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-8, 1e8, 1e200])
def test_the_scale_of_J_changes_nothing(make, scale):
    cost, theta = random_net(1, "sigmoid")
    here, there = (check_gradient(make.changed(cost, scale=s), theta) for s in (1.0, scale))
    assert here.verdict == there.verdict == "pass"
    for one, other in zip(here.blocks, there.blocks, strict=True):
        np.testing.assert_allclose(other.bar, one.bar, rtol=0.5)
    wrong = make.changed(cost, change_entry(4, lambda g: 1.0001 * g), scale)
    assert check_gradient(wrong, theta).verdict == "fail"


def test_several_wrong_entries_are_all_named(make):
    cost = cost_of(LAYERS)
    theta = sb.initialize(cost.network)
    indices = [100, 400, 778]

    def change(theta, gradient):
        gradient[..., indices] *= 1.5
        return gradient

    report = check_gradient(make.changed(cost, change), theta)
    expected = {cost.blocks[0].entry(index) for index in indices}
    assert set(report.worst.wrong) == expected


def test_a_net_of_a_million_parameters_takes_at_most_sixty_evaluations_a_block():
    cost = cost_of((900, 1000, 100), examples=5)
    report = check_gradient(cost, sb.initialize(cost.network), locate=False)
    assert cost.network.n_parameters > 1e6
    assert report.verdict == "pass"
    assert report.n_evaluations <= 60 * len(report.blocks)


def test_evaluations_are_counted(make):
    cost, theta = random_net(3, "relu")
    seen = []

    class Counted(make.changed):  # type: ignore[name-defined]  # a class made by a fixture
        def value(self, theta):
            seen.append(len(theta))
            return super().value(theta)

        def take(self, starts):
            return self

    report = check_gradient(Counted(cost), theta)
    assert sum(seen) == report.n_evaluations


def test_a_gradient_below_the_noise_is_not_passed():
    theta = np.array([1.0, 2.0])
    for factor in (2.0, -2.0, 0.0):
        report = check_gradient(lambda t, factor=factor: (1e15 + (t**2).sum(), factor * t), theta)
        assert report.verdict == "inconclusive"
        assert "cannot tell" in report.line


def test_larger_steps_resolve_what_noise_hides_from_small_ones():
    theta = np.array([1.0, 2.0])
    right = check_gradient(lambda t: (1e9 + (t**2).sum(), 2 * t), theta)
    wrong = check_gradient(lambda t: (1e9 + (t**2).sum(), 2.01 * t), theta)
    assert (right.verdict, wrong.verdict) == ("pass", "fail")


def test_a_saturated_block_is_no_pass_right_or_wrong(make):
    cost = cost_of((5, 8, 8, 3), alpha=0.0)
    theta = sb.initialize(cost.network, "glorot_uniform")
    first, second, _ = cost.network.thetas(theta)
    first *= 18.0
    second[:, 0] += 18.0
    for factor in (1.0, -1.0):
        changed = make.changed(cost, lambda theta, gradient, factor=factor: factor * gradient)
        verdicts = {block.name: block.verdict for block in check_gradient(changed, theta).blocks}
        assert verdicts["Theta1 weights"] == "inconclusive"
        assert verdicts["Theta3 weights"] == ("pass" if factor == 1.0 else "fail")


def test_zeros_that_are_right_pass_and_are_named(make):
    cost = cost_of((4, 6, 3))
    report = check_gradient(cost, np.zeros(cost.network.n_parameters))
    assert report.verdict == "pass"
    assert "gradient exactly zero in Theta1 biases, Theta1 weights" in report.line
    forgotten = make.changed(cost, lambda theta, gradient: 0 * gradient)
    assert check_gradient(forgotten, sb.initialize(cost.network)).verdict == "fail"


def test_nothing_but_zeros_is_inconclusive():
    assert check_gradient(lambda t: (3.0, 0 * t), np.ones(3)).verdict == "inconclusive"


def test_a_J_that_changes_from_call_to_call_is_told_with_the_remedy():
    random = np.random.default_rng(0)

    def objective(theta):
        kept = random.random(theta.shape) > 0.5
        return (theta**2 * kept).sum(), -2 * theta

    report = check_gradient(objective, np.ones(20))
    assert report.verdict == "inconclusive"
    assert "eval()" in report.line


def test_a_gradient_that_is_not_finite_fails_and_is_named(make):
    cost = cost_of((4, 6, 3))
    wrong = make.changed(cost, change_entry(15, lambda g: g * math.nan))
    report = check_gradient(wrong, sb.initialize(cost.network))
    assert (report.verdict, report.worst.worst) == ("fail", "Theta1[3, 0]")


def test_the_worst_of_many_starts_is_reported(make):
    cost = cost_of((4, 6, 3))

    def wrong_at_two(theta, gradient):
        if len(gradient) > 2:
            gradient[2, 9] *= 1.5
        return gradient

    theta = sb.initialize(cost.network, starts=4)
    report = check_gradient(make.changed(cost, wrong_at_two), theta)
    assert (report.verdict, report.start, report.worst.worst) == ("fail", 2, "Theta1[1, 4]")


def test_the_chance_of_a_miss_is_that_of_errors_along_random_lines():
    report = check_gradient(*random_net(2, "tanh"))
    worst = max(block.bar for block in report.blocks)
    normal = np.abs(np.random.default_rng(0).standard_normal((200_000, 3)))
    for error in (3 * worst, worst, worst / 2):
        missed = np.mean((normal * error < worst).all(1))
        np.testing.assert_allclose(report.missed(error), missed, rtol=0.1)
    assert report.missed(0.01) < 1e-12
    assert math.isnan(check_gradient(*random_net(2, "tanh"), method="coordinates").missed(0.01))


@pytest.mark.parametrize("kind", NUMPY_AND_TORCH)
def test_plain_functions_of_both_kinds_are_checked(kind):
    theta = kind(np.array([1.0, -2.0, 3.0]))
    assert check_gradient(lambda t: ((t**2).sum(), 2 * t), theta).verdict == "pass"
    report = check_gradient(lambda t: ((t**2).sum(), t + t.sum()), theta)
    assert report.verdict == "fail"


def test_the_report_is_plain_data_text_and_escaped_html(make):
    blocks = (Block("<b>", 0, (2, 3)),)
    report = check_gradient(
        lambda t: ((t**2).sum(), 2.0 * t + np.eye(6)[4]), np.arange(6.0), blocks=blocks
    )
    data = json.loads(json.dumps(report.to_dict()))
    assert data["verdict"] == "fail"
    assert data["blocks"][0]["wrong"] == ["<b>[1, 1]"]
    assert "wrong: <b>[1, 1]" in str(report)
    assert f"3 lines through each block, {report.n_evaluations} evaluations of J." in str(report)
    shown = report._repr_html_()
    assert "&lt;b&gt;[1, 1]" in shown
    assert "<b>[" not in shown
