"""What estimators say of how sure they are: deviations, intervals, disagreement."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, TimeSeriesSplit

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.training.selection import Candidate, chosen_by
from symbreak.training.uncertainty import both_answers, disagreement

QUICK = {"activation": "tanh", "n_starts": 3, "screening_starts": 2, "random_state": 0}
COVERAGES = (0.5, 0.8, 0.9, 0.95)
NET = {"hidden_layer_sizes": (6,), "alphas": [1.0], **QUICK}


def noise_of(X):
    return 0.1 + 0.4 * np.abs(X[:, 1])


def numbers(n=120, seed=0):
    """A wave in the first column, noise that hangs on the second."""
    random = np.random.default_rng(seed)
    X = random.uniform(-2.0, 2.0, (n, 2))
    return X, 10.0 + 5.0 * (np.sin(2 * X[:, 0]) + noise_of(X) * random.normal(size=n))


def share_inside(ends, y):
    return np.mean((ends[:, 0] <= y) & (y <= ends[:, 1]))


@pytest.fixture(scope="module")
def fitted():
    return sb.MLPRegressorCV([(), (10,)], "tanh", n_starts=4, random_state=0).fit(*numbers(300))


def test_intervals_cover_as_often_as_was_asked():
    """Over rows and trainings: what one training covers hangs on its own rows too."""
    inside = []
    for seed in range(6):
        net = sb.MLPRegressorCV([(), (10,)], alphas=[0.1, 1.0], **{**QUICK, "random_state": seed})
        net.fit(*numbers(200, seed=seed))
        X, y = numbers(50, seed=100 + seed)
        inside.append([share_inside(net.predict_interval(X, c), y) for c in COVERAGES])
    for coverage, share in zip(COVERAGES, np.mean(inside, axis=0), strict=True):
        low, high = binom.ppf([0.005, 0.995], 300, coverage) / 300
        assert low <= share <= high


def test_width_and_deviation_follow_the_noise(fitted):
    X, y = numbers(500, seed=2)
    lower, upper = fitted.predict_interval(X).T
    predicted, std = fitted.predict(X, return_std=True)
    assert np.corrcoef(upper - lower, noise_of(X))[0, 1] > 0.9
    assert np.corrcoef(std, noise_of(X))[0, 1] > 0.9
    assert np.std((y - predicted) / std) == pytest.approx(1.0, abs=0.1)
    assert np.array_equal(predicted, fitted.predict(X))
    np.testing.assert_allclose((lower + upper) / 2, predicted)


def test_noise_that_does_not_differ_has_intervals_of_one_width():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    y = X @ [1.0, 2.0, 3.0] + 0.5 * random.normal(size=200)
    net = sb.MLPRegressorCV((), **QUICK).fit(X, y)
    assert np.ptp(net.predict_starts(X), axis=0).max() < 1e-3  # of one minimum
    lower, upper = net.predict_interval(X, 0.9).T
    np.testing.assert_allclose(upper - lower, 2 * 1.645 * 0.5, rtol=0.1)
    np.testing.assert_allclose(net.predict(X, return_std=True)[1], 0.5, rtol=0.1)


def test_errors_are_those_of_the_plain_estimator_on_rows_that_it_has_not_seen():
    X, y = numbers(60)
    train, test = np.arange(40), np.arange(40, 60)
    net = sb.MLPRegressorCV(cv=[(train, test)], **NET).fit(X, y)
    plain = sb.MLPRegressor(
        (6,), "tanh", solver="lbfgs", alpha=1.0, init="glorot_uniform", n_starts=2,
        standardize="robust", max_iter=1000, random_state=0,
    ).fit(X[train], y[train])  # fmt: skip
    error = np.sort(np.abs(plain.predict(X[test]) - y[test]))
    upper = net.predict_interval(X, 0.9)[:, 1]
    np.testing.assert_allclose(upper - net.predict(X), error[18], rtol=1e-6)  # of rank 0.9 x 21


def test_a_fold_has_not_chosen_the_network_that_its_errors_are_of():
    worse = Candidate((), "tanh", 3, 1.0, np.array([-9.0, -1.0, -1.1, -1.0]))
    better = Candidate((4,), "tanh", 9, 1.0, np.array([-1.0, -3.0, -3.1, -3.2]))
    broken = Candidate((2,), "tanh", 5, 1.0, np.array([-np.inf, -0.1, -0.1, -0.1]))
    candidates = [worse, better, broken]
    assert chosen_by(candidates, [1, 2, 3]) is worse
    assert chosen_by(candidates, [0]) is better
    assert chosen_by([better], []) is better


def test_each_fold_is_judged_by_what_the_others_choose(monkeypatch):
    X, y = numbers(60)
    asked = []

    def noted(candidates, folds):
        asked.append(folds)
        return chosen_by(candidates, folds)

    monkeypatch.setattr("symbreak.estimators.regressor_cv.chosen_by", noted)
    sb.MLPRegressorCV(cv=3, **NET).fit(X, y)
    assert asked == [[1, 2], [0, 2], [0, 1]]


def test_groups_that_share_an_error_have_wider_intervals():
    """Rows of a group are all but equal: other rows of it tell its error, new groups do not."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    X = random.normal(size=(40, 3))[groups] + 0.01 * random.normal(size=(200, 3))
    y = random.normal(size=40)[groups]
    net = sb.MLPRegressorCV((20,), alphas=[1e-3], **QUICK)
    alone, together = net.fit(X, y), clone(net).fit(X, y, groups=groups)
    widths = [np.diff(one.predict_interval(X), axis=1).mean() for one in (alone, together)]
    assert widths[1] > 2.0 * widths[0]


