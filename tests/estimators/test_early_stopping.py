"""Early stopping by a score with steps: what can be learnt is learnt, and what is not is said."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize.status import Status
from tests.fitting import quiet

RARE = 0.07


def rare_class(seed=0, m=600, share=RARE):
    """A class of so many rows, which one of five features tells apart without an error."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, 5))
    return X, (X[:, 0] > np.quantile(X[:, 0], 1.0 - share)).astype(int)


def rare_ball(features, seed=0, m=600):
    """The rows nearest to the middle: at first no direction lowers the number of errors."""
    X = np.random.default_rng(seed).normal(size=(m, features))
    far = np.linalg.norm(X, axis=1)
    return X, (far < np.quantile(far, RARE)).astype(int)


def fitted_without_warning(estimator, *data, **given):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Early stopping")
        return quiet(estimator, *data, **given)


CLASSIFIERS = [
    {"solver": "lbfgs", "n_starts": 16},
    {"solver": "bfgs"},
    {"solver": "conjugate-gradient"},
    {"solver": "newton-cg"},
    {"solver": "rprop", "max_iter": 400},
    {"solver": "adam", "learning_rate_init": 0.01},
    {"solver": "adam", "learning_rate_init": 0.003, "max_iter": 600},
    {"solver": "sgd", "learning_rate_init": 0.1},
    {"solver": "lbfgs", "scoring": "f1"},
    {"solver": "lbfgs", "scoring": "balanced_accuracy"},
    {"solver": "lbfgs", "n_starts": 8, "combine": "best"},
]


@pytest.mark.parametrize("settings", CLASSIFIERS, ids=str)
@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_a_rare_class_that_can_be_told_apart_is(settings, scale):
    X, y = rare_class()
    net = sb.MLPClassifier(
        (10,), "tanh", early_stopping=True, validation_fraction=0.3, random_state=0, **settings
    )
    fitted_without_warning(net, scale * X, y)
    X, y = rare_class(seed=1, m=3000)
    assert net.score(scale * X, y) > 1.0 - RARE + 0.3 * RARE
    assert 0.5 * y.sum() < net.predict(scale * X).sum() < 1.5 * y.sum()


@pytest.mark.parametrize("starts", [1, 16])
@pytest.mark.parametrize(("solver", "features"), [("lbfgs", 2), ("lbfgs", 3)])
def test_a_rare_class_behind_a_plateau_is_found(solver, features, starts):
    X, y = rare_ball(features)
    net = sb.MLPClassifier(
        (10,), "tanh", solver=solver, n_starts=starts, early_stopping=True,
        validation_fraction=0.3, max_iter=1000, random_state=0,
    )  # fmt: skip
    fitted_without_warning(net, X, y)
    X, y = rare_ball(features, seed=1, m=3000)
    assert net.score(X, y) > 1.0 - RARE + 0.25 * RARE
    assert 0.5 * y.sum() < net.predict(X).sum() < 1.5 * y.sum()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_balanced_set_that_no_plane_divides_is_told_apart(solver):
    def quadrants(seed, m):
        X = np.random.default_rng(seed).normal(size=(m, 2))
        return X, (X[:, 0] * X[:, 1] > 0).astype(int)

    X, y = quadrants(0, 600)
    Z, z = quadrants(2, 200)
    net = sb.MLPClassifier(activation="tanh", solver=solver, random_state=0)
    quiet(net, X, y, X_val=Z, y_val=z)
    assert net.score(*quadrants(1, 3000)) > 0.9


def test_the_defaults_with_a_validation_part_beat_a_coin_on_a_balanced_set():
    X, y = rare_class(share=0.5)
    Z, z = rare_class(seed=1, share=0.5)
    net = fitted_without_warning(sb.MLPClassifier(random_state=0), X, y, X_val=Z, y_val=z)
    assert net.score(*rare_class(seed=2, share=0.5)) > 0.9


@pytest.mark.parametrize("solver", ["lbfgs", "bfgs"])
def test_one_class_for_all_validation_rows_is_said(solver):
    X, y = rare_class()
    net = sb.MLPClassifier(
        (4,), "tanh", solver=solver, alpha=1e5, early_stopping=True, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match=r"predict class 0 for all 60 validation rows") as w:
        net.fit(X, y)
    assert len(set(net.predict(X))) == 1
    text = str(next(one.message for one in w if "Early" in str(one.message)))
    assert "standardize=True" in text
    assert "class_weight='balanced'" in text
    net.set_params(standardize=True, class_weight={0: 1.0, 1: 1.0})
    with pytest.warns(ConvergenceWarning, match="whose y differ; raise n_iter_no_change or lower"):
        net.fit(X, y)


