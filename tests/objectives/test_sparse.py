"""Sparse rows give the J and gradients of the same rows made dense, and are never made so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from tests.fitting import quiet

RNG = np.random.default_rng(0)
M, N = 150, 30
DENSE = np.where(RNG.random((M, N)) < 0.1, RNG.normal(size=(M, N)), 0.0)
X = sparse.csr_array(DENSE)
Y = RNG.integers(0, 3, M)
HIDDEN = [(), (5,), (6, 4)]


def costs(hidden=(5,), kind=sparse.csr_array, **options):
    """The cost of sparse and of dense rows, and four starts."""
    net = sb.Network((N, *hidden, 3), "tanh", "cross_entropy")
    theta = RNG.normal(size=(4, net.n_parameters))
    given = {"alpha": 0.3, **options}
    return (
        sb.NetworkCost(net, kind(X), Y, **given),
        sb.NetworkCost(net, DENSE, Y, **given),
        theta,
    )


@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.coo_matrix])
@pytest.mark.parametrize("budget", [None, 20_000])
def test_J_and_gradient_are_those_of_dense_rows(hidden, kind, budget):
    weights = RNG.random((4, M))
    thin, dense, theta = costs(hidden, kind, sample_weight=weights, memory_budget=budget)
    for one, other in zip(thin(theta), dense(theta), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(thin.value(theta), dense.value(theta), rtol=1e-12)
    some = [2, 0]
    np.testing.assert_allclose(
        thin.take(some)(theta[some])[1], dense.take(some)(theta[some])[1], rtol=1e-10, atol=1e-14
    )


def test_mini_batches_are_those_of_dense_rows():
    thin, dense, theta = costs()
    order = RNG.permutation(M)
    batches = [
        list(map(np.copy, one.minibatch_gradients(theta, order, 32))) for one in (thin, dense)
    ]
    np.testing.assert_allclose(batches[0], batches[1], rtol=1e-10, atol=1e-14)
    rows = order[:40]
    np.testing.assert_allclose(thin.batch(rows)(theta)[0], dense.batch(rows)(theta)[0], rtol=1e-12)


@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_predictions_are_those_of_dense_rows(hidden):
    thin, _, theta = costs(hidden)
    net = thin.network
    np.testing.assert_allclose(net.predict(theta, X), net.predict(theta, DENSE), rtol=1e-11)
    for layer in range(1, net.n_hidden + 1):
        found, wanted = (net.hidden(theta, rows, layer) for rows in (X, DENSE))
        np.testing.assert_allclose(found, wanted, rtol=1e-11)


def test_float32_stays_float32_and_can_be_changed():
    thin, dense, theta = costs(dtype="float32")
    assert thin.dtype == np.float32 == thin(theta.astype(np.float32))[1].dtype
    np.testing.assert_allclose(thin(theta)[0], dense(theta)[0], rtol=1e-5)
    np.testing.assert_allclose(thin.to("float64")(theta)[0], dense(theta)[0], rtol=1e-5)


@pytest.mark.parametrize("method", ["l-bfgs", "adam", "scipy:L-BFGS-B"])
def test_searches_go_the_same_way(method):
    thin, dense, theta = costs()
    one, other = (
        sb.minimize(cost, 0.3 * theta, method=method, max_iter=8) for cost in (thin, dense)
    )
    np.testing.assert_allclose(one.history, other.history, rtol=1e-8)


def test_what_sparse_rows_cannot_do_is_said():
    thin, _, theta = costs()
    with pytest.raises(InvalidType, match="X must be dense for methods that ask for curvature"):
        thin.hessian_product(theta, theta)
    for wrong, words in (
        (DENSE[:, 1:], "must be of shape"), (DENSE[:0], "at least one example"),
        (DENSE + np.inf, "X must be finite"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=words):
            sb.NetworkCost(thin.network, sparse.csr_array(wrong), Y)


@pytest.mark.parametrize("settings", [
    {"solver": "lbfgs", "max_iter": 30}, {"solver": "sgd", "max_iter": 20},
    {"solver": "adam", "max_iter": 20, "early_stopping": True, "n_starts": 2},
    {"solver": "lbfgs", "max_iter": 30, "early_stopping": True, "scoring": "neg_log_loss"},
], ids=str)  # fmt: skip
def test_wide_rows_are_trained_on_as_they_are(monkeypatch, settings):
    """Rows are wide from a number of bytes on, which is 0 here."""
    net = sb.MLPClassifier((4,), random_state=0, **settings)
    dense = quiet(net, X, Y).predict_proba(X), net.loss_, net.validation_scores_
    monkeypatch.setattr("symbreak.estimators.outputs.DENSE_BYTES", 0)
    problem = []
    monkeypatch.setattr(
        "symbreak.estimators.training.fingerprint", lambda one: problem.append(one) or "0"
    )
    thin = quiet(net, X, Y).predict_proba(X), net.loss_, net.validation_scores_
    assert sparse.issparse(problem[0].X)
    np.testing.assert_allclose(thin[0], dense[0], rtol=1e-6)
    assert thin[1] == pytest.approx(dense[1], rel=1e-8)
    np.testing.assert_allclose(thin[2] or [], dense[2] or [], rtol=1e-8)


def test_a_warm_start_and_epochs_take_wide_rows(monkeypatch):
    monkeypatch.setattr("symbreak.estimators.outputs.DENSE_BYTES", 0)
    whole = quiet(sb.MLPClassifier((4,), solver="lbfgs", random_state=0, max_iter=10), X, Y)
    net = sb.MLPClassifier((4,), solver="lbfgs", random_state=0, max_iter=5, warm_start=True)
    quiet(net, X, Y)
    np.testing.assert_array_equal(quiet(net, X, Y).coefs_[0], whole.coefs_[0])
    epochs = sb.MLPClassifier((4,), random_state=0)
    for _ in range(3):
        epochs.partial_fit(X, Y, classes=[0, 1, 2])
    assert len(epochs.loss_curve_) == 3
    assert epochs.check_gradient_(X, Y).verdict == "pass"


def test_wide_rows_that_are_to_be_standardised_are_refused(monkeypatch):
    monkeypatch.setattr("symbreak.estimators.outputs.DENSE_BYTES", 0)
    with pytest.raises(InvalidInput, match="standardize must be False for sparse X of shape"):
        sb.MLPClassifier(standardize=True).fit(X, Y)


def test_a_table_that_no_memory_holds_dense_is_trained_on():
    """5000 x 400,000: 16 GB."""
    m, n, k = 5000, 400_000, 5
    places = RNG.integers(0, n, m * k)
    wide = sparse.csr_array((np.ones(m * k), places, np.arange(0, m * k + 1, k)), shape=(m, n))
    y = RNG.integers(0, 2, m)
    net = sb.MLPClassifier((1,), "identity", solver="lbfgs", max_iter=2, random_state=0)
    assert quiet(net, wide, y).loss_ < net.outcome_.history[0, 0]
    assert net.predict(wide[:20]).shape == (20,)
