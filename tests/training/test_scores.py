from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import log_loss, r2_score, root_mean_squared_error

from symbreak.training.scores import class_scores, number_scores, scores_of


def test_accuracy_and_log_loss_of_classes():
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.4, 0.4], [0.25, 0.25, 0.5]])
    found = scores_of("cross_entropy", np.array([0, 1, 2, 2]), p)
    assert found is not None
    assert found.as_dict() == pytest.approx(
        {"accuracy": 0.75, "log_loss": -np.mean(np.log([0.5, 0.8, 0.4, 0.5]))}, rel=1e-12
    )


def test_one_hot_rows_score_like_indices():
    p = np.array([[0.5, 0.5], [0.1, 0.9]])
    one_hot, indices = np.array([[1, 0], [0, 1]]), np.array([0, 1])
    assert scores_of("cross_entropy", one_hot, p) == scores_of("cross_entropy", indices, p)


def test_a_class_that_is_absent_from_the_examples_is_no_error():
    p = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    found = scores_of("cross_entropy", np.array([0, 0]), p)
    assert found is not None
    assert found.score == 0.5


def test_yes_or_no_answers():
    found = scores_of("binary_cross_entropy", np.array([[1, 0], [0, 0]]), [[0.8, 0.4], [0.7, 0.1]])
    assert found is not None
    assert found.score == 0.75
    assert found.error == pytest.approx(-np.mean(np.log([0.8, 0.6, 0.3, 0.9])), rel=1e-12)


def test_float32_probabilities_are_scored_without_a_warning():
    raw = np.random.default_rng(0).random((50, 7)).astype(np.float32)
    assert scores_of("cross_entropy", np.arange(50) % 7, raw / raw.sum(1, keepdims=True))


def test_r2_and_rmse_of_numbers():
    found = scores_of("squared_error", np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [5.0]]))
    assert found is not None
    assert found.as_dict() == pytest.approx({"r2": 1 - 4 / 2, "rmse": math.sqrt(4 / 3)}, rel=1e-12)


def test_r2_of_one_example_is_not_defined_and_ranks_last():
    one = number_scores(np.array([1.0]), np.array([[1.0]]))
    assert math.isnan(one.score)
    assert one.rank < number_scores(np.array([1.0, 2.0]), np.array([[9.0], [-9.0]])).rank


def test_predictions_that_are_not_finite_have_no_scores():
    assert scores_of("squared_error", np.array([1.0, 2.0]), [[1.0], [np.inf]]) is None
    assert scores_of("cross_entropy", np.array([0, 1]), [[1.0, 0.0], [np.nan, np.nan]]) is None


def test_absurd_predictions_have_the_worst_scores():
    absurd = scores_of("squared_error", np.array([1.0, 2.0]), [[1e200], [1e200]])
    assert absurd is not None
    assert (absurd.score, absurd.error) == (-math.inf, math.inf)


@given(st.data(), st.integers(2, 8), st.integers(1, 3))
def test_numbers_score_as_scikit_learn_scores_them(data, m, outputs):
    # Eighths: their means and squares are exact, so equal targets are told apart by both.
    eighths = hnp.arrays(np.int64, (m, outputs), elements=st.integers(-40, 40))
    y, predicted = data.draw(eighths) / 8, data.draw(eighths) / 8
    found = number_scores(y, predicted)
    assert found.score == pytest.approx(r2_score(y, predicted), rel=1e-12, abs=1e-12)
    assert found.error == pytest.approx(root_mean_squared_error(y, predicted), rel=1e-12)


@pytest.mark.parametrize("value", [0.1, -3.0, 1e-100, 1e150])
@pytest.mark.parametrize(("off", "r2"), [(0.0, 1.0), (0.5, 0.0)])
def test_r2_of_equal_targets_is_1_where_exact_and_else_0(value, off, r2):
    y = np.full(7, value)
    assert number_scores(y, y + off * abs(value)).score == r2


def test_what_cannot_be_is_charged_as_scikit_learn_charges_it():
    p = np.array([[1.0, 0.0], [1.0, 0.0], [0.25, 0.75]])
    found = class_scores(np.array([0, 1, 1]), p)
    assert found.error == log_loss([0, 1, 1], p)
    assert found.error == pytest.approx((0.0 - math.log(2**-52) - math.log(0.75)) / 3, rel=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_the_class_that_is_predicted_is_the_one_that_is_scored(seed):
    random = np.random.default_rng(seed)
    first = random.uniform(0.01, 0.5, 200)
    # The second is larger by one unit in the last place: divided by the sum they may be equal.
    p = np.column_stack([first, np.nextafter(first, 1.0), np.full(200, 0.3)])
    index = random.integers(0, 3, 200)
    assert class_scores(index, p).score == np.mean(p.argmax(axis=1) == index)