def test_one_answer_for_all_is_said_of_names_labels_and_numbers():
    X, y = rare_class()
    names = np.array(["yes", "no"], dtype=object)[y]
    labels = np.column_stack([y, 1 - y])
    settings = {"solver": "lbfgs", "alpha": 1e6, "early_stopping": True, "random_state": 0}
    for target, what in ((names, "class yes"), (labels, "the same labels")):
        with pytest.warns(ConvergenceWarning, match=f"predict {what} for all"):
            sb.MLPClassifier((4,), **settings).fit(X, target)
    for numbers in (X[:, 1], X[:, 1:3]):
        with pytest.warns(ConvergenceWarning, match="the same number for all 60 validation rows"):
            sb.MLPRegressor((4,), **settings).fit(X, numbers)


def test_nothing_is_said_where_all_validation_rows_are_of_the_class():
    X, y = rare_class()
    zeros = y == 0
    net = sb.MLPClassifier((4,), solver="lbfgs", random_state=0)
    fitted_without_warning(net, X, y, X_val=X[zeros][:50], y_val=y[zeros][:50])


def last_improvement(net):
    """After how many iterations score and loss were last better, by the history of the scores."""
    scores = np.array(net.validation_scores_)
    return int(np.flatnonzero(scores == scores.max())[0]) + 1


