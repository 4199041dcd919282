"""A new activation, loss or method works everywhere by its record alone: no table forgets it."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import symbreak as sb
import symbreak.backpropagation_check
from symbreak.activations import ACTIVATIONS
from symbreak.cli import main
from symbreak.estimators.solvers import method_options, search_options
from symbreak.initialization.rules import BY_NAME
from symbreak.losses import LOSSES
from symbreak.optimize.methods import METHODS, methods_taking
from symbreak.reports.collect.estimator import network_of as net_of_estimator
from symbreak.reports.collect.training import network_words
from symbreak.training.checks import Symmetry
from symbreak.training.scores import scores_of
from tests.new_entries import PLAIN, SIGNS, SOFTSIGN, Brier, Gamma

METHOD_WORDS = ("signs", "sign-descent", "plain")


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Register the new entries for one test."""
    monkeypatch.setitem(ACTIVATIONS, "softsign", SOFTSIGN)
    for loss in (Gamma, Brier):
        monkeypatch.setitem(LOSSES, loss.name, loss)
    for word, method in zip(METHOD_WORDS, (SIGNS, SIGNS, PLAIN), strict=True):
        monkeypatch.setitem(METHODS, word, method)


def data(loss, m=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(m, 3))
    if loss == "brier":
        return X, (X[:, :2] > 0).astype(float)
    return X, np.exp(0.5 * X[:, 0])


def start(net, rule="glorot_uniform", **options):
    return sb.initialize(net, rule, **options)


def net_of(loss="gamma"):
    return sb.Network((3, 5, 4, 2 if loss == "brier" else 1), "softsign", loss)


@pytest.mark.parametrize("loss", ["gamma", "brier"])
@pytest.mark.parametrize("method", METHOD_WORDS)
def test_minimize_takes_them(loss, method):
    net = net_of(loss)
    cost = sb.NetworkCost(net, *data(loss), alpha=0.1)
    theta = start(net, starts=3, seed=0)
    outcome = sb.minimize(cost, theta, method=method, max_iter=20)
    before, _ = cost(theta)
    assert (outcome.value < before).all()


@pytest.mark.parametrize("loss", ["gamma", "brier"])
def test_the_gradient_check_and_the_curvature_agree(loss):
    net = net_of(loss)
    cost = sb.NetworkCost(net, *data(loss), alpha=0.1)
    theta = start(net, seed=1)
    assert sb.check_gradient(cost, theta).verdict == "pass"
    assert sb.minimize(cost, theta, method="newton-cg", max_iter=300).converged.all()


@pytest.mark.parametrize("rule", BY_NAME)
@pytest.mark.filterwarnings("ignore::symbreak.errors.SymmetryWarning")
def test_every_rule_draws_for_it(rule):
    assert np.isfinite(start(net_of(), rule, starts=2, seed=0)).all()


def test_rules_read_its_gain_and_its_ranges():
    net = net_of()
    gained = net.thetas(start(net, sb.rules.HeNormal(gain="activation"), seed=0))
    plain = net.thetas(start(net, sb.rules.HeNormal(gain=1.0), seed=0))
    np.testing.assert_allclose(gained[1], SOFTSIGN.gain * plain[1])
    # Rows of one length, for z in [-3, 3] and inputs in [-1, 1]: the range of what it reads.
    spread = net.thetas(start(net, "nguyen_widrow", seed=0))[1][:, 1:]
    np.testing.assert_allclose(np.linalg.norm(spread, axis=1), 3.0 * 0.7 * 4 ** (1 / 5))


def test_the_certificate_is_for_its_updates():
    net = net_of()
    theta = start(net, starts=2, seed=0)
    assert Symmetry.of(net, theta, alpha=0.0, method="sign-descent").update == "elementwise"
    assert Symmetry.of(net, theta, alpha=0.0, method="plain").update == "linear"
    mirrored = net.thetas(theta[0].copy())
    mirrored[0][1] = -mirrored[0][0]
    mirrored[1][:, 2] = -mirrored[1][:, 1]
    assert sb.symmetries(net, net.unroll(mirrored)).effective_widths.tolist() == [[4, 4]]


def test_scores_are_those_of_what_it_predicts():
    yes = scores_of("brier", np.array([[1, 0], [0, 0]]), [[0.8, 0.4], [0.7, 0.1]])
    assert yes is not None
    assert yes.as_dict() == {"accuracy": 0.75, "log_loss": pytest.approx(0.5108, abs=1e-4)}
    number = scores_of("gamma", np.array([1.0, 2.0]), np.array([[1.0], [2.0]]))
    assert number is not None
    assert number.names == ("r2", "rmse")