def test_rows_in_order_of_time_are_judged_by_the_past_alone():
    X, y = numbers(60)
    net = sb.MLPRegressorCV(cv=TimeSeriesSplit(3), **NET).fit(X, y)
    assert len(net.held_out_.scores) == net.held_out_.n == 45  # the first quarter has no past
    plain = sb.MLPRegressor(
        (6,), "tanh", solver="lbfgs", alpha=1.0, init="glorot_uniform", n_starts=2,
        standardize="robust", max_iter=1000, random_state=0,
    )  # fmt: skip
    errors = [
        np.abs(plain.fit(X[:n], y[:n]).predict(X[n : n + 15]) - y[n : n + 15]) for n in (15, 30, 45)
    ]
    ends = net.predict_interval(X[:1], 45 / 46)
    widest = 0.5 * np.diff(ends)
    assert 0.3 * np.max(errors) < widest < 3.0 * np.max(errors)


def test_several_outputs_have_their_own_intervals_in_their_own_units():
    X, y = numbers()
    both = np.column_stack([y, 1000.0 * X[:, 0]])
    net = sb.MLPRegressorCV(cv=3, **NET).fit(X, both)
    ends = net.predict_interval(X[:7], 0.9)
    predicted, std = net.predict(X[:7], return_std=True)
    assert ends.shape == (7, 2, 2)
    assert predicted.shape == std.shape == (7, 2)
    assert (ends[:, 0] < predicted).all()
    assert (predicted < ends[:, 1]).all()
    units = np.array([1.0, 2.0**-10])
    other = clone(net).fit(X, both * units)
    np.testing.assert_allclose(other.predict_interval(X[:7], 0.9), ends * units, rtol=1e-9)
    np.testing.assert_allclose(other.predict(X[:7], return_std=True)[1], std * units, rtol=1e-9)


def test_counts_have_no_negative_ends():
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 2))
    y = random.poisson(np.exp(X[:, 0]))
    net = sb.MLPRegressorCV(loss="poisson", cv=3, **NET).fit(X, y)
    lower, upper = net.predict_interval(X, 0.95).T
    assert lower.min() == 0.0
    assert share_inside(np.column_stack([lower, upper]), y) > 0.85
    assert np.corrcoef(upper, np.exp(X[:, 0]))[0, 1] > 0.5


