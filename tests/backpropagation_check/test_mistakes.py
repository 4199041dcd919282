"""Every mistake is made on purpose and is named at its stage, with its cause."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbreak as sb
from tests.backpropagation_check.learner import (
    ACTIVATIONS,
    Learner,
    check,
    loss_of,
    problem,
    sigmoid,
)

ONE = (4, 5, 3)
TWO = (4, 5, 5, 3)


def change(step, formula):
    return {step: formula}


def without_bias(me, layer):
    return me.Theta[layer - 1][:, 1:] @ me.a[layer - 1]


def one_last(me, layer):
    return me.Theta[layer - 1] @ np.vstack([me.a[layer - 1], np.ones((1, me.m))])


def weights_transposed(me, layer):
    Theta = me.Theta[layer - 1]
    return Theta[:, 1:].T @ me.a[layer - 1] + Theta[:, :1]


def from_z(me, layer):
    return me.Theta[layer - 1] @ np.vstack([np.ones((1, me.m)), me.z[layer - 1]])


def already_activated(me, layer):
    return me.g(layer)(me.right("z", layer))


def read_by_columns(me, layer):
    Theta = me.Theta[layer - 1]
    return Theta.ravel().reshape(Theta.shape, order="F") @ me.with_one(layer - 1)


FORWARD = [
    ("z", 2, without_bias, r"z\(2\) lacks the bias unit"),
    ("z", 3, without_bias, r"z\(3\) lacks the bias unit"),
    ("z", 2, one_last, r"the bias unit of a\(1\) is put last"),
    ("z", 3, weights_transposed, r"Theta2 is transposed in z\(3\), its weights"),
    ("z", 3, from_z, r"z\(3\) is computed from z\(2\) instead of a\(2\)"),
    ("z", 2, already_activated, r"the activation is already applied: z\(2\)"),
    ("z", 2, lambda me, k: me.right("z", k) + me.Theta[k - 1][:, :1], r"the bias is added twice"),
    ("z", 2, lambda me, k: me.right("z", k) - 2 * me.Theta[k - 1][:, :1], r"bias is subtracted"),
    ("z", 3, read_by_columns, r"Theta2 is unrolled row by row but read column by column"),
    ("a", 2, lambda me, k: me.z[k], r"the activation is not applied: a\(2\) is z\(2\)"),
    ("a", 2, lambda me, k: me.g(k)(me.g(k)(me.z[k])), r"the activation is applied twice in a\(2\)"),
    ("a", 3, lambda me, k: sigmoid(me.z[k]), r"a\(3\) is sigmoid\(z\(3\)\), but the net"),
    ("a", 3, lambda me, k: me.slope(k)(me.z[k]), r"a\(3\) is the derivative"),
    ("a", 4, lambda me, k: np.tanh(me.z[k]), r"tanh is applied to the output z\(4\)"),
    ("a", 4, lambda me, k: me.z[k], r"the activation is not applied: a\(4\) is z\(4\)"),
    ("a", 4, lambda me, k: (np.exp(me.z[k].T) / np.exp(me.z[k].T).sum(axis=0)).T,
     r"soft-max sums over the examples"),
    ("a", 4, lambda me, k: np.exp(me.z[k]), r"not divided by its sum over the outputs"),
]  # fmt: skip


def below(me, layer):
    return me.Theta[layer][:, 1:].T @ me.delta[layer + 1]


def at_a(me, layer):
    return below(me, layer) * me.slope(layer)(me.a[layer])


def wrong_row(me, layer):
    return me.Theta[layer][:, :-1].T @ me.delta[layer + 1] * me.slope(layer)(me.z[layer])


def not_transposed(me, layer):
    return me.Theta[layer][:, 1:] @ me.delta[layer + 1] * me.slope(layer)(me.z[layer])


def slope_of_above(me, layer):
    return me.Theta[layer][:, 1:].T @ (me.delta[layer + 1] * me.slope(3)(me.z[3]))


def without_theta(me, layer):
    return me.delta[layer + 1] * me.slope(layer)(me.z[layer])


def of_sigmoid(me, layer):
    return below(me, layer) * me.a[layer] * (1 - me.a[layer])


BACKWARD = [
    ("delta", 4, lambda me, k: me.y - me.a[k], r"delta\(4\) has the wrong sign: y - a\(4\)"),
    ("delta", 4, lambda me, k: me.right("delta", k) * me.a[k] * (1 - me.a[k]),
     r"delta\(4\) has the factor g'\(z\(4\)\), which the loss cancels"),
    ("delta", 4, lambda me, k: me.right("delta", k) * (1 - np.tanh(me.z[k]) ** 2),
     r"delta\(4\) has a factor g'\(z\(4\)\), that of tanh"),
    ("delta", 4, lambda me, k: me.right("delta", k) / (me.a[k] * (1 - me.a[k])),
     r"delta\(4\) lacks the factor g'\(z\(4\)\): it is the derivative by a\(4\)"),
    ("delta", 4, lambda me, k: me.right("delta", k) / me.m, r"delta\(4\) is divided by m"),
    ("delta", 4, lambda me, k: 2 * me.right("delta", k), r"delta\(4\) has a factor 2"),
    ("delta", 4, lambda me, k: me.a[k], r"y is not subtracted in delta\(4\)"),
    ("delta", 4, lambda me, k: me.z[k] - me.y, r"delta\(4\) is z\(4\) - y"),
    ("delta", 4, lambda me, k: me.a[k] - me.y.argmax(axis=0), r"y is the class index in delta"),
    ("delta", 3, below, r"delta\(3\) lacks the factor g'\(z\(3\)\)$"),
    ("delta", 2, below, r"delta\(2\) lacks the factor g'\(z\(2\)\)$"),
    ("delta", 2, at_a, r"g' is taken at a\(2\) instead of z\(2\)"),
    ("delta", 3, at_a, r"g' is taken at a\(3\) instead of z\(3\)"),
    ("delta", 3, wrong_row, r"the wrong row is dropped in delta\(3\).* column 0 of Theta3"),
    ("delta", 2, lambda me, k: below(me, k) * me.a[k], r"the factor g\(z\(2\)\) instead of g'"),
    ("delta", 2, not_transposed, r"Theta2 is not transposed in delta\(2\)"),
    ("delta", 2, without_theta, r"delta\(2\) lacks the product with Theta2"),
    ("delta", 2, slope_of_above, r"the factor g'\(z\(3\)\) instead of g'\(z\(2\)\)"),
    ("delta", 2, lambda me, k: -me.right("delta", k), r"delta\(2\) has the wrong sign"),
    ("delta", 2, lambda me, k: below(me, k) * (1 - me.z[k] ** 2),
     r"g' in delta\(2\) is a formula for a\(2\), such as a \(1 - a\), but is given z\(2\)"),
    ("delta", 2, of_sigmoid, r"the derivative of sigmoid, but the net has another"),
    ("delta", 3, lambda me, k: me.right("delta", k) * me.slope(k)(me.z[k]), r"z\(3\)\) twice"),
]  # fmt: skip


def mean(me, layer):
    return me.delta[layer + 1] @ me.with_one(layer).T / me.m


def penalty(me, layer):
    return me.alpha / me.m * me.weights(layer)


def bias_times(factor):
    def formula(me, layer):
        found = mean(me, layer)
        found[:, 0] *= factor
        return found + penalty(me, layer)

    return formula


def gradient_from_z(me, layer):
    one = np.vstack([np.ones((1, me.m)), me.z[layer]])
    return me.delta[layer + 1] @ one.T / me.m + penalty(me, layer)


def overwritten(me, layer):
    last = me.delta[layer + 1][:, -1:] @ me.with_one(layer)[:, -1:].T
    return last / me.m + penalty(me, layer)


GRADIENTS = [
    (lambda me, k: me.m * mean(me, k) + penalty(me, k), r"sum over examples is not divided by m"),
    (lambda me, k: me.m * me.right("gradients", k), r"is not divided by m, nor is its penalty"),
    (lambda me, k: mean(me, k) / me.m + penalty(me, k), r"is divided by m twice"),
    (mean, r"the penalty is missing in the gradient of Theta2"),
    (lambda me, k: mean(me, k) + 2 * penalty(me, k), r"the penalty counts twice"),
    (lambda me, k: mean(me, k) + penalty(me, k) / 2, r"the penalty counts half"),
    (lambda me, k: mean(me, k) - penalty(me, k), r"the penalty has the wrong sign"),
    (lambda me, k: mean(me, k) + me.m * penalty(me, k), r"the penalty is not divided by m"),
    (lambda me, k: mean(me, k) + me.alpha / me.m * me.Theta[k], r"bias column is regularised"),
    (bias_times(0.0), r"the gradient of the bias is zero in Theta2"),
    (bias_times(-1.0), r"the gradient of the bias has the wrong sign in Theta2"),
    (bias_times(7.0), r"the gradient of the bias is not divided by m in Theta2"),
    (gradient_from_z, r"takes z\(2\) instead of a\(2\)"),
    (overwritten, r"last example alone, divided by m: the sum is overwritten"),
    (lambda me, k: -me.right("gradients", k), r"the gradient of Theta2 has the wrong sign"),
    (lambda me, k: np.roll(mean(me, k), -1, axis=1) + penalty(me, k), r"bias column .* is last"),
    (lambda me, k: me.m * mean(me, k), r"is not divided by m.*, and the penalty is missing"),
    (lambda me, k: me.right("gradients", k).T, r"the gradient of Theta2 is transposed"),
    (lambda me, k: me.right("gradients", k)[:, 1:], r"Theta2 lacks the bias column"),
]


def total(me):
    return sum((me.Theta[layer] ** 2).sum() for layer in me.Theta)


COSTS = [
    (lambda me, _: me.losses().sum() + me.penalty(), r"sum over examples is not divided by m in J"),
    (lambda me, _: me.m * me.right("J", 0), r"not divided by m in J, nor is the penalty"),
    (lambda me, _: me.losses().mean() / me.m + me.penalty(), r"divided by m a second time in J"),
    (lambda me, _: me.losses().mean(), r"J lacks the penalty"),
    (lambda me, _: me.losses().sum(), r"not divided by m in J, and J lacks the penalty"),
    (lambda me, _: me.losses().mean() + me.alpha / (2 * me.m) * total(me),
     r"the bias column is regularised in J"),
    (lambda me, _: me.losses().mean() + 2 * me.penalty(), r"the penalty counts twice in J"),
    (lambda me, _: me.losses().mean() + me.penalty() / 2, r"the penalty counts half in J"),
    (lambda me, _: me.losses().mean() - me.penalty(), r"the penalty has the wrong sign in J"),
    (lambda me, _: me.losses().mean() + me.m * me.penalty(), r"penalty is not divided by m in J"),
    (lambda me, _: -me.losses().mean() + me.penalty(), r"J has the wrong sign"),
    (lambda me, _: me.losses().mean() / 3 + me.penalty(), r"divided by the number of outputs"),
    (lambda me, _: 0.5 * ((me.a[me.L] - me.y) ** 2).sum() / me.m + me.penalty(),
     r"J is the squared error"),
]  # fmt: skip


def expect(report, stage, cause):
    assert report.verdict == "fail", str(report)
    assert report.first_wrong.name == stage, str(report)
    assert re.search(cause, report.first_wrong.cause), str(report)


@pytest.mark.parametrize(("step", "layer", "formula", "cause"), FORWARD + BACKWARD)
def test_a_mistake_in_a_net_with_two_hidden_layers(step, layer, formula, cause):
    report = check(problem(TWO), change(step, formula), at=layer)
    expect(report, f"{step}({layer})", cause)


@pytest.mark.parametrize(
    ("factor", "cause"),
    [
        (lambda a, z: z * (1 - z), r"g' in delta\(2\) is a formula for a\(2\).* is given z\(2\)"),
        (lambda a, z: 1 - a, r"the factor 1 - a\(2\) instead of a\(2\) \(1 - a\(2\)\)"),
        (lambda a, z: 1 - a**2, r"the factor 1 - a\(2\)², the derivative of tanh"),
    ],
)
def test_a_wrong_derivative_of_sigmoid(factor, cause):
    wrong = change("delta", lambda me, k: below(me, k) * factor(me.a[k], me.z[k]))
    expect(check(problem(ONE, "sigmoid"), wrong, at=2), "delta(2)", cause)


IN_A_VECTOR = [
    (change("delta", lambda me, k: me.y - me.a[k]), r"delta\(3\) has the wrong sign"),
    (change("gradients", lambda me, k: me.m * me.right("gradients", k)), r"not divided by m"),
    (change("gradients", lambda me, k: mean(me, k) - penalty(me, k)), r"has the wrong sign"),
    (change("gradients", mean), r"penalty is missing"),
    (change("delta", lambda me, k: me.right("delta", k) * me.a[k] * (1 - me.a[k])),
     r"g'\(z\(3\)\), which the loss cancels"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "cause"), IN_A_VECTOR)
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("seed", range(4))
def test_a_mistake_in_an_unrolled_gradient_is_named_in_the_order_it_lies_in(
    wrong, cause, order, seed
):
    """Values that are wrong fit no order well: the mistake itself tells which one it is."""
    net, theta, X, y = problem(ONE, "sigmoid", "binary_cross_entropy", seed=seed)
    at = 3 if "delta" in wrong else None
    learner = Learner(net, wrong, at)

    def unrolled(thetas, X, y, alpha):
        gradients = learner(thetas, X, y, alpha)["gradients"]
        return np.concatenate([one.ravel(order=order) for one in gradients])

    report = sb.check_backpropagation(unrolled, net, theta, X, y, alpha=1.0)
    assert report.first_wrong is not None
    assert re.search(cause, report.first_wrong.cause), str(report)
    words = "column after column" if order == "F" else "row after row"
    assert f"gradients: one vector, {words}, bias column first" in report.layout


NEED_TWO = (not_transposed, slope_of_above, without_theta)
WITH_ONE = [case for case in FORWARD + BACKWARD if case[1] != 3 and case[2] not in NEED_TWO]


@pytest.mark.parametrize(("step", "layer", "formula", "cause"), WITH_ONE)
def test_a_mistake_in_a_net_with_one_hidden_layer(step, layer, formula, cause):
    """The same in 4-5-3: what is wrong in layer 4 there is in layer 3 here."""
    layer, cause = min(layer, 3), re.sub(r"\b4\b", "3", cause)
    expect(check(problem(ONE), change(step, formula), at=layer), f"{step}({layer})", cause)


@pytest.mark.parametrize(("formula", "cause"), GRADIENTS)
@pytest.mark.parametrize("layers", [(4, 4, 5, 3), (4, 4, 5)], ids=str)
def test_a_mistake_in_a_gradient(formula, cause, layers):
    report = check(problem(layers), change("gradients", formula), at=2)
    expect(report, "gradient of Theta2", cause)


@pytest.mark.parametrize(("formula", "cause"), COSTS)
@pytest.mark.parametrize("layers", [ONE, TWO], ids=str)
def test_a_mistake_in_J(formula, cause, layers):
    report = check(problem(layers), change("J", formula))
    expect(report, "J", cause)
    assert [stage.verdict for stage in report.stages].count("fail") == 1


def test_J_without_the_second_term_and_without_the_half():
    def one_term(me, _):
        return -(me.y * np.log(me.a[me.L])).sum() / me.m + me.penalty()

    expect(check(problem(ONE, loss="binary_cross_entropy"), change("J", one_term)), "J",
           r"J lacks the term \(1 - y\) log\(1 - a\)")  # fmt: skip

    def no_half(me, _):
        return 2 * loss_of("squared_error", me.a[me.L], me.y).mean() + me.penalty()

    report = check(problem(ONE, loss="squared_error"), change("J", no_half))
    expect(report, "J", r"J lacks the factor 1/2 of the squared error")


def test_the_activation_is_applied_to_the_output_of_a_regression():
    report = check(
        problem(ONE, "sigmoid", "squared_error"), change("a", lambda me, k: sigmoid(me.z[k])), at=3
    )
    expect(report, "a(3)", r"sigmoid is applied to the output z\(3\)")


@pytest.mark.parametrize(
    ("activation", "other"), [("sigmoid", "tanh"), ("relu", "elu"), ("silu", "softplus")]
)
def test_the_derivative_of_another_activation(activation, other):
    def wrong(me, layer):
        return below(me, layer) * ACTIVATIONS[other][1](me.z[layer])

    report = check(problem(TWO, activation), change("delta", wrong), at=2)
    expect(report, "delta(2)", f"has the derivative of {other}")


def test_the_gradients_in_the_wrong_order():
    swapped = change("gradients", lambda me, k: me.right("gradients", 3 - k))
    for layers in [(4, 5, 3), (4, 4, 4)]:
        net, theta, X, y = problem(layers)
        report = check((net, theta, X, y), swapped)
        expect(report, "gradient of Theta1", "in the wrong order")


def test_a_transposed_gradient_beside_a_square_one():
    """Theta1 is 5 x 5: read transposed as well, both shapes would fit."""
    turned = change("gradients", lambda me, k: me.right("gradients", k).T)
    expect(check(problem((4, 5, 3)), turned, at=2), "gradient of Theta2", "is transposed")
    expect(check(problem((4, 5, 3)), turned, at=1), "gradient of Theta1", "is transposed")


def test_a_bias_row_that_is_not_dropped_before_the_product():
    def with_bias_row(me, layer):
        extra = np.ones((1, me.m))
        return np.vstack([extra, me.delta[layer + 1]]) @ me.with_one(layer).T / me.m

    report = check(problem(ONE), change("gradients", with_bias_row), at=1)
    expect(report, "gradient of Theta1", r"the bias row of delta\(2\) is not dropped")


# Of a(4), and of a delta(4) divided by m, other mistakes give the same gradients.
ONLY_GRADIENTS = [
    case
    for case in FORWARD + BACKWARD
    if case[:2] != ("a", 4) and not case[3].endswith("by m") and (case[0] == "delta" or case[1] > 2)
]


@pytest.mark.parametrize(("step", "layer", "formula", "cause"), ONLY_GRADIENTS)
def test_a_mistake_is_named_where_only_the_gradients_are_returned(step, layer, formula, cause):
    report = check(problem(TWO), change(step, formula), at=layer, only=["gradients"])
    assert report.verdict == "fail"
    assert any(re.search(cause, said) for said in all_causes(report)), str(report)


def all_causes(report):
    wrong = report.first_wrong
    return (wrong.cause, *wrong.also_fits)


def test_the_same_mistake_in_every_layer_is_named_from_the_gradients_alone():
    report = check(problem(TWO), {"delta": lambda me, k: me.right("delta", k)}, only=["gradients"])
    assert report.verdict == "pass"

    def lacking(me, k):
        return me.right("delta", k) if k == me.L else below(me, k)

    report = check(problem(TWO), change("delta", lacking), only=["gradients"])
    expect(report, "gradient of Theta1", r"delta\(3\) lacks the factor g'\(z\(3\)\), and so in")
    by_name = {stage.name: stage for stage in report.stages}
    assert by_name["gradient of Theta2"].cause == "delta(3) lacks the factor g'(z(3))"


def test_of_mistakes_that_fit_the_one_that_explains_both_gradients_comes_first():
    mistake = change("delta", lambda me, k: -me.right("delta", k))
    report = check(problem(ONE), mistake, at=3, only=["gradients"])
    causes = {stage.name: stage.cause for stage in report.stages if stage.verdict == "fail"}
    sign = "delta(3) has the wrong sign: y - a(3) instead of a(3) - y"
    assert causes == {"gradient of Theta1": sign, "gradient of Theta2": sign}
    assert "delta(2) has the wrong sign" in all_causes(report)


def test_what_follows_from_a_wrong_stage_is_marked_so():
    report = check(problem(TWO), change("z", without_bias), at=3)
    by_name = {stage.name: stage for stage in report.stages}
    assert by_name["z(2)"].verdict == by_name["a(2)"].verdict == "pass"
    assert by_name["a(3)"].cause == "consistent with the wrong z(3) before it"
    assert by_name["a(3)"].depends_on == "z(3)"
    for name in ("z(4)", "a(4)", "J", "delta(4)", "delta(3)", "delta(2)", "gradient of Theta1"):
        assert by_name[name].verdict == "fail"
        assert by_name[name].cause.startswith("consistent with the wrong ")


def test_a_second_mistake_is_found_behind_the_first():
    report = check(problem(TWO), {"z": without_bias, "delta": below}, at=3)
    by_name = {stage.name: stage for stage in report.stages}
    assert by_name["z(3)"].cause == "z(3) lacks the bias unit"
    assert by_name["delta(3)"].cause == "delta(3) lacks the factor g'(z(3))"
    assert by_name["delta(3)"].depends_on == "delta(4)"


def test_a_mistake_in_what_was_computed_from_other_values_than_returned():
    """delta(3) is divided by m only after delta(2) was computed from it."""
    net, theta, X, y = problem(TWO)

    def my_function(thetas, X, y, alpha):
        delta = Learner(net, {"delta": below}, 2)(thetas, X, y, alpha)["delta"]
        return {"delta": [delta[0], delta[1] / len(X), delta[2]]}

    report = sb.check_backpropagation(my_function, net, theta, X, y, 0.7)
    by_name = {stage.name: stage for stage in report.stages}
    assert by_name["delta(3)"].cause.startswith("delta(3) is divided by m")
    assert by_name["delta(2)"].cause == "delta(2) lacks the factor g'(z(2))"


def test_a_mistake_in_J_where_the_output_is_saturated():
    """1 - a of one example is 0 in float64; J must come from z, without a logarithm of 0."""
    net, theta, X, y = problem((1, 1), loss="binary_cross_entropy", m=200)
    theta[:] = [0.0, 1.0]
    X[0], y[0] = 40.0, 0.0

    def my_function(thetas, X, y, alpha):
        z = X @ thetas[0][:, 1:].T + thetas[0][:, 0]
        return {"a": [sigmoid(z)], "J": np.sum(np.logaddexp(0.0, z) - y * z)}

    report = sb.check_backpropagation(my_function, net, theta, X, y)
    expect(report, "J", "the sum over examples is not divided by m in J")


def test_the_bias_unit_of_a_is_where_the_ones_are():
    net, theta, X, y = problem(ONE, "sigmoid")

    def my_function(thetas, X, y, alpha):
        a = np.zeros((6, len(X)))
        a[0] = 1.0
        return {"a": {2: a}}

    report = sb.check_backpropagation(my_function, net, theta, X, y)
    assert report.layout == ("a: by layer, units x examples, bias unit first",)
    expect(report, "a(2)", r"a\(2\) is zero everywhere")


def test_what_is_no_known_mistake_is_described():
    def one_unit(me, layer):
        found = me.right("delta", layer)
        found[1] += 0.1
        return found

    expect(check(problem(TWO), change("delta", one_unit), at=2), "delta(2)",
           r"no known mistake fits: 7 of 35 entries differ, all of unit 2")  # fmt: skip

    def one_example(me, layer):
        found = me.right("delta", layer)
        found[:, 4] += 0.1
        return found

    expect(check(problem(TWO), change("delta", one_example), at=2), "delta(2)",
           r"no known mistake fits: 5 of 35 entries differ, all in example 5")  # fmt: skip
    tripled = change("delta", lambda me, k: 3 * me.right("delta", k))
    expect(check(problem(TWO), tripled, at=2), "delta(2)", r"is 3 times what it should be")
    nothing = change("delta", lambda me, k: 0 * me.right("delta", k))
    expect(check(problem(TWO), nothing, at=2), "delta(2)", r"delta\(2\) is zero everywhere")


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_size_of_the_data_does_not_change_what_is_found(scale):
    """X times scale and Theta1 divided by it: the gradient of Theta1 is scaled alone."""
    net, theta, X, y = problem(TWO)
    small = theta.copy()
    net.thetas(small)[0][:, 1:] /= scale
    for step, layer, formula, cause in BACKWARD:
        report = check((net, small, X * scale, y), change(step, formula), at=layer, alpha=0.0)
        expect(report, f"{step}({layer})", cause)
    for formula, cause in [GRADIENTS[0], GRADIENTS[9], GRADIENTS[12]]:
        report = check((net, small, X * scale, y), change("gradients", formula), at=2, alpha=0.0)
        expect(report, "gradient of Theta2", cause)
    zero_bias = check(
        (net, small, X * scale, y), change("gradients", bias_times(0.0)), at=1, alpha=0
    )
    expect(zero_bias, "gradient of Theta1", "the gradient of the bias is zero in Theta1")


def test_small_derivatives_by_weights_do_not_hide_behind_those_by_biases():
    net, theta, X, y = problem(TWO)

    def doubled(me, layer):
        found = me.right("gradients", layer)
        found[:, 1:] *= 2
        return found

    case = net, theta, X * 1e-8, y
    report = check(case, change("gradients", doubled), at=1, alpha=0.0)
    expect(report, "gradient of Theta1", "no known mistake fits")


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_size_of_J_does_not_change_what_is_found(scale):
    """A linear output with y and the last Theta times scale: J goes with its square."""
    net, theta, X, y = problem(TWO, loss="squared_error")
    net.thetas(theta)[-1][:] *= scale
    assert check((net, theta, X, y * scale)).verdict == "pass"
    for formula, cause in [COSTS[0], COSTS[2], COSTS[10]]:
        report = check((net, theta, X, y * scale), change("J", formula), alpha=0.0)
        expect(report, "J", cause)
    for layer, formula, cause in [(3, below, r"lacks the factor"), (2, at_a, r"at a\(2\)")]:
        report = check((net, theta, X, y * scale), change("delta", formula), at=layer)
        expect(report, f"delta({layer})", cause)
