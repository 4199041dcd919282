"""The report reads well and is plain data; layouts are named; bad input gets one sentence."""

from __future__ import annotations

import dataclasses
import functools
import json
import re

import numpy as np
import pytest

import symbreak as sb
from symbreak.backpropagation_check import BackpropagationError, check_backpropagation
from symbreak.errors import InvalidInput, InvalidType, SymbreakError
from tests.backpropagation_check.learner import Learner, check, problem

TWO = (4, 5, 5, 3)


@pytest.fixture
def case():
    return problem(TWO)


def answering(net, change):
    """A learner whose right answer goes through `change`."""
    return lambda thetas, X, y, alpha: change(Learner(net)(thetas, X, y, alpha))


def checked(case, change, alpha=0.7):
    net, theta, X, y = case
    return sb.check_backpropagation(answering(net, change), net, theta, X, y, alpha)


def wrong_sign(case, **options):
    return check(case, {"delta": lambda me, k: -me.right("delta", k)}, at=4, **options)


def test_it_is_a_public_name():
    assert sb.check_backpropagation is check_backpropagation


def test_the_report_names_stage_entry_numbers_and_cause(case):
    report = wrong_sign(case)
    wrong = report.first_wrong
    assert (wrong.name, wrong.kind, wrong.layer, wrong.verdict) == ("delta(4)", "delta", 4, "fail")
    net, theta, X, y = case
    right = sb.backpropagate(net, theta, X, y).delta[-1]
    unit, example = np.unravel_index(np.abs(right).argmax(), right.shape)
    assert wrong.worst == f"unit {unit + 1}, example {example + 1}"
    np.testing.assert_allclose([wrong.ours, -wrong.theirs], right[unit, example], rtol=1e-12)
    np.testing.assert_allclose(wrong.relative_error, 2.0, rtol=1e-12)
    assert report.line == (
        "Back-propagation check: fail, first wrong at delta(4): delta(4) has the wrong sign: "
        "y - a(4) instead of a(4) - y, 13 of 13 stages returned."
    )


def test_the_stages_stand_in_the_order_of_computation(case):
    assert [stage.name for stage in check(case).stages] == [
        "z(2)", "a(2)", "z(3)", "a(3)", "z(4)", "a(4)", "J", "delta(4)", "delta(3)", "delta(2)",
        "gradient of Theta1", "gradient of Theta2", "gradient of Theta3",
    ]  # fmt: skip


def test_the_table_is_aligned_and_what_was_understood_follows(case):
    text = str(wrong_sign(case, only=["delta", "gradients"]))
    first, header, *rest = text.splitlines()
    assert first.startswith("Back-propagation check: fail")
    rows, column = rest[:6], header.index("verdict")
    assert {row[column : column + 4] for row in rows} == {"fail"}
    assert "gradient of Theta1: consistent with the wrong delta(2) before it." in rest
    assert "Not returned: z(2), a(2), z(3), a(3), z(4), a(4), J." in rest
    assert "Understood: gradients: matrices, bias column first." in rest