def test_equal_y_have_intervals_without_width():
    X, _ = numbers(40)
    net = sb.MLPRegressorCV(cv=2, **NET).fit(X, np.full(40, 3.0))
    np.testing.assert_allclose(net.predict_interval(X, 0.9), 3.0, atol=1e-3)


def test_rows_that_weigh_nothing_do_not_count():
    X, y = numbers(80)
    weight = np.arange(80) % 2.0
    net = sb.MLPRegressorCV(cv=KFold(4), **NET).fit(X, y, weight)
    assert net.held_out_.n == 40
    changed = np.where(weight, y, y + 1e3)
    other = clone(net).fit(X, changed, weight)
    np.testing.assert_allclose(other.predict_interval(X), net.predict_interval(X), rtol=1e-6)


def test_more_coverage_than_the_rows_allow_is_refused(fitted):
    X, y = numbers(9)
    net = sb.MLPRegressorCV((), alphas=[1.0], cv=3, **QUICK).fit(X, y)
    assert net.predict_interval(X, 0.9).shape == (9, 2)
    with pytest.raises(InvalidInput, match=r"coverage must be at most 0\.9 with 9 rows"):
        net.predict_interval(X, 0.95)
    for coverage in (0.0, 1.0, 90):
        with pytest.raises(InvalidInput, match="coverage must be"):
            fitted.predict_interval(X, coverage)


def test_files_and_pickles_know_how_sure_they_are(fitted, tmp_path):
    X, _ = numbers(20, seed=3)
    fitted.save(tmp_path / "net.safetensors")
    again = [
        sb.MLPRegressorCV.load(tmp_path / "net.safetensors"),
        pickle.loads(pickle.dumps(fitted)),
    ]
    for one in again:
        assert np.array_equal(one.predict_interval(X), fitted.predict_interval(X))
        for found, wanted in zip(
            one.predict(X, return_std=True), fitted.predict(X, return_std=True), strict=True
        ):
            assert np.array_equal(found, wanted)


# Classes


def test_starts_disagree_where_there_were_no_rows():
    X, y = load_iris(return_X_y=True)
    net = sb.MLPClassifierCV((10,), alphas=[0.01], cv=3, **QUICK).fit(X, y)
    found = net.disagreement(X)
    assert found.shape == (150,)
    np.testing.assert_allclose(found, disagreement(net.predict_starts(X)))
    far = np.random.default_rng(0).uniform(X.min(axis=0), X.max(axis=0), (300, 4))
    assert net.disagreement(far).mean() > 3.0 * found.mean()


def test_labels_that_are_noise_are_not_disagreed_on():
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 2))
    y = random.integers(2, size=400)
    net = sb.MLPClassifierCV((), alphas=[1.0], cv=3, **QUICK).fit(X, y)
    assert net.predict_proba(X).max(axis=1).mean() < 0.7
    np.testing.assert_allclose(net.disagreement(X), 0.0, atol=1e-6)


def test_two_classes_and_several_labels():
    X, y = load_iris(return_X_y=True)
    settings = {"solver": "lbfgs", "n_starts": 3, "standardize": True, "random_state": 0}
    net = sb.MLPClassifier((5,), "tanh", **settings).fit(X, y == 1)
    p = net.predict_starts(X)[:, :, 0]
    np.testing.assert_allclose(net.disagreement(X), disagreement(both_answers(p)))
    labels = (X[:, :2] > X[:, :2].mean(axis=0)).astype(int)
    net = sb.MLPClassifier((5,), "tanh", **settings).fit(X, labels)
    p = net.predict_starts(X)
    each = [disagreement(both_answers(p[:, :, label])) for label in range(2)]
    np.testing.assert_allclose(net.disagreement(X), sum(each))


def test_one_start_has_nobody_to_disagree_with():
    X, y = load_iris(return_X_y=True)
    net = sb.MLPClassifier((5,), "tanh", solver="lbfgs", standardize=True, random_state=0)
    net.fit(X, y)
    with pytest.raises(InvalidInput, match="between several kept starts"):
        net.disagreement(X)
