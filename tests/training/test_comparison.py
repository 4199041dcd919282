"""The four losses beside each other, and how sure their differences are."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, root_mean_squared_error

from symbreak.training.comparison import (
    SURE,
    Rows,
    best_constant,
    compared,
    influences,
    learnt_nothing,
    scores_of_rows,
    standard_error,
)
from symbreak.training.linear import linear_model

random = np.random.default_rng(3)


def classes(m: int, confidence: float) -> Rows:
    y = random.integers(0, 3, m)
    raw = random.normal(size=(m, 3)) + confidence * np.eye(3)[y]
    return Rows(y, np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True))


def numbers(m: int, error: float) -> Rows:
    y = 5.0 + 2.0 * random.normal(size=m)
    return Rows(y, y + error * random.normal(size=m))


def test_losses_are_those_of_scikit_learn():
    held, training = classes(50, 1.0), classes(80, 2.0)
    shares = np.broadcast_to(best_constant(training.y, None, 3), (50, 3))
    linear = classes(50, 0.5).prediction
    found = compared(held, constant=shares, linear=linear, training=training)
    assert found is not None
    assert list(found.entries) == ["training", "holdout", "constant", "linear"]
    for what, y, prediction in (
        ("training", training.y, training.prediction), ("holdout", held.y, held.prediction),
        ("constant", held.y, shares), ("linear", held.y, linear),
    ):  # fmt: skip
        wanted = log_loss(y, prediction, labels=[0, 1, 2])
        assert found[what].loss == pytest.approx(wanted, rel=1e-12)
        assert found[what].behind == pytest.approx(wanted - found["holdout"].loss, abs=1e-12)
    np.testing.assert_allclose(shares[0], np.bincount(training.y) / 80)


def test_few_rows_that_are_learnt_are_not_learnt_for_nothing():
    """One row far away makes the gain of all noisy, whatever was learnt."""
    y = np.array([*np.linspace(-1.0, 1.0, 11), 40.0])
    constant = (y - y.mean()) ** 2
    own, doubled = 1e-4 * constant, constant
    assert (constant - own).mean() < SURE * standard_error(constant - own)
    assert not learnt_nothing(constant, own, doubled)
    assert learnt_nothing(constant, 0.99 * constant, doubled)


def test_rows_are_worth_what_rows_of_equal_weight_tell():
    held = numbers(10, 1.0)
    mean = np.full(10, 5.0)
    even = compared(held, constant=mean)
    assert even is not None
    assert even.effective_rows == 10.0
    weight = np.array([1.0, 1.0, *[0.0] * 8])
    twice = Rows(*(np.tile(one, 2) for one in (held.y, held.prediction, weight)))
    found = compared(twice, constant=np.tile(mean, 2), repeats=2)
    assert found is not None
    assert found.rows == 10
    assert found.effective_rows == pytest.approx(2.0)


def test_of_numbers_the_constant_is_the_mean_and_the_loss_the_rmse():
    held, training = numbers(40, 1.0), numbers(60, 0.5)
    mean = best_constant(training.y, None, 0)
    found = compared(held, constant=np.full(40, mean), training=training)
    assert found is not None
    assert mean == pytest.approx(training.y.mean())
    wanted = root_mean_squared_error(held.y, np.full(40, mean))
    assert found["constant"].loss == pytest.approx(wanted, rel=1e-12)
    assert not found.is_classification
    assert found.get("linear") is None


@pytest.mark.parametrize("make", [classes, numbers])
def test_the_noise_is_how_far_the_difference_moves_from_sample_to_sample(make):
    """2000 tables from one source: the differences spread by what each table says of itself."""
    differences, noises = [], []
    for _ in range(2000):
        held = make(120, 1.0)
        # An other contestant that errs on the same rows, as a pair does.
        shift = random.normal(size=held.prediction.shape[:1])
        other = held.prediction + 0.3 * (shift[:, None] if held.prediction.ndim == 2 else shift)
        if held.prediction.ndim == 2:
            other = np.abs(other * np.array([1.0, 1.5, 0.8])) + 1e-3
            other /= other.sum(axis=1, keepdims=True)
        found = compared(held, constant=other)
        assert found is not None
        differences.append(found["constant"].behind)
        noises.append(found["constant"].noise)
    assert np.mean(noises) == pytest.approx(np.std(differences), rel=0.08)


def test_a_pair_is_told_apart_where_two_samples_would_not_be():
    held = numbers(60, 1.0)
    worse = held.prediction + np.sign(held.prediction - held.y) * 0.2
    found = compared(held, constant=worse)
    assert found is not None
    one, other = (
        standard_error(influences(held._replace(prediction=some)))
        for some in (worse, held.prediction)
    )
    assert found["constant"].is_worse
    assert found["constant"].noise < 0.2 * np.hypot(one, other)


@pytest.mark.parametrize("make", [classes, numbers])
def test_a_weight_of_two_is_a_row_twice(make):
    rows = make(30, 1.0)
    weight = random.integers(1, 4, 30).astype(float)
    again = np.repeat(np.arange(30), weight.astype(int))
    repeated = scores_of_rows(Rows(rows.y[again], rows.prediction[again]))
    weighted = scores_of_rows(rows._replace(weight=weight))
    assert weighted.score == pytest.approx(repeated.score, rel=1e-12)
    assert weighted.error == pytest.approx(repeated.error, rel=1e-12)
    n_classes = 3 if rows.prediction.ndim == 2 else 0
    np.testing.assert_allclose(
        best_constant(rows.y, weight, n_classes), best_constant(rows.y[again], None, n_classes)
    )


def test_a_prediction_that_is_not_finite_is_not_compared():
    held = numbers(10, 1.0)
    broken = held._replace(prediction=np.full(10, np.inf))
    assert compared(broken, constant=held.prediction) is None
    found = compared(held, constant=held.prediction, linear=broken.prediction, training=broken)
    assert found is not None
    assert list(found.entries) == ["holdout", "constant"]


@pytest.mark.parametrize("weight", [None, np.linspace(0.0, 2.0, 80)])
def test_the_linear_model_finds_a_linear_truth(weight):
    X = random.normal(size=(80, 4))
    y = X @ [1.0, -2.0, 0.0, 0.5] + 0.1 * random.normal(size=80)
    network, theta = linear_model(X, y, "squared_error", 1, weight=weight)
    assert network.layers == (4, 1)
    np.testing.assert_allclose(theta[0], [0.0, 1.0, -2.0, 0.0, 0.5], atol=0.1)


@pytest.mark.parametrize("make", [classes, numbers])
def test_repeats_of_the_same_rows_are_no_further_rows(make):
    held, other = make(80, 1.0), make(80, 1.0).prediction
    once = compared(held, constant=other)
    y, prediction = np.tile(held.y, 2), np.concatenate([held.prediction] * 2)
    twice = compared(Rows(y, prediction), constant=np.concatenate([other] * 2), repeats=2)
    assert once is not None
    assert twice is not None
    assert twice.rows == once.rows == 80
    assert twice["constant"].noise == pytest.approx(once["constant"].noise, rel=1e-9)
    assert twice["constant"].behind == pytest.approx(once["constant"].behind, abs=1e-12)


def test_rows_of_one_group_count_as_one():
    values = random.normal(size=50)
    groups = np.arange(50).repeat(4)
    assert standard_error(values.repeat(4), None, groups) == pytest.approx(standard_error(values))
    assert standard_error(values.repeat(4)) < 0.6 * standard_error(values)
