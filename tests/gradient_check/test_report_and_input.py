"""The report reads well, counts right, raises when asked; bad input gets one sentence."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType, SymbreakError
from symbreak.gradient_check import GradientError
from symbreak.gradient_check.parameter_groups import groups_of
from symbreak.initialization import initialize
from tests.gradient_check.conftest import coordinates as check_gradient


@pytest.fixture
def cost(make):
    return make.cost((4, 6, 3))


@pytest.fixture
def theta(cost):
    return initialize(cost.network, "glorot_uniform")


def square(theta):
    return (theta**2).sum(), 2 * theta


def test_the_line_of_a_pass(cost, theta):
    line = check_gradient(cost, theta).line
    assert re.fullmatch(
        r"Gradient check: pass, largest relative error \d\.\de-\d\d \(Theta\d (weights|biases)\), "
        r"51 of 51 parameters\.",
        line,
    )


def test_the_line_of_a_failure_names_entry_and_numbers(make, cost, theta):
    wrong = make.changed(cost, make.change_entry(15, lambda g: -g))
    g = float(cost(theta)[1][15])
    line = check_gradient(wrong, theta).line
    assert line.startswith("Gradient check: fail, relative error ")
    assert f"at Theta1[3, 0] (analytic {-g:.6g}, numerical {g:.6g}), 51 of 51 parameters." in line


def test_the_table_is_aligned_and_starts_with_the_verdict(cost, theta):
    report = check_gradient(cost, theta)
    first, header, *rows = str(report).splitlines()
    assert first == report.line
    assert [row.split("  ")[0] for row in rows] == [block.name for block in report.blocks]
    column = header.index("verdict")
    assert {row[column : column + 4] for row in rows} == {"pass"}


def test_blocks_state_their_numbers(make, cost, theta):
    gradient = cost(theta)[1]
    report = check_gradient(cost, theta)
    biases, weights, *_ = report.blocks
    G = cost.network.thetas(gradient)[0]
    assert (biases.n_parameters, weights.n_parameters) == (6, 24)
    np.testing.assert_allclose(biases.scale, np.abs(G[:, 0]).max(), rtol=1e-8)
    np.testing.assert_allclose(weights.scale, np.abs(G[:, 1:]).max(), rtol=1e-8)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.verdict = "pass"
    np.testing.assert_allclose(report.value, float(cost.value(theta)), rtol=1e-15)


def test_the_relative_error_is_that_of_the_definition():
    report = check_gradient(lambda t: (t.sum(), np.array([1.0, 1.0, 4.0])), np.zeros(3))
    assert report.worst.worst == "theta[2]"
    np.testing.assert_allclose(report.relative_error, 3.0 / 4.0, rtol=1e-9)
    np.testing.assert_allclose(report.worst.scale, 4.0, rtol=1e-9)
    report = check_gradient(lambda t: (4 * t.sum(), np.array([4.0, 4.0, 1.0])), np.zeros(3))
    np.testing.assert_allclose(report.relative_error, 3.0 / 4.0, rtol=1e-9)


def test_raise_on_failure(make, cost, theta):
    check_gradient(cost, theta).raise_on_failure()
    report = check_gradient(make.changed(cost, make.change_entry(3, lambda g: -g)), theta)
    with pytest.raises(GradientError, match=r"Theta1\[0, 3\]") as caught:
        report.raise_on_failure()
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, SymbreakError)


def test_a_part_can_be_drawn(make, cost, theta):
    few = check_gradient(cost, theta, max_per_block=5)
    assert few.n_checked == 5 + 5 + 3 + 5
    assert "18 of 51 parameters" in few.line
    assert "5 of 24" in str(few)
    assert str(check_gradient(cost, theta, max_per_block=5)) == str(few)
    assert check_gradient(cost, theta, max_per_block=1000).n_checked == 51


def test_no_entry_is_drawn_twice(cost):
    for group in groups_of(cost.blocks, 5, seed=0):
        assert len(set(group.indices)) == min(5, group.n_parameters)
    assert [group.n_parameters for group in groups_of(cost.blocks, 5, seed=0)] == [6, 24, 3, 18]


def test_seeds_draw_other_entries_and_all_of_them_in_the_end(make, cost, theta):
    wrong = make.changed(cost, make.change_entry(15, lambda g: 3.0 * g))
    verdicts = [check_gradient(wrong, theta, max_per_block=2, seed=s).verdict for s in range(20)]
    assert {"pass", "fail"} == set(verdicts)
    assert 2 <= verdicts.count("fail") <= 14  # 2 of 6 biases each time


def test_evaluations_are_counted(theta, cost):
    n = len(theta)
    assert check_gradient(cost, theta).n_evaluations == 2 * n + 9
    assert check_gradient(cost, np.tile(theta, (3, 1))).n_evaluations == 3 * (2 * n + 9)


def test_blocks_name_the_parts_of_a_function(cost, theta):
    report = check_gradient(lambda t: cost(t), theta, blocks=cost.blocks)
    assert [block.name for block in report.blocks] == [
        "Theta1 biases", "Theta1 weights", "Theta2 biases", "Theta2 weights",
    ]  # fmt: skip


def test_starts_are_reported_only_for_a_stack(cost, theta):
    assert check_gradient(cost, theta).start is None
    assert check_gradient(cost, theta[None]).start == 0


def test_lists_are_accepted():
    assert check_gradient(square, [1.0, 2.0]).verdict == "pass"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"step": True}, "step of check_gradient must be a positive number"),
        ({"step": 0.0}, "step of check_gradient must be a positive number"),
        ({"step": float("nan")}, "step of check_gradient must be a positive number"),
        ({"step": "small"}, "step of check_gradient must be a positive number"),
        ({"step": 1e-30}, "large enough to change every parameter"),
        ({"max_per_block": 0}, "max_per_block of check_gradient must be an integer"),
        ({"max_per_block": 2.5}, "max_per_block of check_gradient must be an integer"),
        ({"max_per_block": True}, "max_per_block of check_gradient must be an integer"),
        ({"directions": 0}, "directions of check_gradient must be an integer of at least 1"),
        ({"method": "coordinate"}, "Did you mean 'coordinates'"),
        ({"method": "directions", "step": 1e-5}, "step of check_gradient must come with method="),
        (
            {"method": "directions", "max_per_block": 5},
            "max_per_block of .* must come with method=",
        ),
        ({"seed": -1}, "seed of check_gradient must be an integer"),
    ],
)
def test_bad_arguments_get_one_sentence(change, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        sb.check_gradient(square, np.ones(3), **{"method": "coordinates", **change})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_theta_that_is_not_finite_is_refused(bad):
    with pytest.raises(InvalidInput, match="theta of check_gradient must be finite"):
        check_gradient(square, np.array([1.0, bad]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_J_that_is_not_finite_is_refused(bad):
    with pytest.raises(InvalidInput, match="J of check_gradient must be finite at theta"):
        check_gradient(lambda theta: (bad, theta), np.ones(2))


def test_a_theta_of_another_size_is_refused(cost):
    with pytest.raises(InvalidInput, match=r"must be of shape \(51,\)"):
        check_gradient(cost, np.ones(50))
    with pytest.raises(InvalidInput, match=r"must be of shape \(51,\)"):
        check_gradient(square, np.ones(50), blocks=cost.blocks)


def test_a_gradient_of_another_size_is_refused(make, cost, theta):
    with pytest.raises(InvalidInput, match=r"gradient of shape \(2,\)"):
        check_gradient(lambda theta: (1.0, np.ones(3)), np.ones(2))
    short = make.changed(cost, lambda theta, gradient: gradient[..., :-1])
    with pytest.raises(InvalidInput, match=r"gradient of shape \(1, 51\).*\(1, 50\)"):
        check_gradient(short, theta)


def test_a_function_that_changes_its_theta_is_refused():
    def objective(theta):
        value, gradient = (theta**2).sum(), 2 * theta
        theta[:] = 7.0
        return value, gradient

    theta = np.array([1.0, 2.0])
    with pytest.raises(InvalidInput, match="must leave the theta that it is given as it is"):
        check_gradient(objective, theta)
    assert theta.tolist() == [1.0, 2.0]


def test_what_is_no_objective_is_refused():
    with pytest.raises(InvalidType, match="objective must be"):
        check_gradient(3, np.ones(2))


def test_a_function_that_only_takes_float32_is_told_why(torch):
    X = torch.ones(4, 3)

    def objective(theta):
        return (X @ theta).sum(), X.sum(0)

    with pytest.raises(InvalidInput, match="must accept theta in float64 too"):
        check_gradient(objective, torch.ones(3))


def test_an_objective_without_float64_is_refused(make, cost, theta):
    class Single(make.changed):  # type: ignore[name-defined]  # a class made by a fixture
        dtype = "float32"
        to = property()

        def __init__(self, cost):
            self.cost, self.blocks = cost, cost.blocks
            self.change, self.scale = (lambda theta, gradient: gradient), 1.0

    with pytest.raises(InvalidInput, match=r"offer to\('float64'\)"):
        check_gradient(Single(cost), theta)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda t: (t @ t, None), "The gradient of the objective function must be an array of"),
        (lambda t: (t @ t, ["a", "b"]), "The gradient of the objective function must be an array"),
        (lambda t: (t @ t, 2 * t + 5j), "real numbers. Got complex128"),
        (lambda t: (t @ t + 5j, 2 * t), "J of the objective function must be an array of real"),
        (lambda t: (None, 2 * t), "J of the objective function must be an array of real numbers"),
        (lambda t: (t @ t, [[1.0], [2.0, 3.0]]), "The gradient of the objective function must be"),
    ],
)
def test_what_a_function_returns_is_refused_in_one_sentence(answer, said):
    with pytest.raises(InvalidType, match=re.escape(said)):
        check_gradient(answer, np.ones(2))


@pytest.mark.parametrize("theta", [3.0, np.array(3.0), None, "abc"])
def test_theta_that_is_no_vector_is_refused(theta):
    with pytest.raises(InvalidInput, match=r"theta of check_gradient must be of shape \(n,\)"):
        check_gradient(lambda t: (t @ t, 2 * t), theta)


def test_no_blocks_are_refused():
    with pytest.raises(InvalidInput, match="blocks of check_gradient must hold at least one"):
        check_gradient(lambda t: (t @ t, 2 * t), np.ones(2), blocks=[])
