"""Which units a picture of a network shows, and the classes of their weights."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.errors import InvalidInput
from symbreak.page import network_picture, plain

THETAS = [
    np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]]),
    np.array([[0.9, 0.4, 0.4, -0.4]]),
]


def test_all_of_a_small_network_is_shown():
    picture = plain(network_picture([(0, THETAS), (7, [2 * T for T in THETAS])]))
    assert [layer["units"] for layer in picture["layers"]] == [2, 3, 1]
    assert [layer["nodes"] for layer in picture["layers"]] == [
        ["+1", "x₁", "x₂"], ["+1", "a₁", "a₂", "a₃"], ["a₁"]
    ]  # fmt: skip
    assert picture["names"][1] == [["Theta2[0, 0]", "Theta2[0, 1]", "Theta2[0, 2]", "Theta2[0, 3]"]]
    first, second = picture["snapshots"]
    assert (first["updates"], second["updates"]) == (0, 7)
    assert first["weights"] == [T.tolist() for T in THETAS]
    assert first["classes"] == [[[1, 2, 3], [1, 2, 3], [0, 0, 0]], [[0, 4, 4, -4]]]


def test_classes_are_counted_over_all_layers():
    same = [np.full((2, 3), 0.5), np.full((2, 3), 0.5), np.full((1, 3), 0.5)]
    classes = network_picture([(0, same)])["snapshots"][0]["classes"]
    assert [set(Theta.ravel().tolist()) for Theta in classes] == [{1}, {2}, {3}]


def test_of_large_layers_a_part_is_shown_with_the_right_weights():
    Theta1 = np.arange(5 * 10.0).reshape(5, 10)
    Theta2 = np.arange(4 * 6.0).reshape(4, 6)
    picture = network_picture([(0, [Theta1, Theta2])], inputs=[8, 2], shown=[2, 3, 2])
    assert [(layer["shown"], layer["units"]) for layer in picture["layers"]] == [
        (2, 9),
        (3, 5),
        (2, 4),
    ]
    assert picture["layers"][0]["nodes"] == ["+1", "x₉", "x₃"]
    np.testing.assert_array_equal(picture["snapshots"][0]["weights"][0], Theta1[:3, [0, 9, 3]])
    np.testing.assert_array_equal(picture["snapshots"][0]["weights"][1], Theta2[:2, :4])
    assert picture["names"][0][2] == ["Theta1[2, 0]", "Theta1[2, 9]", "Theta1[2, 3]"]


def test_names_of_inputs_and_outputs():
    picture = network_picture([(0, THETAS)], input_names=["width", "height"], output_names=["<b>"])
    assert picture["layers"][0]["nodes"] == ["+1", "width", "height"]
    assert picture["layers"][2]["nodes"] == ["<b>"]


@pytest.mark.parametrize("shown", [0, [1, 1], [1, 0, 1]])
def test_shown_must_fit(shown):
    with pytest.raises(InvalidInput, match="shown of a network picture must be 1 or more"):
        network_picture([(0, THETAS)], shown=shown)


def test_there_must_be_a_snapshot():
    with pytest.raises(InvalidInput, match="snapshots of a network picture must be 1 or more"):
        network_picture([])
