"""How sure predictions are: on truths that are constructed, and by the definitions."""

from __future__ import annotations

from statistics import fmean, stdev

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.training.uncertainty import (
    FoldPrediction,
    HeldOut,
    apart,
    both_answers,
    disagreement,
    reliability,
)
from symbreak.training.uncertainty.conformal import conformal_quantile, effective_rows
from symbreak.training.uncertainty.error_size import Held, sizes_of
from symbreak.training.uncertainty.held_out import mean_and_spread

# Disagreement


def test_disagreement_is_the_mutual_information_of_label_and_start():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 7))  # starts, rows, classes
    joint = p / 5  # of start and label
    independent = joint.sum(axis=0, keepdims=True) * joint.sum(axis=2, keepdims=True)
    wanted = (joint * np.log(joint / independent)).sum(axis=(0, 2))
    np.testing.assert_allclose(disagreement(p), wanted, rtol=1e-10)


def test_starts_that_say_the_same_do_not_disagree_however_unsure():
    p = np.random.default_rng(0).dirichlet(np.ones(4), size=6)
    found = disagreement(np.broadcast_to(p, (16, 6, 4)))
    np.testing.assert_allclose(found, 0.0, atol=1e-14)
    assert (found >= 0.0).all()


def test_starts_that_are_each_sure_of_another_class_disagree_by_log_classes():
    assert disagreement(np.eye(3)[:, None, :]) == pytest.approx([np.log(3)])


def test_disagreements_of_several_labels_are_added():
    yes = np.random.default_rng(0).random((4, 6, 2))
    alone = [disagreement(both_answers(yes[:, :, label])) for label in range(2)]
    np.testing.assert_allclose(disagreement(both_answers(yes)), sum(alone))


# Quantiles


def test_the_quantile_is_the_smallest_score_of_sufficient_rank():
    random = np.random.default_rng(0)
    for n in (4, 9, 10, 57):
        scores = random.random((n, 2))
        for coverage in (0.05, 0.3, 0.5, 0.8, n / (n + 1)):
            rank = int(np.ceil(round(coverage * (n + 1), 9)))
            found = conformal_quantile(scores, np.ones(n), n, coverage)
            np.testing.assert_array_equal(found, np.sort(scores, axis=0)[rank - 1])


def test_one_more_score_is_covered_as_often_as_was_asked():
    """Of any law: the rank of one of n + 1 equal rows is uniform."""
    scores = np.random.default_rng(0).standard_t(1.5, size=(20, 20_000)) ** 2
    found = conformal_quantile(scores[:19], np.ones(19), 19, 0.9)
    assert np.mean(scores[19] <= found) == pytest.approx(0.9, abs=3 * 0.3 / 20_000**0.5)


def test_a_weight_of_two_is_a_repeated_row_and_the_unit_of_weights_is_free():
    scores, weight = np.arange(30.0)[:, None], 1.0 + np.arange(30) % 2
    n = effective_rows(weight)
    repeated = np.repeat(scores, weight.astype(int), axis=0)
    for coverage in (0.3, 0.5, 0.9):
        found = conformal_quantile(scores, weight, n, coverage)
        assert found == conformal_quantile(repeated, np.ones(45), n, coverage)
        assert found == conformal_quantile(scores, 1e-3 * weight, n, coverage)


def test_weights_that_differ_tell_less():
    assert effective_rows(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_rows(np.array([1.0, 1.0, 0.0])) == pytest.approx(2)
    assert effective_rows(np.array([1.0, 3.0])) == pytest.approx(1.6)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -0.1, 1.5, np.nan, "90 %"])
def test_a_coverage_that_is_no_chance_is_refused(coverage):
    with pytest.raises(InvalidInput, match="coverage must be"):
        conformal_quantile(np.ones((50, 1)), np.ones(50), 50, coverage)


def test_more_coverage_than_the_rows_allow_is_refused():
    scores = np.arange(9.0)[:, None]
    assert conformal_quantile(scores, np.ones(9), 9, 0.9) == 8.0
    with pytest.raises(InvalidInput, match=r"at most 0\.9 with 9 rows that were held out"):
        conformal_quantile(scores, np.ones(9), 9, 0.91)


# The size of errors


def folds_of(error, x, spread):
    parts = [np.arange(k, len(error), 5) for k in range(5)]
    return [
        Held(rows, x[rows], x[rows, 0], spread[rows], error[rows], np.ones(len(rows)))
        for rows in parts
    ]


def test_errors_that_do_not_differ_have_a_constant_size():
    random = np.random.default_rng(0)
    x, spread = random.normal(size=(400, 3)), random.random(400)
    error = np.abs(random.normal(size=400))
    _, size = sizes_of(folds_of(error, x, spread))
    found = size(x, x[:, 0], spread)
    np.testing.assert_allclose(found, error.mean(), rtol=1e-12)


