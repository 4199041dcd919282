"""Units that are one unit: equal in every weight in and out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.training import train
from symbreak.units import distinct_units, identical_units

NET = sb.Network((3, 4, 5, 2), loss="cross_entropy")


def random_theta(starts=2, seed=0):
    return np.random.default_rng(seed).normal(size=(starts, NET.n_parameters))


def copy_unit(theta, layer, source, target):
    """Give unit `target` of hidden layer `layer` (from 0) all weights of `source`, in and out."""
    thetas = NET.thetas(theta)
    thetas[layer][..., target, :] = thetas[layer][..., source, :]
    thetas[layer + 1][..., :, 1 + target] = thetas[layer + 1][..., :, 1 + source]


def test_random_units_are_all_distinct():
    assert [labels.tolist() for labels in identical_units(NET, random_theta())] == [
        [[0, 1, 2, 3]] * 2,
        [[0, 1, 2, 3, 4]] * 2,
    ]


@pytest.mark.parametrize("fill", [0.0, -0.0, 0.3])
def test_constant_starts_have_one_unit_in_each_layer(fill):
    counts = distinct_units(NET, np.full((3, NET.n_parameters), fill))
    assert [count.tolist() for count in counts] == [[1, 1, 1], [1, 1, 1]]


@given(st.integers(0, 1), st.integers(0, 3), st.integers(0, 3), st.integers(0, 9))
def test_a_copied_unit_gets_the_label_of_its_twin(layer, source, target, seed):
    theta = random_theta(seed=seed)
    copy_unit(theta[1], layer, source, target)  # the second start alone
    labels = identical_units(NET, theta)[layer]
    assert labels[1, source] == labels[1, target]
    sizes = (4, 5)
    counts = distinct_units(NET, theta)
    for each in range(2):
        assert counts[each][0] == sizes[each]
        assert counts[each][1] == sizes[each] - (each == layer and source != target)


def test_equal_in_alone_or_out_alone_is_not_equal():
    theta = random_theta(1)
    NET.thetas(theta)[0][:, 1] = NET.thetas(theta)[0][:, 0]
    NET.thetas(theta)[1][:, :, 3] = NET.thetas(theta)[1][:, :, 4]
    assert distinct_units(NET, theta)[0].tolist() == [4]


def test_a_difference_in_the_bias_or_of_one_rounding_counts():
    theta = np.full((2, NET.n_parameters), 0.3)
    NET.thetas(theta)[0][0, 2, 0] = 0.4
    NET.thetas(theta)[0][1, 2, 1] = np.nextafter(0.3, 1.0)
    assert distinct_units(NET, theta)[0].tolist() == [2, 2]
    assert identical_units(NET, theta)[0].tolist() == [[0, 0, 1, 0]] * 2


def test_minus_zero_is_zero():
    theta = np.zeros(NET.n_parameters)
    NET.thetas(theta)[0][1] = -0.0
    assert distinct_units(NET, theta)[0].tolist() == [1]


def test_a_vector_and_torch_are_welcome(torch):
    theta = random_theta(1)[0]
    expected = [labels.tolist() for labels in identical_units(NET, theta)]
    for other in (theta[None], torch.from_numpy(theta), torch.from_numpy(theta).requires_grad_()):
        assert [labels.tolist() for labels in identical_units(NET, other)] == expected


def test_without_hidden_layers_there_is_nothing_to_compare():
    assert identical_units(sb.Network((3, 1)), np.zeros(4)) == ()


@pytest.mark.parametrize("rule", ["zeros", "constant"])
def test_drawing_and_minimising_warn_each_at_its_own_line_in_its_own_words(rule):
    X, y = np.random.default_rng(0).normal(size=(9, 3)), np.arange(9) % 2
    cost = sb.NetworkCost(NET, X, y)

    def draw_and_minimise():
        theta = sb.initialize(NET, rule, starts=2)
        sb.minimize(cost, theta, max_iter=1)

    with pytest.warns(sb.SymmetryWarning) as caught:
        draw_and_minimise()
    drawn, minimised = caught
    assert (drawn.filename, minimised.filename) == (__file__, __file__)
    assert minimised.lineno == drawn.lineno + 1
    for warning in caught:
        for layer, units in ((1, 4), (2, 5)):
            assert f"hidden layer {layer} has 1 distinct unit of {units}" in str(warning.message)
    assert f"Rule '{rule}' starts all units" in str(drawn.message)
    assert "in 2 of 2 starts" in str(minimised.message)
    assert "even while J falls" in str(minimised.message)


def test_a_warning_points_to_the_line_of_the_user_however_deep_it_arises():
    """At a line of the package Python would show it once, and the next symmetric start never."""
    with pytest.warns(sb.SymmetryWarning) as caught:
        train(NET, np.eye(3), [0, 1, 1], rule="zeros", starts=2, max_iter=1)
    assert [warning.filename for warning in caught] == [__file__] * 2