@pytest.mark.parametrize(("given", "waits"), [("auto", 51), (50, 51), (10, 11), (3, 4)])
def test_a_solver_on_all_examples_waits_as_long_as_is_said(given, waits):
    X, y = rare_class(m=200)
    X[:100] *= -1.0  # other rows are held than are trained on, so that the score turns
    net = sb.MLPRegressor(
        (20,), solver="lbfgs", alpha=0.0, tol=0.0, max_iter=1000, n_iter_no_change=given,
        random_state=0,
    )  # fmt: skip
    quiet(net, X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert net.outcome_.status[0].name == "NO_IMPROVEMENT"
    assert net.n_iter_ == last_improvement(net) + waits


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_epochs_are_scikit_learns_ten_by_default(solver):
    X, y = rare_class(m=200)
    net = sb.MLPClassifier((4,), solver=solver, early_stopping=True, random_state=0, tol=0.05)
    auto, ten = quiet(clone(net), X, y), quiet(clone(net).set_params(n_iter_no_change=10), X, y)
    assert auto.n_iter_ == ten.n_iter_ < net.max_iter
    np.testing.assert_array_equal(auto.coefs_[0], ten.coefs_[0])
    assert clone(ten).n_iter_no_change == 10
    assert clone(auto).get_params()["n_iter_no_change"] == "auto"


def test_a_word_that_is_not_auto_is_refused():
    with pytest.raises(ValueError, match="n_iter_no_change"):
        sb.MLPClassifier(n_iter_no_change="long").fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_a_constant_target_is_learnt_to_the_end(solver):
    X, _ = rare_class(m=100)
    net = sb.MLPRegressor(
        (5,), solver=solver, early_stopping=True, random_state=0, learning_rate_init=0.02,
    )  # fmt: skip
    quiet(net, X, np.full(100, 5.0))
    assert net.outcome_.best_iteration[0] > 5
    assert np.abs(net.predict(X) - 5.0).mean() < 0.5


def test_one_class_alone_is_learnt_at_once():
    X, _ = rare_class(m=100)
    net = sb.MLPClassifier((5,), early_stopping=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(X, np.ones(100))
    assert net.n_iter_ < 50


def test_among_equal_scores_the_point_with_the_lowest_loss_comes_back():
    X, y = rare_class(m=300)
    net = sb.MLPClassifier((6,), solver="lbfgs", max_iter=30, alpha=0.0, random_state=0)
    lengths = range(1, 31)
    fits = [quiet(clone(net).set_params(max_iter=k, tol=0.0), X[:200], y[:200]) for k in lengths]
    losses = [-np.log(one.predict_proba(X[200:])[np.arange(100), y[200:]]).mean() for one in fits]
    scores = [one.score(X[200:], y[200:]) for one in fits]
    best = min(range(30), key=lambda k: (-scores[k], losses[k]))
    assert scores.count(scores[best]) > 1
    stopped = quiet(clone(net).set_params(tol=0.0), X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert stopped.outcome_.best_iteration[0] == best + 1
    assert stopped.outcome_.validation_loss[0] == pytest.approx(losses[best], rel=1e-9)


def test_among_starts_of_equal_score_the_lowest_loss_is_best():
    X, y = rare_class(m=300)
    net = sb.MLPClassifier((6,), solver="lbfgs", n_starts=12, combine="best", random_state=0)
    quiet(net, X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    score, loss = net.outcome_.validation, net.outcome_.validation_loss
    assert score is not None
    assert loss is not None
    equal = np.flatnonzero(score == score.min())
    assert len(equal) > 1
    assert net.kept_.tolist() == [equal[loss[equal].argmin()]]


def test_the_loss_is_weighted_as_the_score_is():
    X, y = rare_class(m=300)
    weight = np.where(y == 1, 5.0, 1.0)
    settings = {"solver": "lbfgs", "early_stopping": True, "random_state": 0, "max_iter": 8}
    by_row = quiet(sb.MLPClassifier((6,), **settings), X, y, weight)
    by_class = quiet(sb.MLPClassifier((6,), class_weight={0: 1.0, 1: 5.0}, **settings), X, y)
    plain = quiet(sb.MLPClassifier((6,), **settings), X, y)
    losses = [net.outcome_.validation_loss[0] for net in (by_row, by_class, plain)]
    assert losses[0] == losses[1] != losses[2]


def test_a_validation_class_that_training_never_saw_counts_as_wrong():
    X, y = rare_class(m=200)
    unseen = np.where(X[:, 1] > 0, y, 7)
    net = sb.MLPClassifier((6,), solver="lbfgs", random_state=0)
    with pytest.warns(UserWarning, match="of 200 labels in y_val are no classes of y"):
        quiet(net, X, y, X_val=X, y_val=unseen)
    assert net.best_validation_score_ == pytest.approx((net.predict(X) == unseen).mean())


def test_a_search_over_early_stopped_fits_finds_what_each_fit_finds():
    X, y = rare_class(m=300)
    net = sb.MLPClassifier((4,), "tanh", solver="lbfgs", early_stopping=True, random_state=0)
    grid = {"alpha": [1e-3, 1.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = sb.StackedSearchCV(net, grid, cv=3).fit(X, y)
        alone = clone(net).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.best_estimator_.coefs_[0], alone.coefs_[0])
    assert search.best_score_ > 1.0 - RARE


UNDEFINED = [
    (sb.MLPRegressor, {"solver": "lbfgs"}),
    (sb.MLPRegressor, {"solver": "adam", "learning_rate_init": 0.01}),
    (sb.MLPRegressor, {"solver": "lbfgs", "n_starts": 3, "combine": "best"}),
    (sb.MLPClassifier, {"solver": "lbfgs", "scoring": "roc_auc"}),
    (sb.MLPClassifier, {"solver": "adam", "learning_rate_init": 0.01, "scoring": "roc_auc"}),
]


@pytest.mark.parametrize(("kind", "settings"), UNDEFINED, ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_not_a_number_gives_way_to_the_loss(kind, settings):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = 2.0 * X[:, 0] if kind is sb.MLPRegressor else (X[:, 0] > 0.0).astype(int)
    # R² of one row and the area under the curve of one class are not defined.
    held = [0] if kind is sb.MLPRegressor else np.flatnonzero(y)[:30]
    net = kind((4,), "tanh", random_state=0, **settings)
    words = r"The validation score \(.*the validation loss was used"
    with pytest.warns(ConvergenceWarning, match=words) as said:
        net.fit(X, y, X_val=X[held], y_val=y[held])
    assert sum("validation score" in str(one.message) for one in said) == 1
    outcome, lead = net.outcome_, net.kept_[0]
    assert outcome.best_iteration[lead] > 0
    assert net.loss_ < outcome.history[0, lead]
    assert np.isnan(net.best_validation_score_)
    assert np.isnan(net.validation_scores_).all()


def test_a_validation_without_score_and_loss_is_said():
    X, y = rare_class()
    net = sb.MLPClassifier((4,), random_state=0, scoring=lambda *_: np.nan)
    with pytest.warns(ConvergenceWarning, match="no finite validation loss either"):
        net.fit(X, np.zeros_like(y), X_val=X[:20], y_val=np.zeros(20, dtype=int))


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize(
    ("names", "others"),
    [(["no", "yes"], ["No", "Yes"]), ([0, 1], ["0", "1"]), (["0", "1"], [0, 1]), ([0, 1], [2, 3])],
)
def test_validation_labels_that_are_all_unknown_are_refused(solver, names, others):
    X, y = rare_class(share=0.4)
    net = sb.MLPClassifier((4,), solver=solver, random_state=0)
    with pytest.raises(InvalidInput, match="y_val of fit must hold classes of y"):
        net.fit(X, np.array(names)[y], X_val=X[:30], y_val=np.array(others)[y[:30]])


def test_some_validation_labels_that_are_unknown_are_told():
    X, y = rare_class(share=0.4)
    names = np.array(["no", "yes"])[y]
    held = np.where(np.arange(30) < 2, "new", names[:30])
    net = sb.MLPClassifier((4,), solver="lbfgs", random_state=0)
    with pytest.warns(UserWarning, match="2 of 30 labels in y_val are no classes of y, such as"):
        quiet(net, X, names, X_val=X[:30], y_val=held)
    assert net.outcome_.best_iteration[0] > 0


@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_fit_that_diverged_says_so(early_stopping):
    X = np.random.default_rng(0).normal(size=(200, 3))
    net = sb.MLPRegressor(
        (4,), solver="sgd", learning_rate_init=1e6, early_stopping=early_stopping, random_state=0
    )
    words = r"J diverged after \d+ iterations?.*the best point before was kept; lower learning_rate"
    with pytest.warns(ConvergenceWarning, match=words):
        net.fit(X, 1e5 * X[:, 0])
    assert net.outcome_.status[0] is Status.DIVERGED
