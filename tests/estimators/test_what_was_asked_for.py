"""Starts, weights, stopping, losses: what scikit-learn's estimators do not have."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import symbreak as sb
from tests.fitting import quiet

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True)


def test_fifty_starts_solve_xor_where_many_single_ones_do_not():
    options = {"activation": "tanh", "solver": "lbfgs", "alpha": 0.0, "max_iter": 500}
    lowest = quiet(sb.MLPClassifier((2,), n_starts=50, combine="lowest-cost", random_state=0,
                                    **options), *XOR)  # fmt: skip
    assert lowest.score(*XOR) == 1.0
    single = [
        quiet(sb.MLPClassifier((2,), random_state=seed, **options), *XOR).score(*XOR)
        for seed in range(30)
    ]
    assert min(single) < 1.0


def test_the_best_start_is_that_of_a_validation_and_without_one_there_is_a_warning():
    """At the line that fits. The start is still the one that it was before: of lowest J."""
    options = {"solver": "lbfgs", "n_starts": 4, "random_state": 0}
    lowest = sb.MLPClassifier((2,), combine="lowest-cost", **options).fit(*XOR)
    with pytest.warns(DeprecationWarning, match="Say combine='lowest-cost'") as warned:
        best = sb.MLPClassifier((2,), combine="best", **options).fit(*XOR)
    assert [one.filename for one in warned] == [__file__]
    np.testing.assert_array_equal(best.thetas_, lowest.thetas_)


def test_early_stopping_works_with_l_bfgs_and_the_best_weights_come_back():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    train, held = np.arange(0, len(X), 2), np.arange(1, len(X), 2)
    options = {"solver": "lbfgs", "alpha": 0.0, "max_iter": 300, "tol": 0.0, "random_state": 0,
               "n_iter_no_change": 10}  # fmt: skip
    stopped = quiet(sb.MLPClassifier((20,), scoring="neg_log_loss", **options),
                    X[train], y[train], X_val=X[held], y_val=y[held])  # fmt: skip
    on = quiet(sb.MLPClassifier((20,), **options), X[train], y[train])
    assert stopped.outcome_.status[0].name == "NO_IMPROVEMENT"
    assert stopped.n_iter_ < on.n_iter_
    scores = stopped.validation_scores_
    assert len(scores) == stopped.n_iter_
    assert int(np.argmax(scores)) == len(scores) - 12  # 11 iterations without improvement after it
    p = stopped.predict_proba(X[held])[np.arange(len(held)), y[held]]
    assert np.log(p).mean() == pytest.approx(max(scores), rel=1e-9)
    assert stopped.best_validation_score_ == max(scores)


@pytest.mark.parametrize("estimator", [sb.MLPClassifier, sb.MLPRegressor])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_absurd_inputs_raise(estimator, solver):
    with pytest.raises(ValueError, match="large values and need to be preprocessed"):
        estimator(solver=solver).fit(np.full((6, 2), 1e160) * [[1], [2], [3], [4], [5], [6]],
                                     [0, 1, 0, 1, 0, 1])  # fmt: skip


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd", "rprop"])
def test_a_weight_of_two_is_a_repeated_example(iris, solver):
    X, y = iris
    weight = np.where(np.arange(150) < 20, 2.0, np.where(np.arange(150) < 40, 0.0, 1.0))
    rows = np.repeat(np.arange(150), weight.astype(int))
    options = {"solver": solver, "max_iter": 25, "random_state": 0, "hidden_layer_sizes": 5,
               "batch_size": 200, "standardize": True}  # fmt: skip
    weighted = quiet(sb.MLPClassifier(**options), X, y, weight)
    repeated = quiet(sb.MLPClassifier(**options), X[rows], y[rows])
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6)
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-9)


def test_class_weights_are_sample_weights(iris):
    X, y = iris
    by_class = sb.MLPClassifier(5, solver="lbfgs", class_weight={0: 3.0, 1: 1.0, 2: 0.5},
                                random_state=0, max_iter=20)  # fmt: skip
    by_row = sb.MLPClassifier(5, solver="lbfgs", random_state=0, max_iter=20)
    one = quiet(by_class, X, y).predict_proba(X)
    other = quiet(by_row, X, y, np.array([3.0, 1.0, 0.5])[y]).predict_proba(X)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("combine", ["average", "lowest-cost", "all"])
def test_what_many_starts_become(diabetes, combine):
    X, y = diabetes
    net = quiet(sb.MLPRegressor((4,), "tanh", solver="lbfgs", n_starts=5, combine=combine,
                                standardize=True, random_state=1, max_iter=60), X, y)  # fmt: skip
    table = net.starts_
    assert len(table["loss"]) == 5
    assert net.loss_ == table["loss"].min()
    each = net.predict_starts(X)[..., 0]
    wanted = each.mean(0) if combine == "average" else each[0]
    np.testing.assert_allclose(net.predict(X), wanted, rtol=1e-12)
    assert len(each) == (5 if combine in ("average", "all") else 1)
    assert table["kept"].sum() == len(each)


def test_the_best_start_is_the_one_with_the_best_validation_score(iris):
    X, y = iris
    net = sb.MLPClassifier(
        3, solver="lbfgs", n_starts=12, combine="best", random_state=0, alpha=0.0, max_iter=40
    )
    quiet(net, X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    scores = net.starts_["validation_score"]
    assert scores.min() < scores.max()
    assert scores[net.starts_["kept"]].tolist() == [scores.max()]
    assert net.score(X[1::2], y[1::2]) == scores.max() == net.best_validation_score_


@pytest.mark.parametrize("combine", ["average", "lowest-cost"])
def test_start_k_of_many_is_the_same_as_alone(diabetes, combine):
    X, y = diabetes
    options = {"hidden_layer_sizes": 3, "solver": "lbfgs", "random_state": 3, "max_iter": 5}
    one = quiet(sb.MLPRegressor(**options), X, y)
    many = quiet(sb.MLPRegressor(n_starts=4, combine=combine, **options), X, y)
    assert many.starts_["loss"][0] == pytest.approx(one.loss_, rel=1e-9)


def test_standardising_is_undone_and_the_scale_of_the_data_drops_out(diabetes):
    X, y = diabetes
    options = {"hidden_layer_sizes": 4, "solver": "lbfgs", "standardize": True, "random_state": 0,
               "max_iter": 30}  # fmt: skip
    plain = quiet(sb.MLPRegressor(**options), X, y).predict(X)
    moved = quiet(sb.MLPRegressor(**options), 8.0 * X + 2.0, 4.0 * y - 16.0).predict(8.0 * X + 2.0)
    np.testing.assert_allclose(moved, 4.0 * plain - 16.0, rtol=1e-4)


def test_layers_have_their_own_activation_and_penalty(diabetes):
    X, y = diabetes
    options = {"alpha": [0.0, 500.0, 0.0], "solver": "lbfgs", "random_state": 0, "max_iter": 80}
    net = sb.MLPRegressor((4, 3), ["tanh", "softplus"], standardize=True, **options)
    quiet(net, X, y)
    size = [np.abs(W).max() for W in net.coefs_]
    assert size[1] < 0.05 * min(size[0], size[2])
    hidden = np.tanh((X - X.mean(0)) / X.std(0) @ net.coefs_[0] + net.intercepts_[0])
    np.testing.assert_allclose(net.transform(X, 1), hidden, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        net.transform(X), np.log1p(np.exp(hidden @ net.coefs_[1] + net.intercepts_[1])), rtol=1e-9
    )


@pytest.mark.parametrize(
    ("loss", "truth"),
    [("squared_error", np.mean), ("absolute_error", np.median), ("poisson", np.mean),
     (sb.losses.Quantile(0.9), lambda y: np.quantile(y, 0.9))],
    ids=["squared", "absolute", "poisson", "quantile"],
)  # fmt: skip
def test_a_constant_prediction_is_what_the_loss_asks_for(loss, truth):
    y = np.random.default_rng(0).gamma(2.0, size=401)
    X = np.zeros((401, 1))
    net = quiet(sb.MLPRegressor(1, "identity", loss=loss, solver="lbfgs", alpha=0.0, tol=1e-10,
                                random_state=0, max_iter=500), X, y)  # fmt: skip
    assert net.predict(X[:1])[0] == pytest.approx(truth(y), rel=2e-3)


def test_rows_that_may_not_be_written_to_are_predicted_without_a_warning():
    """As those of a data frame; torch warns once in a process, so this asks for a fresh one."""
    program = (
        "import warnings; warnings.simplefilter('error')\n"
        "import numpy as np, symbreak as sb\n"
        "X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)\n"
        "X.flags.writeable = False\n"
        "net = sb.MLPRegressor((2,), solver='lbfgs', max_iter=2000, alpha=1e-3, random_state=0)\n"
        "net.set_params(standardize=True).fit(X, y)\n"
        "print(net.predict(X).shape, net.score(X, y) <= 1.0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr) == ("(6,) True\n", "")


def test_labels_and_sparse_rows(iris):
    X, y = iris
    Y = np.column_stack([y == 0, y > 0, X[:, 0] > 6]).astype(int)
    # Several starts: rounding, which differs between processors, moves a single one.
    options = {
        "hidden_layer_sizes": 6, "solver": "lbfgs", "random_state": 0, "max_iter": 300,
        "n_starts": 8,
    }  # fmt: skip
    dense = quiet(sb.MLPClassifier(**options), X, Y)
    sparse = quiet(sb.MLPClassifier(**options), csr_matrix(X), Y)
    assert dense.predict(X).shape == (150, 3)
    assert dense.score(X, Y) > 0.95
    np.testing.assert_array_equal(dense.predict_proba(X), sparse.predict_proba(csr_matrix(X)))


def test_logarithms_stay_finite_where_probabilities_round_to_one():
    X, y = np.array([[-1.0], [1.0]]), np.array([0, 1])
    net = quiet(sb.MLPClassifier(1, "identity", random_state=0, max_iter=1), X, y)
    net.coefs_, net.intercepts_ = [np.array([[1.0]]), np.array([[1.0]])], [np.zeros(1), np.zeros(1)]
    logs = net.predict_log_proba([[60.0], [-60.0]])
    np.testing.assert_allclose(logs[:, 0], [-60.0, -np.exp(-60.0)], rtol=1e-12)
    np.testing.assert_allclose(logs[:, 1], [-np.exp(-60.0), -60.0], rtol=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_a_warm_start_goes_on_as_if_it_had_not_stopped(iris, solver):
    X, y = iris
    options = {"solver": solver, "hidden_layer_sizes": 5, "random_state": 0, "batch_size": 32,
               "tol": 0.0, "n_iter_no_change": np.inf}  # fmt: skip
    whole = quiet(sb.MLPClassifier(max_iter=16, **options), X, y)
    parts = quiet(sb.MLPClassifier(max_iter=8, warm_start=True, **options), X, y)
    first = parts.loss_
    quiet(parts, X, y)
    assert parts.n_iter_ == 8
    assert first > parts.loss_ == whole.loss_
    np.testing.assert_array_equal(parts.coefs_[0], whole.coefs_[0])


def test_a_warm_start_on_other_data_begins_from_the_old_weights(iris):
    X, y = iris
    net = quiet(sb.MLPClassifier(5, solver="adam", warm_start=True, random_state=0), X, y)
    before = net.coefs_[0].copy()
    quiet(net.set_params(max_iter=1), X[::2], y[::2])
    step = np.abs(net.coefs_[0] - before).max()
    # The first step of a fresh Adam is the learning rate; with the old moments it is smaller.
    assert step == pytest.approx(net.learning_rate_init, rel=1e-3)


def test_parts_keep_the_memory_of_adam(diabetes):
    X, y = diabetes
    options = {"hidden_layer_sizes": 4, "solver": "adam", "random_state": 0, "batch_size": 50}
    whole = quiet(sb.MLPRegressor(max_iter=6, tol=0.0, **options), X, y)
    parts = sb.MLPRegressor(**options)
    for _ in range(6):
        parts.partial_fit(X, y)
    np.testing.assert_array_equal(parts.coefs_[0], whole.coefs_[0])
    assert parts.t_ == whole.t_ == 6 * len(X)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-12)


def test_rules_and_given_weights(iris):
    X, y = iris
    options = {"hidden_layer_sizes": 5, "solver": "sgd", "max_iter": 1, "learning_rate_init": 1e-12}
    small = quiet(sb.MLPClassifier(init_epsilon=0.01, **options), X, y)
    assert 0.005 < np.abs(small.coefs_[0]).max() <= 0.01
    zeros = quiet(sb.MLPClassifier(init="he_normal", random_state=0, **options), X, y)
    np.testing.assert_allclose(zeros.intercepts_[0], 0.0, atol=1e-10)
    W = [np.arange(20.0).reshape(4, 5) / 20, np.arange(15.0).reshape(5, 3) / 15]
    given = quiet(sb.MLPClassifier(coefs_init=W, **options), X, y)
    for found, wanted in zip(given.coefs_, W, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)
    with pytest.raises(sb.InvalidInput, match=r"coefs_init\[0\] must be of shape \(4, 5\)"):
        sb.MLPClassifier(coefs_init=[W[0].T, W[1]], **options).fit(X, y)


def test_a_callback_stops(iris):
    X, y = iris
    seen = []

    def stop(progress):
        seen.append(progress.iteration)
        return progress.iteration >= 4

    net = quiet(sb.MLPClassifier(callback=stop, random_state=0), X, y)
    assert net.n_iter_ == 4 == seen[-1]


def test_callbacks_of_scikit_learn_are_called_for_every_iteration(iris):
    class Count:
        calls: list[str]

        def setup(self, estimator, context):
            self.calls = ["setup"]

        def on_fit_task_begin(self, estimator, context, **known):
            self.calls.append("begin")

        def on_fit_task_end(self, estimator, context, **known):
            self.calls.append("end")
            return False

        def teardown(self, estimator, context):
            self.calls.append("teardown")

    count = Count()
    quiet(sb.MLPClassifier(max_iter=3, random_state=0).set_callbacks(count), *iris)
    assert count.calls == ["setup", "begin", *3 * ["begin", "end"], "end", "teardown"]


@pytest.mark.parametrize("starts", [1, 3])
@pytest.mark.parametrize("kind", [sb.MLPRegressor, sb.MLPClassifier])
def test_an_adaptive_rate_comes_to_an_end(kind, starts):
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = (X[:, 0] > 0.0).astype(int)
    net = kind(
        (4,), solver="sgd", learning_rate="adaptive", max_iter=5000, tol=1e-3, n_iter_no_change=3,
        n_starts=starts, random_state=0,
    ).fit(X, y)  # fmt: skip
    assert {status.word for status in net.outcome_.status} == {"small rate"}
    # At the least, four waits at each of 1e-3, 2e-4, 4e-5, 8e-6, 1.6e-6 and 3.2e-7.
    assert 4 * 6 <= net.n_iter_ < net.max_iter


def test_an_unknown_solver_is_named(iris):
    with pytest.raises(sb.InvalidInput, match="Did you mean 'lbfgs'"):
        sb.MLPClassifier(solver="l_bfgs").fit(*iris)


def test_the_gradient_and_the_symmetries_can_be_asked_for(iris):
    X, y = iris
    net = quiet(sb.MLPClassifier(3, "tanh", solver="lbfgs", random_state=0, max_iter=30), X, y)
    assert net.check_gradient_(X, y).verdict == "pass"
    assert "3" in str(net.symmetry_)


@pytest.mark.parametrize("combine", ["average", "all"])
def test_another_way_to_combine_waits_for_the_next_fit(combine, tmp_path):
    X, y = load_iris(return_X_y=True)
    other = {"average": "all", "all": "average"}[combine]
    net = sb.MLPClassifier(
        (3,), solver="lbfgs", n_starts=3, max_iter=4, random_state=0, combine=combine
    )
    quiet(net, X, y)
    before = net.predict_proba(X)
    net.set_params(combine=other)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    net.save(tmp_path / "net")
    np.testing.assert_array_equal(sb.MLPClassifier.load(tmp_path / "net").predict_proba(X), before)
    quiet(net, X, y)
    assert net.training_.combine == other
    assert np.abs(net.predict_proba(X) - before).max() > 1e-3