def test_errors_as_the_spread_have_its_size():
    random = np.random.default_rng(0)
    x, spread = random.normal(size=(1000, 3)), np.exp(random.normal(size=1000))
    error = spread * np.abs(random.normal(size=1000))
    _, size = sizes_of(folds_of(error, x, spread))
    assert np.corrcoef(np.log(size(x, x[:, 0], spread)), np.log(spread))[0, 1] > 0.95


def test_noise_that_hangs_on_x_is_found():
    random = np.random.default_rng(0)
    x = random.normal(size=(1000, 3))
    noise = np.exp(np.abs(x[:, 2]))
    error = noise * np.abs(random.normal(size=1000))
    _, size = sizes_of(folds_of(error, x, np.full(1000, 0.1)))
    assert np.corrcoef(size(x, x[:, 0], np.full(1000, 0.1)), noise)[0, 1] > 0.95


def test_a_size_is_not_continued_beyond_what_was_seen():
    random = np.random.default_rng(0)
    x = random.uniform(0.0, 1.0, (500, 1))
    error = np.exp(3.0 * x[:, 0]) * np.abs(random.normal(size=500))
    _, size = sizes_of(folds_of(error, x, np.zeros(500)))
    far, edge = (size(np.full((1, 1), at), np.array([at]), np.zeros(1)) for at in (100.0, 1.0))
    assert far == pytest.approx(edge, rel=0.05)
    assert edge > 3.0 * size(np.zeros((1, 1)), np.zeros(1), np.zeros(1))


def test_the_size_that_rows_are_judged_by_was_not_fitted_to_them():
    random = np.random.default_rng(0)
    x, error = random.normal(size=(100, 1)), np.abs(random.normal(size=100))
    folds = folds_of(error, x, np.zeros(100))
    before, _ = sizes_of(folds)
    folds[2] = folds[2]._replace(error=1.1 * folds[2].error)
    after, _ = sizes_of(folds)
    at = x, x[:, 0], np.zeros(100)
    assert np.array_equal(before[2](*at), after[2](*at))
    assert not np.array_equal(before[1](*at), after[1](*at))


def test_a_column_of_equal_numbers_tells_nothing():
    random = np.random.default_rng(0)
    x = np.column_stack([random.normal(size=500), np.full(500, 0.1)])
    error = np.exp(np.abs(x[:, 0])) * np.abs(random.normal(size=500))
    _, size = sizes_of(folds_of(error, x, np.full(500, 0.1)))
    at = np.array([[1.0, 0.1], [1.0, 5.0]])
    found = size(at, np.ones(2), np.array([0.1, 7.0]))
    assert found[0] == found[1]


def test_no_errors_have_a_size_that_can_be_divided_by():
    folds = folds_of(np.zeros(50), np.ones((50, 1)), np.zeros(50))
    sizes, size = sizes_of(folds)
    for one in (*sizes, size):
        assert (one(np.ones((2, 1)), np.ones(2), np.zeros(2)) == 1.0).all()


# The record