def test_it_is_frozen_and_plain_data(case):
    report = wrong_sign(case, only=["delta"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.verdict = "pass"
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["verdict"] == "fail"
    assert plain["first_wrong"] == "delta(4)"
    assert plain["stages"][0]["verdict"] == "not returned"
    assert plain["stages"][7]["cause"] == report.first_wrong.cause


def test_raise_on_failure(case):
    check(case).raise_on_failure()
    checked(case, lambda found: {"J": np.nan}).raise_on_failure()
    report = wrong_sign(case)
    with pytest.raises(BackpropagationError) as caught:
        report.raise_on_failure()
    assert str(caught.value) == str(report)
    assert isinstance(caught.value, SymbreakError | AssertionError)


def with_bias(arrays, side, value=1.0):
    def one(array):
        row = np.full((1, array.shape[1]), value)
        return np.vstack([row, array] if side == "first" else [array, row])

    return [one(array) for array in arrays]


LAYOUTS = [
    (lambda f: {"z": f["z"]}, "z: layers 2 to 4, units x examples, no bias unit"),
    (lambda f: {"z": [None, *f["z"]]}, "z: layers 1 to 4, units x examples, no bias unit"),
    (lambda f: {"z": [z.T for z in f["z"]]}, "z: layers 2 to 4, examples x units, no bias unit"),
    (lambda f: {"a": with_bias(f["a"], "first")},
     "a: layers 2 to 4, units x examples, bias unit first"),
    (lambda f: {"a": [one.T for one in with_bias(f["a"], "last")]},
     "a: layers 2 to 4, examples x units, bias unit last"),
    (lambda f: {"delta": f["delta"][::-1]},
     "delta: layers 2 to 4, the last layer first, units x examples, no bias unit"),
    (lambda f: {"delta": [np.zeros(1), *f["delta"]]},
     "delta: layers 1 to 4, units x examples, no bias unit"),
    (lambda f: {"delta": with_bias(f["delta"][:-1], "first", 0.2) + f["delta"][-1:]},
     "delta: layers 2 to 4, units x examples, bias unit first"),
    (lambda f: {"delta": {3: f["delta"][1]}}, "delta: by layer, units x examples, no bias unit"),
    (lambda f: {"z": {"z2": f["z"][0], "z4": f["z"][2]}},
     "z: by layer, units x examples, no bias unit"),
    (lambda f: f["gradients"], "gradients: matrices, bias column first"),
    (lambda f: (f["J"], [g.T for g in f["gradients"]]),
     "gradients: matrices, transposed, bias column first"),
    (lambda f: {"gradients": {"Theta2": f["gradients"][1]}},
     "gradients: matrices, bias column first"),
    (lambda f: np.concatenate([g.ravel() for g in f["gradients"]]),
     "gradients: one vector, row after row, bias column first"),
    (lambda f: np.concatenate([g.ravel() for g in f["gradients"]])[:, None],
     "gradients: one vector, row after row, bias column first"),
    (lambda f: np.concatenate([g.ravel(order="F") for g in f["gradients"]]).tolist(),
     "gradients: one vector, column after column, bias column first"),
    (lambda f: [np.roll(g, -1, axis=1) for g in f["gradients"]],
     "gradients: matrices, bias column last"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), LAYOUTS)
def test_the_layout_that_was_understood_is_said(case, change, said):
    report = checked(case, change)
    assert report.verdict == "pass", str(report)
    assert said in report.layout


def turned(turn, found):
    parts = {kind: [turn(one) for one in found[kind]] for kind in ("z", "a", "delta")}
    return {**found, **parts}


def test_values_decide_where_shapes_do_not():
    """Five examples of five units, five outputs: rows or columns both fit."""
    net, theta, X, y = problem((5, 5, 5, 5), m=5)
    for name in ("asarray", "transpose"):
        turn = getattr(np, name)
        report = checked((net, theta, X, y), functools.partial(turned, turn))
        assert report.verdict == "pass", str(report)


def test_one_unit_and_one_example_may_be_plain_vectors():
    net, theta, X, y = problem((4, 5, 1), loss="binary_cross_entropy")
    report = checked((net, theta, X, y), lambda f: {"a": [f["a"][0], f["a"][1][0]]})
    assert report.verdict == "pass"
    net, theta, X, y = problem((4, 5, 3), m=1)
    report = checked((net, theta, X, y), lambda f: {"a": [one[:, 0] for one in f["a"]]})
    assert report.verdict == "pass"


WRONG_SHAPES = [
    (lambda f: {"z": [f["z"][0][:3], *f["z"][1:]]}, "z(2)", "z(2) must be of shape (5, 7) or"),
    (lambda f: {"gradients": [*f["gradients"][:2], np.ones((2, 2))]}, "gradient of Theta3",
     "the gradient of Theta3 must be of shape (3, 6), but has shape (2, 2)"),
    (lambda f: [f["gradients"][0], f["gradients"][1].T, f["gradients"][2]], "gradient of Theta2",
     "the gradient of Theta2 is transposed, and the others are not"),
    (lambda f: np.ones(9), "gradient of Theta1", "the unrolled gradient must have 73 entries"),
    (lambda f: np.concatenate([g[:, 1:].ravel() for g in f["gradients"]]), "gradient of Theta1",
     "the gradient lacks the bias columns: it has 60 entries, theta has 73"),
    (lambda f: np.concatenate([g.ravel() for g in f["gradients"][::-1]]), "gradient of Theta1",
     "the gradients of the layers are in the wrong order"),
    (lambda f: {"J": np.ones(7)}, "J", "J must be one number, but has shape (7,)"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "stage", "cause"), WRONG_SHAPES)
def test_a_wrong_shape_is_a_mistake_of_its_stage(case, change, stage, cause):
    report = checked(case, change)
    assert report.verdict == "fail"
    assert report.first_wrong.name == stage
    assert report.first_wrong.cause.startswith(cause), report.first_wrong.cause


def test_nothing_comparable_or_not_finite_is_inconclusive(case):
    report = checked(case, lambda found: {})
    assert report.verdict == "inconclusive"
    assert "nothing that could be compared was returned" in report.line

    def with_nan(found):
        found["z"][1][2, 3] = np.nan
        return {"z": found["z"]}

    report = checked(case, with_nan)
    assert report.verdict == "inconclusive"
    assert "z(3) is not finite at unit 3, example 4" in report.line
    assert checked(case, lambda f: {"J": np.inf}).line.startswith(
        "Back-propagation check: inconclusive, J is not finite"
    )


def test_rounding_that_hides_everything_is_inconclusive():
    """a is 1 up to 4e-18, so that a - y is 0 in float64."""
    net, theta, X, y = problem((2, 1), loss="binary_cross_entropy", m=1)
    y[:] = 1.0
    theta[:] = [40.0, 0.0, 0.0]

    def naive(thetas, X, y):
        a = 1 / (1 + np.exp(-(X @ thetas[0][:, 1:].T + thetas[0][:, 0])))
        return {"delta": [a - y]}

    report = sb.check_backpropagation(naive, net, theta, X, y)
    assert report.verdict == "inconclusive", str(report)
    assert "rounding hides the difference" in report.line


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda thetas, X, y: X.__imul__(2.0), "X"),
        (lambda thetas, X, y: y.__iadd__(1), "y"),
        (lambda thetas, X, y: thetas[1].fill(0.0), "Theta2"),
        (lambda thetas, X, y: thetas.pop(), "the list of matrices"),
    ],
)
def test_a_function_that_changes_its_arguments_is_told(case, change, named):
    net, theta, X, y = case
    kept = [np.copy(one) for one in (theta, X, y)]

    def my_function(thetas, X, y, alpha):
        found = Learner(net)(list(thetas), X.copy(), y.copy(), alpha)
        found["a"] = found["a"][-1:]  # of which none is a view of what is changed
        change(thetas, X, y)
        return {"J": found["J"]}

    report = sb.check_backpropagation(my_function, net, theta, X, y, 0.7)
    assert report.verdict == "fail"
    assert report.first_wrong is None
    assert f"my_function changes {named} in place" in report.line
    for before, now in zip(kept, (theta, X, y), strict=True):
        np.testing.assert_array_equal(before, now)


