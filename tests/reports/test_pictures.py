"""Displays draw the numbers they are given, on the axes they are given, and style nothing else."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.datasets import load_iris

import symbreak as sb
from symbreak.errors import InvalidType
from symbreak.reports.pictures.display import GREY, colour
from symbreak.training import train
from symbreak.training.trajectory import Trajectories, Trajectory
from tests.fitting import quiet

pictures = sb.pictures
NET = sb.Network((2, 3, 1), "tanh")


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def nothing_global_changes():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


@pytest.fixture(scope="module")
def searched():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    cost = sb.NetworkCost(NET, X, y, alpha=1.0)
    theta = sb.initialize(NET, starts=5)
    trajectories = Trajectories(theta)
    return cost, theta, sb.minimize(cost, theta, callback=trajectories), trajectories, X, y


def test_curves_are_the_history_and_the_chosen_one_stands_out(searched, ax):
    outcome = searched[2]
    shown = pictures.CostCurvesDisplay.from_outcome(outcome, validation=[3.0, 4.0], ax=ax)
    assert shown.ax_ is ax
    assert shown.figure_ is ax.figure
    *others, last, dot = ax.lines
    best = outcome.best
    np.testing.assert_array_equal(dot.get_xdata(), [outcome.best_iteration[best]])
    np.testing.assert_array_equal(dot.get_ydata(), [outcome.value[best]])
    assert len(others) == 4
    assert {to_hex(line.get_color()) for line in others} == {GREY}
    np.testing.assert_array_equal(last.get_ydata(), outcome.history[:, outcome.best])
    assert to_hex(last.get_color()) == colour(1)
    assert last.get_linewidth() > max(line.get_linewidth() for line in others)
    (beside,) = (one for one in ax.figure.axes if one is not ax)
    np.testing.assert_array_equal(beside.lines[0].get_ydata(), [3.0, 4.0])


def test_another_start_may_be_chosen(searched, ax):
    pictures.CostCurvesDisplay.from_outcome(searched[2], chosen=3, ax=ax)
    np.testing.assert_array_equal(ax.lines[-2].get_ydata(), searched[2].history[:, 3])


def test_a_curve_that_leaps_away_is_cut_where_the_others_are_still_seen(ax):
    history = np.array([[2.0, 3.0], [1.0, 3.5], [0.5, np.inf], [np.nan, np.nan]])
    only_infinity = pictures.CostCurvesDisplay(history=history, chosen=0).plot(ax)
    assert only_infinity.ax_.get_ylabel() == "J (cut at the top)"
    ax.clear()
    history[1, 1] = 1e100
    display = pictures.CostCurvesDisplay(history=history, chosen=0, kept=(2, 0.5))
    display.plot(ax)
    grey, blue, dot = ax.lines
    np.testing.assert_array_equal(grey.get_ydata(), [3.0, 300.0, 300.0, np.nan])
    np.testing.assert_array_equal(blue.get_ydata(), [2.0, 1.0, 0.5, np.nan])
    np.testing.assert_array_equal([dot.get_xdata(), dot.get_ydata()], [[2], [0.5]])
    assert ax.get_ylabel() == "J (cut at the top)"
    low, high = ax.get_ylim()
    assert low < 0.5 < 300.0 < high < 1e4


def test_what_the_legend_leaves_out_is_said(ax):
    minima = [(start,) for start in range(12)]
    pictures.FinalCostsDisplay(value=np.arange(12.0), minima=minima, n_lowest=1).plot(ax)
    legend = ax.get_legend()
    assert len(legend.get_texts()) == 8
    assert legend.get_title().get_text() == "4 more are not named"


def test_final_costs_are_sorted_and_grouped(searched, ax):
    outcome = searched[2]
    shown = pictures.FinalCostsDisplay.from_outcome(outcome, ax=ax)
    found = outcome.restarts
    assert ax.get_title() == f"{found.n_lowest} of 5 starts reached the best" == shown.text
    places = np.concatenate([line.get_xydata() for line in ax.lines])
    places = places[np.argsort(places[:, 0])]
    np.testing.assert_array_equal(places[:, 0], np.arange(1, 6))
    np.testing.assert_array_equal(places[:, 1], np.sort(outcome.value))
    for line, minimum in zip(ax.lines, found.minima, strict=False):
        assert sorted(line.get_ydata()) == sorted(outcome.value[list(minimum.starts)])


def test_infinite_costs_are_left_out(ax):
    shown = pictures.FinalCostsDisplay(value=[np.inf, 1.0], minima=[(1,)], n_lowest=1)
    shown.plot(ax)
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1.0]]


def test_starts_that_did_not_converge_are_open(ax):
    pictures.FinalCostsDisplay(value=[3.0, 1.0, 2.0], minima=[(1,)], n_lowest=1).plot(ax)
    full, open_ones = ax.lines
    assert full.get_xydata().tolist() == [[1, 1]]
    assert sorted(open_ones.get_xydata().tolist()) == [[2, 2], [3, 3]]
    assert open_ones.get_markerfacecolor() == "none"


def test_displays_take_what_was_trained(searched, ax):
    X, y = searched[4:]
    trained = train(NET, X, y, starts=2, max_iter=5)
    for display in (pictures.CostCurvesDisplay, pictures.FinalCostsDisplay):
        assert display.from_estimator(trained, ax=ax).ax_ is ax
    with pytest.raises(InvalidType, match="must be fitted and keep its outcome_"):
        pictures.CostCurvesDisplay.from_estimator(3)


def test_the_path_of_penalties_shows_what_was_compared_and_chosen(ax):
    X, y = load_iris(return_X_y=True)
    fitted = sb.MLPClassifierCV(
        [(), (2,)], alphas=[0.0, 0.1, 1.0], cv=3, n_starts=1, screening_starts=1, random_state=0
    ).fit(X[::3], np.random.default_rng(0).permutation(y[::3]))
    shown = pictures.PenaltyPathDisplay.from_estimator(fitted, ax=ax)
    assert shown.names == ["no hidden layer", "2 tanh", "2 silu"]
    place = fitted.best_index_ // 3
    assert np.array_equal(shown.scores[place], fitted.scores_path_)
    bars = [container.lines[0].get_xydata() for container in ax.containers]
    for line, scores in zip(bars, shown.scores, strict=True):
        assert line.tolist() == [[0.1, scores[1].mean()], [1.0, scores[2].mean()]]
    ring = ax.lines[-1]
    assert ring.get_xydata().tolist() == [[fitted.alpha_, fitted.best_score_]]
    assert ax.get_xscale() == "log"
    with pytest.raises(InvalidType, match="must be a fitted MLPClassifierCV or MLPRegressorCV"):
        pictures.PenaltyPathDisplay.from_estimator(sb.MLPClassifierCV())


def test_the_curve_of_an_estimator_is_that_of_the_start_that_leads(ax):
    X, y = load_iris(return_X_y=True)
    fitted = sb.MLPClassifier(
        (4,), combine="best", early_stopping=True, n_starts=4, max_iter=15, random_state=2
    )
    quiet(fitted, X, y)
    shown = pictures.CostCurvesDisplay.from_estimator(fitted, ax=ax)
    (lead,) = fitted.kept_
    assert lead != fitted.outcome_.best  # or else this test shows nothing
    assert shown.chosen == lead
    (beside,) = (one for one in ax.figure.axes if one is not ax)
    scores = np.asarray(beside.lines[0].get_ydata())
    assert np.isnan(scores[0])
    np.testing.assert_array_equal(scores[1:], fitted.validation_scores_)


def test_equal_weights_have_equal_colours_and_mirrors_are_dashed(ax):
    net = sb.Network((1, 2, 1), "tanh")
    theta = np.array([1.0, 2.0, -1.0, -2.0, 5.0, 3.0, -3.0])
    pictures.NetworkDisplay.from_theta(net, theta, updates=7, ax=ax)
    style = [(to_hex(line.get_color()), line.get_linestyle()) for line in ax.lines]
    assert style == [
        (colour(1), "-"), (colour(2), "-"), (colour(1), "--"), (colour(2), "--"),
        (GREY, "-"), (colour(3), "-"), (colour(3), "--"),
    ]  # fmt: skip
    widths = [line.get_linewidth() for line in ax.lines]
    assert np.argmax(widths) == 4
    assert ax.get_title() == "after 7 iterations"
    assert {text.get_text() for text in ax.texts} >= {"x₁", "a₁", "a₂", "+1"}


@pytest.mark.parametrize(("asked", "place"), [(0, 0), (1, 0), (2, 1), (3, 1), (99, 2)])
def test_the_network_at_a_chosen_update_is_the_last_point_before(ax, asked, place):
    net = sb.Network((1, 1, 1), "tanh")
    trajectory = Trajectory(0, np.array([0, 2, 4]), np.arange(12.0).reshape(3, 4))
    shown = pictures.NetworkDisplay.from_path(net, trajectory, updates=asked, ax=ax)
    assert shown.picture["snapshots"][0]["updates"] == 2 * place
    first = 4.0 * place
    np.testing.assert_array_equal(
        shown.picture["snapshots"][0]["weights"][0], [[first, first + 1.0]]
    )


def test_distinct_units_are_counted_over_the_path(ax):
    equal, parted = [1.0, 2, 3, 1, 2, 3, 7, 8, 9, 4, 5, 5, 6], np.arange(13.0)
    trajectory = Trajectory(0, np.array([0, 9]), np.array([equal, parted]))
    pictures.DistinctUnitsDisplay.from_path(NET, trajectory, ax=ax)
    assert ax.lines[0].get_xydata().tolist() == [[0, 2], [9, 3]]


def test_the_spread_is_that_of_a_pass_by_hand(searched, ax):
    _, theta, _, _, X, y = searched
    shown = pictures.SpreadDisplay.from_network(NET, theta, X, y, ax=ax)
    Theta1, Theta2 = NET.thetas(theta[2])
    a2 = np.tanh(X @ Theta1[:, 1:].T + Theta1[:, 0])
    a3 = 1 / (1 + np.exp(-(a2 @ Theta2[:, 1:].T + Theta2[:, 0])))
    np.testing.assert_allclose(shown.a[:, 2], [a2.std(), a3.std()], rtol=1e-5)
    delta3 = a3 - y[:, None]
    np.testing.assert_allclose(shown.delta[1, 2], delta3.std(), rtol=1e-5)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(shown.a, axis=1))


def test_the_gradient_check_is_drawn_with_its_bars(searched, ax):
    cost, theta, *_ = searched
    report = sb.check_gradient(cost, theta[0])
    pictures.GradientCheckDisplay.from_report(report, ax=ax)
    drawn = ax.lines[1].get_xydata().tolist()
    assert drawn == [[one.numerical, one.analytic] for one in report.blocks]
    (bars,) = (one for one in ax.collections[:1])
    ends = np.array([path.vertices[:, 0] for path in bars.get_paths()])
    wanted = [2 * one.bar * one.scale for one in report.blocks]
    # The ends are differences of numbers that are larger than they are.
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], wanted, rtol=1e-2, atol=1e-16)
    assert ax.get_title() == "Gradient check: pass"


def test_pictures_of_predictions_are_those_of_scikit_learn(ax):
    from sklearn.metrics import ConfusionMatrixDisplay

    assert pictures.ConfusionMatrixDisplay is ConfusionMatrixDisplay
    pictures.ConfusionMatrixDisplay.from_predictions([0, 1], [0, 0], ax=ax)