def record(n=200, weight=None, seed=0, repeats=1):
    """Three linear starts that predict x1 + x2 for 5 folds, noise as large as 1 + |x1|."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 2))
    y = X.sum(axis=1) + (1.0 + np.abs(X[:, 0])) * random.normal(size=n)
    network = Network((2, 1), loss="squared_error")
    theta = np.array([[0.1, 1.0, 1.0], [-0.1, 1.0, 1.0], [0.0, 1.0, 1.0]])
    folds = [
        FoldPrediction(rows, network.predict(theta, X[rows]))
        for rows in repeats * [np.arange(k, n, 5) for k in range(5)]
    ]
    return HeldOut.of(folds, X, y[:, None], weight), network, theta


def test_intervals_and_deviations_are_those_of_the_noise():
    known, network, theta = record(2000)
    random = np.random.default_rng(1)
    X = random.normal(size=(5000, 2))
    noise = 1.0 + np.abs(X[:, 0])
    y = X.sum(axis=1) + noise * random.normal(size=5000)
    lower, upper = known.interval(network, theta, X, 0.8)[:, :, 0].T
    assert np.mean((lower <= y) & (y <= upper)) == pytest.approx(0.8, abs=0.03)
    std = known.std(network, theta, X)[:, 0]
    assert np.corrcoef(std, noise)[0, 1] > 0.95
    assert np.std((y - X.sum(axis=1)) / std) == pytest.approx(1.0, abs=0.05)
    np.testing.assert_allclose((lower + upper) / 2, X.sum(axis=1), atol=1e-10)


def test_wider_coverage_has_wider_intervals():
    known, network, theta = record()
    X = np.random.default_rng(2).normal(size=(20, 2))
    widths = [np.diff(known.interval(network, theta, X, c), axis=1) for c in (0.1, 0.5, 0.9, 0.99)]
    assert (np.diff(widths, axis=0) > 0.0).all()


def test_rows_that_are_held_out_twice_are_no_more_rows():
    X = np.random.default_rng(2).normal(size=(20, 2))
    once, twice = record(), record(repeats=2)
    assert twice[0].n == once[0].n == 200
    first, second = (
        known.interval(network, theta, X, 0.9) for known, network, theta in (once, twice)
    )
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_folds_that_share_rows_are_not_apart():
    rows = [np.array([0, 1]), np.array([2, 3]), np.array([1, 2]), np.array([4])]
    assert [apart(rows, k) for k in range(4)] == [[1, 3], [0, 3], [3], [0, 1, 2]]


def test_where_no_fold_is_apart_the_size_is_constant():
    random = np.random.default_rng(0)
    x = random.normal(size=(100, 1))
    error = np.exp(np.abs(x[:, 0])) * np.abs(random.normal(size=100))
    whole = Held(np.arange(100), x, x[:, 0], np.zeros(100), error, np.ones(100))
    for folds in ([whole], [whole, whole]):
        sizes, size = sizes_of(folds)
        assert len(sizes) == len(folds)
        assert size(x, x[:, 0], np.zeros(100)) == pytest.approx(error.mean())


def test_a_row_that_is_held_out_twice_weighs_half_each_time():
    X = np.random.default_rng(0).normal(size=(6, 1))
    folds = [
        FoldPrediction(np.array(rows), np.zeros((2, 2, 1))) for rows in ([0, 1], [2, 3], [0, 4])
    ]
    known = HeldOut.of(folds, X, X)
    assert known.weight.tolist() == [0.5, 1.0, 1.0, 1.0, 0.5, 1.0]
    assert known.n == 5


def test_the_spread_is_that_of_a_sample_of_starts():
    outputs = np.random.default_rng(0).normal(size=(3, 4, 2))
    mean, spread = mean_and_spread(outputs)
    assert mean[1, 0] == pytest.approx(fmean(outputs[:, 1, 0]))
    assert spread[1, 0] == pytest.approx(stdev(outputs[:, 1, 0]))
    assert not mean_and_spread(outputs[:1])[1].any()


def test_rows_that_weigh_nothing_do_not_count():
    weight = np.repeat([0.0, 2.0], 100)
    known, _, _ = record(weight=weight)
    assert known.n == 100
    assert len(known.scores) == 100


def test_the_record_is_arrays():
    known, network, theta = record()
    again = HeldOut.from_arrays(known.to_arrays())
    X = np.random.default_rng(2).normal(size=(20, 2))
    assert all(isinstance(array, np.ndarray) for array in known.to_arrays().values())
    for what in ("interval", "std"):
        more = (0.9,) if what == "interval" else ()
        found = [getattr(one, what)(network, theta, X, *more) for one in (known, again)]
        np.testing.assert_array_equal(*found)


# Calibration


def test_reliability_of_two_classes_has_the_bins_of_scikit_learn():
    random = np.random.default_rng(0)
    p = 0.5 + 0.5 * random.random(400)  # class 1 is the predicted one in every row
    y = (random.random(400) < p**2).astype(int)
    for strategy in ("quantile", "uniform"):
        found = reliability(y, np.column_stack([1.0 - p, p]), bins=8, strategy=strategy)
        accuracy, confidence = calibration_curve(y, p, n_bins=8, strategy=strategy)
        np.testing.assert_allclose(found.accuracy, accuracy)
        np.testing.assert_allclose(found.confidence, confidence)
        assert found.share.sum() == pytest.approx(1.0)
        assert found.rows.sum() == 400


def test_the_error_is_how_much_too_sure_the_probabilities_are():
    p = np.repeat([[0.9, 0.1, 0.0], [0.2, 0.2, 0.6]], 10, axis=0)
    index = np.r_[np.repeat([0, 1], [7, 3]), np.repeat([2, 0], [6, 4])]
    found = reliability(index, p, bins=2)
    np.testing.assert_allclose(found.confidence, [0.6, 0.9])
    np.testing.assert_allclose(found.accuracy, [0.6, 0.7])
    assert found.error == pytest.approx(0.1)
    weighted = reliability(index, p, bins=2, sample_weight=np.repeat([3.0, 1.0], 10))
    assert weighted.error == pytest.approx(0.15)
    assert weighted.as_dict()["expected_calibration_error"] == weighted.error


def test_probabilities_that_are_right_err_by_chance_alone():
    random = np.random.default_rng(0)
    errors, by_chance = [], []
    for _ in range(200):
        p = random.dirichlet(np.ones(3), size=150)
        index = (random.random((150, 1)) > p.cumsum(axis=1)).sum(axis=1)
        found = reliability(index, p)
        errors.append(found.error)
        by_chance.append(found.by_chance)
    assert np.mean(errors) == pytest.approx(np.mean(by_chance), rel=0.05)


def test_bins_and_strategies_that_are_none_are_refused():
    p = np.array([[0.5, 0.5]])
    with pytest.raises(InvalidInput, match="bins must be"):
        reliability([0], p, bins=0)
    with pytest.raises(InvalidInput, match="strategy must be"):
        reliability([0], p, strategy="equal")
