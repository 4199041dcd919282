from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.training.combine import check_combine, combined_prediction, kept_starts
from symbreak.training.scores import Scores, class_scores

J = np.array([3.0, 1.0, 2.0, np.inf])
USABLE = np.isfinite(J)
ACCURACY = ("accuracy", "log_loss")


def accuracies(*pairs: tuple[float, float]) -> list[Scores | None]:
    return [Scores(ACCURACY, score, error) for score, error in pairs]


def test_the_three_ways_keep_different_starts():
    validation = accuracies((0.7, 0.5), (0.6, 0.5), (0.9, 0.5), (1.0, 0.1))
    assert kept_starts("average", J, USABLE, validation) == (0, 1, 2)
    assert kept_starts("lowest-cost", J, USABLE, validation) == (1,)
    # Start 3 validates best, but its J is not finite.
    assert kept_starts("best", J, USABLE, validation) == (2,)


def test_equal_accuracies_are_decided_by_log_loss_then_by_the_first():
    assert kept_starts("best", J, USABLE, accuracies((0.9, 0.4), (0.9, 0.3), (0.8, 0.1))) == (1,)
    assert kept_starts("best", J, USABLE, accuracies((0.9, 0.3), (0.9, 0.3), (0.9, 0.3))) == (0,)


def test_a_start_without_a_validation_score_is_never_best():
    undefined = Scores(("r2", "rmse"), np.nan, 0.1)
    low = Scores(("r2", "rmse"), -5.0, 9.0)
    assert kept_starts("best", J, USABLE, [None, undefined, low]) == (2,)


@pytest.mark.parametrize("combine", ["average", "best", "lowest-cost"])
def test_no_finite_start_is_refused(combine):
    none = np.zeros(2, dtype=bool)
    with pytest.raises(InvalidInput, match="Got none of 2"):
        kept_starts(combine, np.full(2, np.inf), none, accuracies((1.0, 0.0), (1.0, 0.0)))


def test_best_needs_a_validation_part_and_words_are_checked():
    with pytest.raises(InvalidInput, match="must have a validation part"):
        check_combine("best", has_validation=False)
    assert check_combine("best", has_validation=True) == "best"
    with pytest.raises(InvalidInput, match="Did you mean 'average'"):
        check_combine("averge", has_validation=True)


def test_the_combined_prediction_is_the_mean_after_the_link():
    # One feature, two classes; raw differences of 0 and of log 9 give p = 1/2 and p = 9/10.
    net = Network((1, 2), loss="cross_entropy")
    theta = np.array([[0.0, 0.0, 0.0, 0.0], [np.log(9.0), 0.0, 0.0, 0.0]])
    found = combined_prediction(net, theta, np.zeros((3, 1)))
    np.testing.assert_allclose(found, [[0.7, 0.3]] * 3, rtol=1e-14)
    # The mean of raw would have given 3/4.
    assert abs(found[0, 0] - 0.75) > 0.04


def test_blocks_of_rows_do_not_change_the_combined_prediction(monkeypatch):
    net = Network((3, 4, 2), loss="cross_entropy")
    random = np.random.default_rng(0)
    theta, X = random.normal(size=(5, net.n_parameters)), random.normal(size=(23, 3))
    whole = combined_prediction(net, theta, X)
    monkeypatch.setattr("symbreak.training.combine._ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(combined_prediction(net, theta, X), whole, rtol=1e-13)


@settings(max_examples=30)
@given(
    st.lists(st.lists(st.floats(0.01, 0.99), min_size=4, max_size=4), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_the_average_has_at_most_the_mean_log_loss(chances, truth):
    starts = [np.column_stack([1.0 - np.array(p), p]) for p in chances]
    mean = class_scores(np.array(truth, dtype=int), np.mean(starts, axis=0)).error
    each = [class_scores(np.array(truth, dtype=int), one).error for one in starts]
    assert mean <= np.mean(each) * (1 + 1e-12)
