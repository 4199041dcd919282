"""Sections of a document: each from things whose answer is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize import Outcome, Status
from symbreak.reports.charts.search import candidates
from symbreak.reports.collect.cards import cards
from symbreak.reports.collect.curves import cost_curves, spread_over, thinned
from symbreak.reports.collect.estimator import network_of
from symbreak.reports.collect.network import distinct_over_updates, network_over_updates
from symbreak.reports.collect.predictions import of_classes, of_numbers
from symbreak.reports.collect.search import of_choice
from symbreak.reports.collect.starts import minima_words
from symbreak.reports.collect.training import _of_trajectory
from symbreak.reports.numbers import CONVENTION, MINUS, plain, short, shown
from symbreak.training import Training, train
from symbreak.training.checks import Symmetry, gradient_report
from symbreak.training.choosing import Choice
from symbreak.training.minima import distinct_minima
from symbreak.training.scores import class_scores, number_scores
from symbreak.training.seen_rows import Seen
from symbreak.training.selection import Candidate
from symbreak.training.share_interval import wilson
from symbreak.training.trajectory import Trajectories, Trajectory
from tests.fitting import quiet


def test_numbers_are_written_as_the_convention_says():
    found = plain({"a": math.inf, "b": [-math.inf, math.nan, None], "c": np.float64(0.1)})
    assert found == {"a": "inf", "b": ["-inf", "nan", None], "c": 0.1}
    assert all(f'"{word}"' in CONVENTION for word in ("inf", "-inf", "nan"))
    words = [shown(one) for one in ("inf", "-inf", "nan", None, True, 7, -1.5)]
    assert words == ["∞", "\N{MINUS SIGN}∞", "not a number", "\N{EN DASH}", "yes", "7",
                     "\N{MINUS SIGN}1.5"]  # fmt: skip
    assert short("x" * 200) == "x" * 119 + "…"
    assert short("x" * 120) == "x" * 120


@pytest.mark.parametrize(("right", "m"), [(0, 7), (7, 7), (1, 2), (350, 359)])
def test_the_interval_of_a_share_is_that_of_scipy(right, m):
    known = binomtest(right, m).proportion_ci(method="wilson")
    assert wilson(right, m) == pytest.approx((known.low, known.high), rel=1e-12, abs=1e-15)


def test_of_too_many_classes_those_with_most_errors_are_shown():
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(60), 5)
    guess = y.copy()
    wrong = np.arange(0, 300, 7)[5:]
    guess[wrong] = (y[wrong] + 1 + random.integers(0, 58, len(wrong))) % 60
    probability = np.eye(60)[guess] * 0.9 + 0.1 / 60
    names = [f"c{k}" for k in range(60)]
    found = of_classes(y, probability, names, class_scores(y, probability))
    shown_ones = [int(name[1:]) for name in found["confusion"]["classes"]]
    errors = [int(((y == k) & (guess != k)).sum() + ((y != k) & (guess == k)).sum())
              for k in range(60)]  # fmt: skip
    hidden = set(range(60)) - set(shown_ones)
    assert len(shown_ones) == 50
    assert max(errors[k] for k in hidden) <= min(errors[k] for k in shown_ones)
    assert found["confusion"]["counts"][3][3] == found["confusion"]["right"][3]


def scored_numbers(y, predicted):
    return of_numbers(y, predicted, number_scores(y, predicted))


def test_the_bootstrap_covers_what_a_normal_approximation_says():
    random = np.random.default_rng(1)
    y = random.normal(size=4000)
    predicted = y + 0.5 * random.normal(size=4000)
    found = scored_numbers(y, predicted)
    low, high = found["rmse_interval"]
    squares = (y - predicted) ** 2
    spread = squares.std() / math.sqrt(4000) / (2 * math.sqrt(squares.mean()))
    assert (high - low) / 2 == pytest.approx(1.96 * spread, rel=0.1)
    assert (high + low) / 2 == pytest.approx(found["rmse"], rel=0.002)


def test_one_row_has_no_interval_and_no_r2():
    found = scored_numbers(np.array([2.0]), np.array([1.0]))
    assert found["rmse_interval"] is None
    assert found["r2"] is None


def test_equal_targets_have_no_interval_of_r2_and_the_card_says_why():
    found = scored_numbers(np.full(9, 0.1), np.linspace(0.0, 1.0, 9))
    assert found["r2"] == 0.0
    assert found["r2_interval"] is None
    assert found["rmse_interval"][0] < found["rmse"] < found["rmse_interval"][1]
    card = cards({"kind": "k", "title": "t", "scores": found})[1]
    assert card["value"] == "R² 0"
    assert card["detail"].startswith("no interval, as all targets are equal, on 9 rows")


def test_samples_of_equal_targets_do_not_widen_the_interval_of_r2():
    found = scored_numbers(np.array([0.0, 1.0]), np.array([0.25, 1.0]))
    assert found["r2_interval"] == [found["r2"], found["r2"]] == [0.875, 0.875]


def test_curves_keep_first_and_last_and_leave_out_what_is_not():
    history = np.full((1001, 3), np.nan)
    history[:, 0] = np.linspace(5, 1, 1001)
    history[:4, 1] = [4, 3, 1.5, 2]
    history[0, 2] = np.inf
    none = np.zeros(3, dtype=np.int64)
    outcome = Outcome(
        np.zeros((3, 2)), np.array([1.0, 1.5, np.inf]), np.ones(3), (Status.MAX_ITERATIONS,) * 3,
        np.array([1000, 3, 0]), none, np.array([1000, 2, 0]), history, 0.0,
    )  # fmt: skip
    first, second, third = cost_curves(outcome, 1)["lines"]
    assert (first["iterations"][0], first["iterations"][-1]) == (0, 1000)
    assert len(first["J"]) <= 150
    assert second == {
        "start": 1, "iterations": [0, 1, 2, 3], "J": [4, 3, 1.5, 2], "kept": [2, 1.5],
    }  # fmt: skip
    assert third["J"] == ["inf"]
    assert thinned(1000)[-1] == 999


def test_starts_are_spread_over_the_ranks_with_the_chosen_one():
    value = np.arange(1000.0)[::-1]
    some = spread_over(value, 50, 17)
    assert len(some) == 50
    assert {0, 999, 17} <= {*some, 0}
    assert 17 in some
    assert 999 in some  # the lowest J


def test_equal_and_mirrored_weights_have_the_classes_they_were_given():
    net = sb.Network((1, 2, 1), "tanh")
    theta = np.array([1.0, 2.0, -1.0, -2.0, 5.0, 3.0, -3.0])
    trajectory = Trajectory(4, np.array([0, 8]), np.stack([theta, theta * 2 + 0.1]))
    found = network_over_updates(net, trajectory, np.array([0.5, 0.25]))
    first = found["picture"]["snapshots"][0]
    assert first["classes"] == [[[1, 2], [-1, -2]], [[0, 3, -3]]]
    assert (found["start"], found["iterations"], found["J"]) == (4, [0, 8], [0.5, 0.25])
    equal = Trajectory(0, np.array([0]), np.array([[1.0, 2, 1, 2, 5, 3, 3]]))
    assert distinct_over_updates(net, equal)["layers"] == [{"units": 2, "distinct": [1]}]


@pytest.mark.parametrize("hidden", [(5,), (4, 3)])
def test_the_network_of_an_estimator_of_scikit_learn_predicts_the_same(hidden):
    X, y = load_iris(return_X_y=True)
    fitted = quiet(MLPClassifier(hidden, activation="logistic", max_iter=30, random_state=0), X, y)
    two = quiet(MLPClassifier(hidden, max_iter=5, random_state=0), X[:100], y[:100])
    number = MLPRegressor(hidden_layer_sizes=hidden, activation="tanh", max_iter=5, random_state=0)
    quiet(number, X, X[:, 0])
    net, theta = network_of(fitted)
    np.testing.assert_allclose(net.predict(theta, X), fitted.predict_proba(X), rtol=1e-9)
    net, theta = network_of(two)
    np.testing.assert_allclose(net.predict(theta, X)[:, 0], two.predict_proba(X)[:, 1], rtol=1e-9)
    net, theta = network_of(number)
    np.testing.assert_allclose(net.predict(theta, X)[:, 0], number.predict(X), rtol=1e-9)
    data = sb.report(fitted).data
    assert data["curves"]["lines"][0]["J"] == pytest.approx(fitted.loss_curve_, rel=1e-6)


def quadratic(theta):
    return (theta**2).sum(-1), 2 * theta


def test_several_things_are_one_page_and_the_first_gives_the_title(torch):
    nn = torch.nn
    outcome = sb.minimize(quadratic, np.array([[1.0, 2.0], [3.0, 1.0]]))
    check = sb.check_gradient(quadratic, np.array([1.0, 2.0]))
    found = sb.diagnose(
        nn.Linear(2, 2), loss=nn.MSELoss(), batch=(torch.randn(4, 2), torch.randn(4, 2))
    )
    made = sb.report([outcome, check, found])
    assert made.data["title"] == "Minimisation of J"
    assert {"starts", "gradient_check", "diagnosis"} <= set(made.data)
    assert made.data["gradient_check"]["verdict"] == "pass"
    names = [card["name"] for card in made.data["first_screen"]]
    assert names == ["What", "Starts", "Gradient", "Diagnosis", "What to do next"]


def test_the_rows_of_a_gradient_report_are_its_blocks():
    def wrong(theta):
        return (theta**2).sum(-1), 3 * theta

    report = sb.check_gradient(wrong, np.array([1.0, 2.0]))
    made = sb.report(report)
    (row,) = made.data["gradient_check"]["blocks"]
    assert row["analytic"] == report.blocks[0].analytic
    assert row["verdict"] == "fail"
    assert made.data["first_screen"][-1]["value"] == "Mend the gradient"


def test_what_cannot_be_reported_is_refused_in_one_sentence():
    things: tuple[object, ...] = ({}, 3, [])
    for thing in things:
        with pytest.raises(InvalidType, match="What is reported must be an Outcome"):
            sb.report(thing)
    for thing in (MLPClassifier(), make_pipeline(StandardScaler(), MLPClassifier()), Ridge()):
        name = type(thing).__name__
        with pytest.raises(InvalidInput, match=f"{name} must be a fitted neural network"):
            sb.report(thing)
    with pytest.raises(InvalidType, match="Got the class MLPClassifier"):
        sb.report(MLPClassifier)


STARTS = {
    "n_starts": 3, "n_lowest": 1, "n_usable": 3, "n_converged": 3, "n_minima": 3, "lowest_J": 1.0,
    "lowest_status": "converged", "needs_more_starts": False, "chance_of_lower_at_most": 0.25,
}  # fmt: skip
ROW = {
    "start": 7,
    "J": 1.0,
    "status": "converged",
    "status_text": "converged",
    "iterations": 9,
    "best_iteration": 9,
}


ADVICE = {
    "kind": "overfitting", "title": "It overfits", "sentence": "Log-loss 0.4 and 0.6.",
    "remedy": "choose_penalty", "todo": "Raise --alpha.",
}  # fmt: skip
OTHER = {**ADVICE, "title": "Use more starts"}


@pytest.mark.parametrize(
    ("sections", "wanted"),
    [
        ({"gradient_check": {"verdict": "fail", "finding": ""}}, "Mend the gradient"),
        ({"symmetry": {"is_broken": False, "units": [2], "finding": ""}}, "Break the symmetry"),
        ({"restarts": STARTS, "starts": [ROW], "advice": [ADVICE, OTHER]}, "It overfits"),
        (
            {
                "symmetry": {"is_broken": False, "units": [2], "finding": ""},
                "restarts": STARTS,
                "advice": [ADVICE],
            },
            "Break the symmetry",
        ),
        ({"restarts": STARTS, "starts": [ROW], "network": {}}, "Use the model"),
        ({"restarts": STARTS, "starts": [ROW]}, "Take what was found"),
        ({}, "Train"),
        ({"then": "Predict with it."}, "Use the model"),
    ],
)
def test_the_first_thing_that_asks_for_action_is_next(sections, wanted):
    found = cards({"kind": "k", "title": "t", **sections})
    assert found[-1]["value"] == wanted


def test_advice_stands_on_the_first_screen_with_what_to_do():
    document = {"kind": "k", "title": "t", "restarts": STARTS, "starts": [ROW], "advice": [ADVICE]}
    assert cards(document)[-1]["detail"] == "Log-loss 0.4 and 0.6. Raise --alpha."


@pytest.mark.parametrize("kind", ["constant_network", "underfitting"])
def test_equal_starts_are_no_success_where_they_found_too_little(kind):
    document = {"kind": "k", "title": "t", "restarts": STARTS, "starts": [ROW]}
    assert cards(document)[1]["level"] == "good"
    assert cards({**document, "advice": [{**ADVICE, "kind": kind}]})[1]["level"] == "watch"
    assert cards({**document, "advice": [ADVICE]})[1]["level"] == "good"


CLASSES = {
    "kind": "classes", "accuracy": 0.9, "log_loss": 0.2, "accuracy_interval": [0.8, 0.95],
    "rows": 100, "where": "of t.csv",
}  # fmt: skip


@pytest.mark.parametrize(
    ("n", "value", "level"),
    [(100, "No score of new data", "bad"), (40, "40 of 100 rows are not new", "bad"),
     (3, "90.0 % right", "plain"), (0, "90.0 % right", "plain")],
)  # fmt: skip
def test_rows_that_were_trained_on_are_told_of_first(n, value, level):
    sentence = Seen(n, 100).sentence if n else ""
    scores = {**CLASSES, "seen": {"rows": n, "sentence": sentence}}
    card = cards({"kind": "k", "title": "t", "scores": scores})[1]
    assert (card["name"], card["value"], card["level"]) == ("How good", value, level)
    assert card["detail"].startswith(sentence)
    assert "log-loss 0.2" in card["detail"]


def test_a_score_stands_beside_the_simplest():
    entries = [
        {"what": "holdout", "log_loss": 0.2}, {"what": "constant", "log_loss": 0.69},
        {"what": "linear", "log_loss": 0.3},
    ]  # fmt: skip
    document = {"kind": "k", "title": "t", "scores": CLASSES, "comparison": {"entries": entries}}
    assert "log-loss 0.2 (class shares 0.69, no hidden layer 0.3)" in cards(document)[1]["detail"]


@pytest.mark.parametrize(
    ("scores", "value"),
    [
        ({"accuracy": 0.9667, "log_loss": 0.1}, "96.7 % right"),
        ({"r2": -0.25, "rmse": 3.0}, f"R² {MINUS}0.25"),
    ],
)
def test_a_saved_model_brings_its_score_along(scores, value):
    found = cards({"kind": "k", "title": "t", "at_training": {"holdout": scores}})
    assert (found[1]["name"], found[1]["value"]) == ("How good", value)


def test_a_card_does_not_say_its_name_and_value_twice():
    sections = {
        "gradient_check": {"verdict": "pass", "finding": "largest error 1."},
        "symmetry": {"is_broken": False, "units": [2], "finding": "Symmetry is not broken."},
    }
    found = {card["name"]: card for card in cards({"kind": "k", "title": "t", **sections})}
    assert found["Gradient"]["detail"] == "Largest error 1."
    assert found["Symmetry"]["detail"] == "Symmetry is not broken."


def test_the_line_of_a_check_is_its_verdict_and_its_finding():
    """A card shows the verdict and the finding, the text below it the whole line."""
    net = sb.Network((2, 3, 1), "tanh", "squared_error")
    cost = sb.NetworkCost(net, [[1.0, 2.0], [0.5, -1.0]], [1.0, 2.0])
    for theta in (sb.initialize(net, starts=2), np.zeros((2, net.n_parameters))):
        found = Symmetry.of(net, theta, alpha=0.0, method="l-bfgs")
        name = "Symmetry" if found.is_broken else "Warning"
        assert found.line == f"{name}: {found.finding}"
        report = gradient_report(cost, theta)
        assert report.line == f"Gradient check: {report.verdict}, {report.finding}"


def test_of_a_start_that_diverged_page_and_slider_show_the_kept_point_where_it_was_seen():
    """Falls for some updates, then leaps away: J, update and weights are those of the lowest."""
    X, y = load_diabetes(return_X_y=True)
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    net = sb.Network((10, 5, 1), "relu", "squared_error")
    theta = sb.initialize(net, "normal", starts=3, seed=0, dtype="float64")
    cost, trajectories = sb.NetworkCost(net, X, y, alpha=10.0), Trajectories(theta)
    outcome = sb.minimize(
        cost,
        theta,
        method="gradient-descent",
        learning_rate=4.0,
        momentum=0.9,
        max_iter=300,
        callback=trajectories,
    )
    assert set(outcome.status) == {Status.DIVERGED}
    start = outcome.best
    best = int(np.nanargmin(outcome.history[:, start]))
    assert 0 < best < outcome.n_iterations[start]
    page = _of_trajectory(net, outcome, trajectories.of(start, outcome))["network"]
    assert page["iterations"][-1] == best
    assert page["iterations_made"] == outcome.n_iterations[start]
    for Theta, drawn in zip(
        net.thetas(outcome.theta[start]), page["picture"]["snapshots"][-1]["weights"],
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(np.array(drawn)[:, :9], Theta[:8, :9], rtol=1e-4)
    for update, J in zip(page["iterations"], page["J"], strict=True):
        assert outcome.history[update, start] == pytest.approx(J, rel=1e-6)
    row = sb.report(outcome).data["starts"][0]
    assert (row["best_iteration"], row["iterations"]) == (best, outcome.n_iterations[start])
    assert row["J"] == outcome.history[best, start]


def test_scores_of_validation_are_a_curve_of_the_page():
    X, y = load_iris(return_X_y=True)
    fitted = sb.MLPClassifier(
        (4,), solver="adam", early_stopping=True, max_iter=20, n_starts=2, random_state=0
    )
    quiet(fitted, X, y)
    found = sb.report(fitted).data["validation_curves"]
    assert found["higher_is_better"]
    assert found["chosen"] == fitted.kept_[0]
    line = next(one for one in found["lines"] if one["start"] == found["chosen"])
    np.testing.assert_allclose(line["score"], fitted.validation_scores_, rtol=1e-6)
    assert line["iterations"] == list(range(1, len(line["score"]) + 1))


def test_a_report_is_saved_and_shown_in_notebooks(tmp_path):
    outcome = sb.minimize(quadratic, np.array([[1.0, 2.0]]))
    made = sb.report(outcome, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text("utf-8") == made.html
    assert made._repr_html_().startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    json.dumps(made.data, allow_nan=False)


def test_the_cost_at_the_end_of_the_diagram_is_that_of_the_best_point():
    """Gradient descent with momentum overshoots: the last point is not the best one."""
    X, y = load_iris(return_X_y=True)
    net = sb.Network((4, 3, 3), "tanh", "cross_entropy")
    trained = train(
        net, X, y, starts=1, method="gradient-descent", learning_rate=5.0, max_iter=12
    )  # fmt: skip
    outcome = trained.outcome
    last = outcome.history[outcome.n_iterations[0], 0]
    assert last > 1.01 * outcome.value[0]  # or else this test shows nothing
    data = sb.report(trained).data
    assert data["network"]["J"] == [pytest.approx(outcome.value[0], rel=1e-6)]


class Fitted:
    """A fitted estimator of several starts, as far as a report asks."""

    classes_ = np.array([0, 1])

    def __init__(self, training, coefs, intercepts):
        self.training_ = training
        self.coefs_, self.intercepts_ = coefs, intercepts

    def get_params(self):
        return {"alpha": 0.1}


def test_an_estimator_of_many_starts_shows_them_and_the_one_that_leads():
    outcome = sb.minimize(quadratic, np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]]))
    coefs = [np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 1))]
    intercepts = [np.zeros(3), np.zeros(2), np.zeros(1)]
    training = Training(
        network=sb.Network((2, 3, 2, 1), ["tanh", "sigmoid"], "binary_cross_entropy"),
        outcome=replace(outcome, value=np.array([0.0, 2.0, 1.0])), combine="average",
        usable=np.array([False, True, True]), kept=(1, 2),
    )  # fmt: skip
    data = sb.report(Fitted(training, coefs, intercepts)).data
    assert {row["start"]: row["used"] for row in data["starts"]} == {0: False, 1: True, 2: True}
    assert data["curves"]["chosen"] == data["network"]["start"] == 2
    assert data["network"]["activations"] == ["tanh", "sigmoid"]
    assert data["network"]["distinct"] == [[1, 1]]


def after(estimator, X, y):
    """Where the page says that the weights of a fitted estimator were seen, and J there."""
    network = sb.report(quiet(estimator, X, y)).data["network"]
    return network["iterations"], network["J"]


@pytest.mark.parametrize("kind", [MLPClassifier, sb.MLPClassifier])
def test_with_early_stopping_the_weights_are_those_of_the_best_score(kind):
    X, y = load_iris(return_X_y=True)
    # Steps so long that score and loss get worse again.
    settings = {
        "early_stopping": True, "max_iter": 40, "random_state": 0, "learning_rate_init": 0.5,
    }  # fmt: skip
    fitted = kind((5,), n_iter_no_change=5, **settings)
    iterations, _ = after(fitted, X, y)
    # Of points with the best score scikit-learn's keeps the first, ours that of the lowest loss.
    first = int(np.argmax(fitted.validation_scores_)) + 1
    assert iterations[0] >= first if kind is sb.MLPClassifier else iterations == [first]
    assert fitted.validation_scores_[iterations[0] - 1] == max(fitted.validation_scores_)
    assert iterations[0] < fitted.n_iter_
    words = f"went on to iteration {fitted.n_iter_}, to points with no better validation score"
    said = words in sb.report(fitted).html
    assert said == (kind is sb.MLPClassifier)  # scikit-learn's does not say what it did after
    # Stopped right there without looking at scores, the weights are these.
    there = kind((5,), **{**settings, "max_iter": iterations[0]})
    after(there, X, y)
    np.testing.assert_allclose(fitted.coefs_[0], there.coefs_[0], rtol=1e-12)


def test_the_cost_of_an_estimator_is_that_of_its_weights():
    X, y = load_iris(return_X_y=True)
    fitted = sb.MLPClassifier((5,), solver="lbfgs", alpha=0.1, max_iter=50, random_state=0)
    iterations, J = after(fitted, X, y)
    assert [pytest.approx(fitted.loss_, rel=1e-6)] == J
    assert iterations == fitted.outcome_.best_iteration.tolist()


def test_fits_in_parts_count_all_their_epochs():
    X, y = load_iris(return_X_y=True)
    parts = sb.MLPClassifier((5,), random_state=0)
    for _ in range(4):
        parts.partial_fit(X, y, classes=[0, 1, 2])
    page = sb.report(parts)
    assert page.data["network"]["iterations"] == [4]
    assert page.data["network"]["iterations_made"] == 4
    assert "of the last call of partial_fit" in page.data["note"]
    assert page.data["note"] in page.html


def test_of_pipelines_and_searches_the_network_inside_is_shown():
    X, y = load_iris(return_X_y=True)
    net = sb.MLPClassifier((3,), max_iter=5, random_state=0)
    piped = make_pipeline(StandardScaler(), clone(net))
    searched = GridSearchCV(clone(piped), {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2)
    stacked = sb.StackedSearchCV(clone(net), {"alpha": [0.1, 1.0]}, cv=2)
    for thing in (piped, searched, stacked):
        iterations, _ = after(thing, X, y)
        assert iterations == [5]
        assert sb.report(thing).data["title"] == "MLPClassifier"


@pytest.mark.parametrize("scoring", [None, "neg_log_loss"])
def test_the_candidates_of_a_search_are_those_of_its_results(scoring):
    X, y = load_iris(return_X_y=True)
    net = sb.MLPClassifier((3,), solver="lbfgs", max_iter=20, random_state=0)
    searched = GridSearchCV(net, {"alpha": [100.0, 0.1, 1.0]}, cv=3, scoring=scoring)
    quiet(searched, X, y)
    page = sb.report(searched)
    found, results = page.data["search"], searched.cv_results_
    assert (found["score"], found["folds"]) == (scoring or "score", 3)
    assert [row["rank"] for row in found["candidates"]] == sorted(results["rank_test_score"])
    assert [row["taken"] for row in found["candidates"]] == [True, False, False]
    assert found["candidates"][0]["settings"] == searched.best_params_
    for row in found["candidates"]:
        place = results["params"].index(row["settings"])
        assert row["mean"] == results["mean_test_score"][place]
        assert row["spread"] == results["std_test_score"][place]
    assert 'aria-label="Score of 3 candidates' in page.html
    assert f"the one with the highest {scoring or 'score'} over 3 folds" in page.html


def test_where_refit_takes_another_than_the_first_it_is_marked():
    X, y = load_iris(return_X_y=True)
    net = sb.MLPClassifier((3,), solver="lbfgs", max_iter=20, random_state=0)
    grid = {"alpha": [0.1, 100.0], "activation": ["tanh", "relu"]}
    searched = GridSearchCV(net, grid, cv=2, refit=lambda results: 3)
    quiet(searched, X, y)
    page = sb.report(searched)
    (taken,) = (row for row in page.data["search"]["candidates"] if row["taken"])
    assert taken["settings"] == searched.cv_results_["params"][3]
    assert not page.data["search"]["candidates"][0]["taken"]
    assert "Of 4 candidates one over 2 folds" in page.html
    assert "candidates of the search" not in page.html.split("<h2")[3]  # two settings, no chart


def test_the_penalties_that_cross_validation_compared_are_on_the_page():
    scores = {0.1: -0.5, 1.0: -0.25, 10.0: -0.25, 100.0: -math.inf}
    of_layers = [
        Candidate((3,), "tanh", 20, alpha, np.array([score, score - 0.25]) + 0.125)
        for alpha, score in scores.items()
    ]
    linear = Candidate((), "tanh", 5, 7.0, np.array([-0.75, -0.75]))
    found = of_choice(Choice((linear, *of_layers), 3, 2))
    assert [tuple(row["settings"].values()) for row in found["candidates"]] == [
        ("3 tanh", 10.0), ("3 tanh", 1.0), ("3 tanh", 0.1), ("no hidden layer", 7.0),
        ("3 tanh", 100.0),
    ]  # fmt: skip
    assert [row["taken"] for row in found["candidates"]] == [True, False, False, False, False]
    assert [row["mean"] for row in found["candidates"]] == [0.25, 0.25, 0.5, 0.75, "inf"]
    assert [row["spread"] for row in found["candidates"][:4]] == [0.125, 0.125, 0.125, 0.0]
    chart = candidates(found)
    assert chart is not None
    assert str(chart).count("<circle") == 3
    assert (chart.x.low, chart.x.high, chart.x.kind) == (0.1, 10.0, "log")


def test_a_list_of_two_runs_is_refused_and_not_mixed():
    outcome = sb.minimize(quadratic, np.array([[1.0, 2.0]]))
    check = sb.check_gradient(quadratic, np.array([1.0, 2.0]))
    X, y = load_iris(return_X_y=True)
    other = MLPClassifier((2,), solver="lbfgs", max_iter=2)
    quiet(other, X, y)
    for things, kind in (
        ([outcome, outcome], "run"), ([check, outcome, check], "gradient report"),
        ([outcome, check, other], "run"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=f"A list to report must have one {kind}.*Got 2"):
            sb.report(things)


def test_what_an_iteration_is_is_said():
    X, y = load_iris(return_X_y=True)
    net = sb.Network((4, 2, 3), "tanh", "cross_entropy")
    for method, words in (("l-bfgs", "one update of theta"), ("adam", "an epoch, a pass over")):
        trained = train(net, X, y, starts=2, method=method, max_iter=3)
        assert words in sb.report(trained).data["iteration"]
        assert words in sb.report(trained).html


def test_minima_of_equal_j_are_told_apart_by_what_they_predict():
    X, y = load_iris(return_X_y=True)
    trained = train(sb.Network((4, 2, 3), "tanh", "cross_entropy"), X, y, starts=5, alpha=1.0,
                    max_iter=2000)  # fmt: skip
    words = str(distinct_minima(trained.network, trained.outcome))
    assert sb.report(trained).data["minima"] == words
    assert minima_words(trained.network, trained.outcome, X).count("by predictions") == 1
