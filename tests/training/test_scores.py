from __future__ import annotations

import math

import numpy as np
import pytest

from symbreak.training.scores import number_scores, scores_of


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
