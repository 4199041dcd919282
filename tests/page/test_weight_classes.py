"""Equal weights have one class, mirrored ones the same with the other sign."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.page.network_picture import equal_classes


def test_classes_count_in_order_of_first_appearance():
    Theta = np.array([[0.5, 2.0, 0.1], [0.5, 3.0, 0.1], [0.7, 2.0, 0.1]])
    np.testing.assert_array_equal(equal_classes(Theta), [[1, 2, 3], [1, 0, 3], [0, 2, 3]])


def test_the_other_sign_is_the_same_class_mirrored():
    np.testing.assert_array_equal(
        equal_classes(np.array([[-0.4, 0.4, 1.0, -0.4]])), [[1, -1, 0, 1]]
    )


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_the_sign_is_seen_where_a_product_would_be_beyond_numbers(size):
    Theta = size * np.array([[-1.0, 1.0, -1.0]])
    np.testing.assert_array_equal(equal_classes(Theta), [[1, -1, 1]])


def test_all_zeros_are_one_class_whatever_their_sign_bit():
    np.testing.assert_array_equal(equal_classes(np.array([[0.0, -0.0]])), [[1, 1]])


def test_equality_is_that_of_every_bit_unless_a_tolerance_is_given():
    Theta = np.array([[1.0, np.nextafter(1.0, 2.0), 2.0]])
    np.testing.assert_array_equal(equal_classes(Theta), [[0, 0, 0]])
    np.testing.assert_array_equal(equal_classes(Theta, rtol=1e-12), [[1, 1, 0]])


def test_tolerance_is_relative_to_the_largest():
    Theta = 1e-9 * np.array([[1.0, 1.1, 2.0]])
    np.testing.assert_array_equal(equal_classes(Theta, rtol=1e-3), [[0, 0, 0]])


def test_what_is_no_number_equals_nothing_and_infinities_equal_each_other():
    Theta = np.array([[np.nan, np.nan, np.inf, -np.inf, 1.0]])
    np.testing.assert_array_equal(equal_classes(Theta), [[0, 0, 1, -1, 0]])


@pytest.mark.parametrize("seed", range(5))
def test_against_all_pairs(seed):
    Theta = np.random.default_rng(seed).integers(-3, 4, size=(4, 5)).astype(float)
    found = equal_classes(Theta).ravel()
    flat = Theta.ravel()
    for i in range(len(flat)):
        equal = np.abs(flat) == np.abs(flat[i])
        assert (found[i] != 0) == (equal.sum() > 1)
        np.testing.assert_array_equal(
            np.abs(found) == np.abs(found[i]), equal | ((found[i] == 0) & (found == 0))
        )
        if found[i]:
            same = (flat == flat[i]) & equal
            np.testing.assert_array_equal(found[equal] == found[i], same[equal])
