"""Early stopping by a validation score, and dropping starts that are behind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Racing, Status
from tests.optimize.plain_functions import quadratic

STARTS = np.array([[4.0, 3.0], [-3.0, 1.0], [1.0, 1.0], [0.3, -0.2]])


def descend(**options):
    return sb.minimize(
        lambda x: quadratic(x, (1.0, 2.0)), STARTS, method="gradient-descent",
        learning_rate=0.05, momentum=0.0, max_iter=500, **options,
    )  # fmt: skip


def distance_to_half_way(theta):
    """Lowest where J is half as large as |STARTS|² would say: the path passes it and goes on."""
    return (np.linalg.norm(np.asarray(theta), axis=1) - 0.1) ** 2


def test_the_best_validated_point_is_returned_and_the_start_ends_after_patience():
    outcome = descend(validation=distance_to_half_way, patience=7)
    assert set(outcome.status) == {Status.NO_IMPROVEMENT}
    np.testing.assert_allclose(np.linalg.norm(outcome.theta, axis=1), 0.1, atol=0.01)
    np.testing.assert_array_equal(outcome.validation, distance_to_half_way(outcome.theta))
    # The point returned is not the lowest J seen, and J belongs to the point.
    assert (outcome.value > np.nanmin(outcome.history, axis=0)).all()
    np.testing.assert_allclose(outcome.value, quadratic(outcome.theta, (1.0, 2.0))[0])
    best = outcome.n_iterations - 7
    x, scores = STARTS.copy(), []
    for _ in range(outcome.n_iterations.max() + 1):
        scores.append(distance_to_half_way(x))
        x = x - 0.05 * quadratic(x, (1.0, 2.0))[1]
    path = np.array(scores)
    for start in range(4):
        assert path[1 : outcome.n_iterations[start] + 1, start].argmin() + 1 == best[start]


def test_the_cost_of_other_examples_is_a_validation():
    rng = np.random.default_rng(0)
    net = sb.Network((3, 12, 2), "tanh", "cross_entropy")
    X, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    alpha = np.array([1e-4, 1.0, 10.0])
    cost = sb.NetworkCost(net, X[:20], y[:20], alpha=alpha)
    held = sb.NetworkCost(net, X[20:], y[20:], sample_weight=rng.uniform(0.5, 2.0, (3, 20)))
    theta = sb.initialize(net, starts=3)
    outcome = sb.minimize(cost, theta, validation=held, patience=5, max_iter=300)
    assert outcome.validation is not None
    np.testing.assert_allclose(outcome.validation, held.value(outcome.theta), rtol=1e-12)
    assert (held.value(outcome.theta) <= held.value(theta)).all()
    free = sb.minimize(cost, theta, max_iter=300)
    assert float(held.value(free.theta)[0]) > outcome.validation[0]
    assert sb.minimize(cost, theta, max_iter=1).validation is None


def test_a_score_that_is_nan_is_no_improvement():
    outcome = descend(validation=lambda theta: np.full(len(theta), np.nan), patience=3)
    assert outcome.n_iterations.tolist() == [3] * 4
    np.testing.assert_array_equal(outcome.theta, STARTS)


def test_an_equal_score_is_no_improvement():
    outcome = descend(validation=lambda theta: np.ones(len(theta)), patience=3)
    assert outcome.n_iterations.tolist() == [4] * 4  # the first score counts, three do not


def steps_and(loss):
    """A score that is the same everywhere, and a loss beside it."""
    return lambda theta: np.column_stack([np.ones(len(theta)), loss(theta)])


def test_a_loss_beside_the_score_decides_between_equal_scores_and_counts_for_the_patience():
    outcome = descend(validation=steps_and(distance_to_half_way), patience=7)
    by_loss = descend(validation=distance_to_half_way, patience=7)
    np.testing.assert_array_equal(outcome.theta, by_loss.theta)
    np.testing.assert_array_equal(outcome.n_iterations, by_loss.n_iterations)
    np.testing.assert_array_equal(outcome.validation, np.ones(4))
    np.testing.assert_array_equal(outcome.validation_loss, by_loss.validation)
    assert np.isinf(by_loss.validation_loss).all()
    assert (outcome.validation_history[1:][~np.isnan(outcome.history[1:])] == 1.0).all()


def test_a_worse_loss_does_not_undo_a_better_score():
    def score(theta):
        size = np.linalg.norm(theta, axis=1)
        return np.column_stack([size > 0.5, -size])

    outcome = descend(validation=score, patience=500, gradient_rtol=1e-3)
    np.testing.assert_array_equal(outcome.validation, np.zeros(4))
    # Of the points with the best score the one with the lowest loss is the first.
    assert (np.linalg.norm(outcome.theta, axis=1)[:3] > 0.45).all()


def test_a_small_fall_of_the_loss_keeps_the_point_but_does_not_count():
    outcome = descend(validation=steps_and(distance_to_half_way), patience=7, patience_tol=1e9)
    assert outcome.n_iterations.tolist() == [8] * 4
    assert outcome.best_iteration[:2].tolist() == [8, 8]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_scale_of_the_loss_does_not_matter(scale):
    scaled = descend(
        validation=steps_and(lambda theta: scale * distance_to_half_way(theta)), patience=7,
        patience_tol=1e-3,
    )  # fmt: skip
    plain = descend(validation=steps_and(distance_to_half_way), patience=7, patience_tol=1e-3)
    assert scaled.n_iterations.tolist() == plain.n_iterations.tolist()
    assert scaled.best_iteration.tolist() == plain.best_iteration.tolist()


def test_a_loss_that_is_nan_is_no_improvement():
    outcome = descend(validation=steps_and(lambda theta: np.full(len(theta), np.nan)), patience=3)
    assert outcome.n_iterations.tolist() == [4] * 4
    assert np.isinf(outcome.validation_loss).all()


def test_among_equal_scores_the_race_is_on_the_loss():
    score = steps_and(lambda theta: theta[:, 0])
    outcome = descend(validation=score, patience=50, racing=Racing(first=4, factor=4))
    assert outcome.status[1] is not Status.DROPPED
    assert [outcome.status[start] for start in (0, 2, 3)] == [Status.DROPPED] * 3


@pytest.mark.parametrize(
    ("method", "options", "patience"),
    [("gradient-descent", {"learning_rate": 1e-6}, 50), ("rprop", {}, 50), ("adam", {}, 10),
     ("sgd", {"learning_rate": 1e-6}, 10)],
)  # fmt: skip
def test_a_method_on_all_examples_waits_longer_than_epochs(method, options, patience):
    def steps(**more):
        return sb.minimize(
            quadratic, np.ones((2, 3)), method=method, gradient_rtol=0.0, max_iter=100,
            validation=lambda theta: np.ones(len(theta)), **options, **more,
        ).n_iterations.tolist()  # fmt: skip

    assert steps() == [1 + patience] * 2
    assert steps(patience=10) == [11, 11]
    assert steps(patience=20) == [21, 21]


def test_validation_with_a_loss_goes_on_too():
    options = {"validation": steps_and(distance_to_half_way), "patience": 7}
    part = descend(**options, callback=lambda p: p.iteration >= 20)
    whole = sb.minimize(lambda x: quadratic(x, (1.0, 2.0)), part, max_iter=500)
    straight = descend(**options)
    np.testing.assert_array_equal(whole.theta, straight.theta)
    np.testing.assert_array_equal(whole.validation_loss, straight.validation_loss)


def test_bad_validation_gets_one_sentence():
    with pytest.raises(InvalidInput, match=r"patience must be a positive integer. Got 0"):
        descend(validation=distance_to_half_way, patience=0)
    with pytest.raises(InvalidInput, match="validation must be an objective or a function"):
        descend(validation=3)
    with pytest.raises(InvalidInput, match=r"one score for each of 4 starts. Got shape"):
        descend(validation=lambda theta: 1.0)


def test_the_race_drops_those_behind_after_equally_many_evaluations():
    outcome = descend(racing=Racing(first=5, factor=2))
    order = np.argsort(quadratic(STARTS, (1.0, 2.0))[0])  # steps shrink all alike
    assert [outcome.status[start] for start in order[2:]] == [Status.DROPPED] * 2
    assert outcome.n_evaluations[order[2:]].tolist() == [5, 5]
    assert outcome.status[order[1]] is Status.DROPPED
    assert outcome.n_evaluations[order[1]] == 10
    assert outcome.status[order[0]] is Status.CONVERGED
    assert outcome.best == order[0]


def test_without_a_race_none_is_dropped():
    assert Status.DROPPED not in descend().status
    assert Status.DROPPED not in descend(racing=False).status
    assert Status.DROPPED in descend(racing=True).status


def test_a_start_that_has_ended_well_drops_others_and_is_not_dropped():
    starts = np.array([[0.0, 0.0], [4.0, 3.0], [5.0, 5.0], [6.0, 6.0]])
    outcome = sb.minimize(
        lambda x: quadratic(x, (1.0, 2.0)), starts, method="gradient-descent",
        learning_rate=0.01, max_iter=300, racing=Racing(first=3, factor=4),
    )  # fmt: skip
    assert outcome.status[0] is Status.STATIONARY_START
    assert outcome.status[1:] == (Status.DROPPED,) * 3


def test_with_validation_the_race_is_on_the_score():
    score = lambda theta: -np.asarray(theta)[:, 0]  # noqa: E731 - prefers what J does not
    outcome = descend(validation=score, patience=50, racing=Racing(first=4, factor=4))
    assert outcome.status[0] is not Status.DROPPED
    assert outcome.status[1:] == (Status.DROPPED,) * 3


@given(
    first=st.integers(1, 50),
    factor=st.floats(1.01, 10.0),
    score=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40),
)
def test_rungs_grow_and_the_best_is_never_dropped(first, factor, score):
    racing = Racing(first, factor)
    rungs = [count for count in range(1, 400) if racing.is_rung(count)]
    assert not rungs or rungs[0] == first
    score = np.array(score)
    dropped = racing.losers(score, np.full(len(score), True))
    assert not dropped[score.argmin()]
    assert (~dropped).sum() == max(1, int(np.ceil(len(score) / factor)))
    if dropped.any():
        assert score[dropped].min() >= score[~dropped].max()


def test_bad_races_get_one_sentence():
    with pytest.raises(InvalidInput, match=r"first of Racing must be a positive integer. Got 0"):
        Racing(first=0)
    with pytest.raises(InvalidInput, match=r"factor of Racing must be above 1. Got 1"):
        Racing(factor=1)


def test_validation_goes_on_too():
    part = descend(
        validation=distance_to_half_way, patience=7, callback=lambda p: p.iteration >= 20
    )
    whole = sb.minimize(lambda x: quadratic(x, (1.0, 2.0)), part, max_iter=500)
    straight = descend(validation=distance_to_half_way, patience=7)
    np.testing.assert_array_equal(whole.theta, straight.theta)
    np.testing.assert_array_equal(whole.validation, straight.validation)
    assert whole.status == straight.status


def test_the_race_is_seen_by_torch_starts_too(torch):
    theta = torch.from_numpy(STARTS)
    outcome = sb.minimize(
        lambda x: ((x * x).sum(-1), 2 * x), theta, racing=Racing(first=1, factor=4), max_iter=3
    )
    assert [status is Status.DROPPED for status in outcome.status] == [True, True, True, False]


@pytest.mark.parametrize("factor", ["a", True, 1.0, np.nan])
def test_a_factor_that_drops_nothing_is_refused(factor):
    with pytest.raises(InvalidInput, match="factor of Racing must be above 1"):
        Racing(factor=factor)