@pytest.mark.parametrize("loss", ["gamma", "brier"])
def test_a_right_pass_of_ones_own_is_found_right(torch, loss):
    net = net_of(loss)
    X, y = data(loss)
    theta = start(net, seed=0)

    def my_function(thetas, X, y):
        parts = [torch.tensor(Theta, requires_grad=True) for Theta in thetas]
        J = textbook(loss, prediction_of(loss, parts, X), y)
        return J.item(), [one.numpy() for one in torch.autograd.grad(J, parts)]

    assert sb.check_backpropagation(my_function, net, theta, X, y).verdict == "pass"


@pytest.mark.parametrize("loss", ["gamma", "brier"])
def test_of_a_wrong_prediction_the_right_loss_is_not_blamed(torch, loss):
    net = net_of(loss)
    X, y = data(loss)

    def my_function(thetas, X, y):
        parts = [torch.from_numpy(Theta.copy()) for Theta in thetas]
        wrong = 0.9 * prediction_of(loss, parts, X)
        return {"a": {4: wrong.numpy()}, "J": textbook(loss, wrong, y).item()}

    found = sb.check_backpropagation(my_function, net, start(net, seed=0), X, y)
    (J,) = [stage for stage in found.stages if stage.kind == "J"]
    assert found.first_wrong is not None
    assert found.first_wrong.name == J.depends_on == "a(4)"
    assert J.cause == "consistent with the wrong a(4) before it"


def prediction_of(loss, parts, X):
    import torch

    a = torch.from_numpy(X).T
    for Theta in parts:
        z = Theta @ torch.vstack([torch.ones(1, a.shape[1], dtype=a.dtype), a])
        a = torch.nn.functional.softsign(z)
    return LOSSES[loss]().link(z)


def textbook(loss, prediction, y):
    import torch

    target = torch.from_numpy(y.reshape(len(y), -1)).T
    if loss == "gamma":
        return (prediction.log() + target / prediction).sum(0).mean()
    return (0.5 * (prediction - target) ** 2).sum(0).mean()


@pytest.mark.parametrize(
    ("solver", "activation"), [("signs", "softsign"), ("signsgd", "soft"), ("plain", "softsign")]
)
def test_estimators_fit_with_them_and_their_report_names_them(solver, activation, tmp_path):
    X, y = data("gamma")
    net = sb.MLPRegressor(
        (4,), activation, loss="gamma", solver=solver, standardize=True, max_iter=30,
        n_starts=2, batch_size=20, tol=1e-9, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(X, y)
    assert net.out_activation_ == "exp"
    assert (net.predict(X) > 0).all()
    page = tmp_path / "page.html"
    sb.report(net, page)
    assert f"{network_words(net_of_estimator(net)[0])}; fitted" in page.read_text("utf-8")
    assert str(net_of_estimator(net)[0]) == "3-4-1 (softsign; gamma), 21 parameters"


def test_estimators_give_a_method_the_options_and_the_ending_that_its_record_asks_for():
    given = sb.MLPRegressor(solver="signsgd", batch_size=7, learning_rate="invscaling")
    options = method_options(given, n_examples=100, order_seed=3)
    assert (options["batch_size"], options["schedule"], options["seed"]) == (7, "invscaling", 3)
    assert "momentum" not in options
    ending = search_options(given)
    assert "value_patience" in ending
    assert "max_evaluations" not in ending
    plain = search_options(sb.MLPRegressor(solver="plain"))
    assert {"value_patience", "max_evaluations"} <= set(plain)


def test_the_command_trains_with_them(tmp_path):
    page, document, model = tmp_path / "r.html", tmp_path / "r.json", tmp_path / "m.safetensors"
    words = [
        "train", "--quick", "--dataset", "iris", "--activation", "softsign", "--method", "signs",
        "--learning-rate", "0.002", "--init", "nguyen_widrow", "--starts", "2", "--max-iter", "3",
        "--hidden", "4", "--report", str(page), "--json", str(document), "--model", str(model),
    ]  # fmt: skip
    assert main(words) == 0
    assert json.loads(document.read_text("utf-8"))["symmetry"]["update"] == "elementwise"
    assert "softsign" in page.read_text("utf-8")
    assert main(["check-gradient", str(model), "--dataset", "iris"]) == 0
    assert "plain" in methods_taking("learning_rate")


@pytest.mark.parametrize(
    "subject",
    [
        ["--dataset", "iris", "--loss", "brier"],
        ["--dataset", "diabetes", "--loss", "gamma"],
    ],
)
def test_the_command_checks_their_gradient(subject, capsys):
    assert main(["check-gradient", *subject, "--activation", "softsign", "--hidden", "3"]) == 0
    assert "softsign" in capsys.readouterr().out