def test_alpha_is_handed_on_to_functions_that_take_it(case):
    net, theta, X, y = case
    seen = []

    def named(thetas, X, y, *, alpha):
        seen.append(alpha)

    def default(thetas, X, y, lam=0.0):
        seen.append(lam)

    def collected(*arguments):
        seen.append(arguments[3])

    def verbose(thetas, X, y, verbose=False):
        seen.append(verbose)

    def without(thetas, X, y):
        seen.append(None)

    for function in (named, default, collected, verbose, without):
        with pytest.raises(InvalidType, match="Got None: does the function end with return"):
            sb.check_backpropagation(function, net, theta, X, y, 0.7)
    assert seen == [0.7, 0.7, 0.7, False, None]


REFUSED = [
    (lambda f: "gradients", InvalidType, "must return a dictionary .* Got str"),
    (lambda f: [], InvalidType, "Got an empty list"),
    (lambda f: {"deltas": f["delta"]}, InvalidInput, "Got 'deltas'. Did you mean 'delta'"),
    (lambda f: {"z": f["z"][:1]}, InvalidInput, r"z of my_function must hold 3 arrays .* Got 1"),
    (lambda f: {"a": f["a"] * 2}, InvalidInput, r"a of my_function must hold 3 arrays .* Got 6"),
    (lambda f: f["gradients"][:2], InvalidInput, "must be 3 matrices, one for each Theta.* Got 2"),
    (lambda f: {"z": {7: f["z"][0]}}, InvalidInput, "keys of z of my_function must be layers 1..4"),
    (lambda f: {"z": 3.0}, InvalidType, "z of my_function must be a list over layers"),
    (lambda f: {"z": f["z"][0]}, InvalidType, r"Got one array of shape \(5, 7\)"),
    (lambda f: {"z": ["a", "b", "c"]}, InvalidType, "must be an array of real numbers"),
    (lambda f: {"z": [[[1.0], [1.0, 2.0]]] * 3}, InvalidType, "must be an array of real numbers"),
    (lambda f: {"gradients": np.ones((3, 4))}, InvalidType, r"Got one array of shape \(3, 4\)"),
    (lambda f: {"J": "low"}, InvalidType, "J of my_function must be an array of real numbers"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSED)
def test_what_cannot_be_read_gets_one_sentence(case, change, error, message):
    with pytest.raises(error, match=message):
        checked(case, change)


def test_a_function_that_raises_is_told_with_its_error(case):
    net, theta, X, y = case

    def broken(thetas, X, y):
        return thetas[0] @ X

    with pytest.raises(InvalidInput, match="Got ValueError from it: matmul") as caught:
        sb.check_backpropagation(broken, net, theta, X, y)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(InvalidType, match=r"must be a function of thetas, X and y\. Got int"):
        sb.check_backpropagation(3, net, theta, X, y)


def test_arguments_that_do_not_fit_get_one_sentence(case):
    net, theta, X, y = case
    for bad, message in [
        ((net, theta[:-1], X, y), "theta must be of shape"),
        ((net, np.stack([theta, theta]), X, y), "must be one start"),
        ((net, theta * np.nan, X, y), "theta of check_backpropagation must be finite"),
        ((net, theta, X[:, 1:], y), "X of this network must be of shape"),
        ((net, theta, X, y[1:]), "equally many examples"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            check(bad)
    for alpha, message in [(-1.0, "alpha must be zero or a positive"), ([1.0], "must be one num")]:
        with pytest.raises(InvalidInput, match=message):
            check((net, theta, X, y), alpha=alpha)


def test_a_number_behind_the_gradients_is_refused_in_one_sentence():
    net, theta, X, y = problem((4, 5, 3))
    right = Learner(net)

    def turned(thetas, X, y, alpha):
        found = right(thetas, X, y, alpha)
        return found["gradients"], found["J"]

    with pytest.raises(InvalidInput, match=r"must return \(J, gradients\). Got the number second"):
        sb.check_backpropagation(turned, net, theta, X, y)


def test_at_zero_the_first_line_says_how_much_shows_nothing():
    net, theta, X, y = problem((4, 5, 3), "sigmoid")
    zero, drawn = (
        sb.check_backpropagation(Learner(net), net, point, X, y).line
        for point in (0.0 * theta, theta)
    )
    assert re.search(r", (\d+) of them zero at this theta, which shows nothing; take a ran", zero)
    assert "shows nothing" not in drawn
