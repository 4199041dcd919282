"""What a fit prints: J as it is now beside the best, the validation score, and why it ended."""

from __future__ import annotations

import re

import numpy as np
import pytest

import symbreak as sb
from symbreak.estimators.progress import WHY
from symbreak.optimize import Status
from tests.fitting import quiet

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3))
Y = (X[:, 0] + 0.3 * RNG.normal(size=100) > 0).astype(int)


def printed(capsys, net, **given):
    """Return the numbers of each iteration's line, and the lines at the end."""
    quiet(net.set_params(verbose=True), X, Y, **given)
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if line.startswith("Iteration ")]
    return [numbers(line) for line in told], [line for line in lines if line not in told]


def numbers(line):
    found = re.findall(r"(validation score|\w+) = (-?[\d.einf]+)", line)
    return {name: float(number) for name, number in found}


@pytest.mark.parametrize("settings", [
    {"solver": "adam", "learning_rate_init": 1.0, "max_iter": 30},
    {"solver": "sgd", "learning_rate_init": 2.0, "max_iter": 30, "tol": 0.0},
    {"solver": "lbfgs"},
    {"solver": "rprop", "max_iter": 30},
    {"solver": "scipy:BFGS", "max_iter": 8},
])  # fmt: skip
def test_the_loss_of_a_line_is_that_of_its_iteration(capsys, settings):
    net = sb.MLPRegressor((4,), random_state=0, **settings)
    told, _ = printed(capsys, net)
    curve = net.loss_curve_
    assert [one["loss"] for one in told] == pytest.approx(curve, abs=1e-8)
    best = np.minimum.accumulate([net.outcome_.history[0, 0], *curve])[1:]
    assert (np.array([one["best"] for one in told]) <= best + 1e-8).all()
    if settings["solver"] in ("adam", "sgd", "rprop"):
        assert [one["best"] for one in told] == pytest.approx(best, abs=1e-8)
        assert (np.diff(curve) > 0.0).any()  # so that the two differ


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_validation_score_is_told(capsys, solver):
    net = sb.MLPClassifier((4,), solver=solver, early_stopping=True, random_state=0, max_iter=40)
    told, _ = printed(capsys, net)
    scores = [one["validation score"] for one in told]
    assert scores == pytest.approx(net.validation_scores_, abs=1e-6)
    assert [one["loss"] for one in told] == pytest.approx(net.loss_curve_, abs=1e-8)


def test_of_many_starts_it_is_that_which_leads(capsys):
    net = sb.MLPRegressor((3,), solver="lbfgs", n_starts=4, random_state=1, max_iter=300)
    told, ends = printed(capsys, net)
    outcome = net.outcome_
    for number, one in enumerate(told[:-1], start=1):
        so_far = outcome.history[: number + 1]
        # All starts run as many steps or wait for a trial: the lead is among the lowest so far.
        assert one["best"] <= one["loss"] + 1e-8
        assert one["loss"] in [pytest.approx(value, abs=1e-8) for value in so_far.ravel()]
    assert told[-1]["best"] == pytest.approx(outcome.value.min(), abs=1e-8)
    assert sum(int(line.split()[0]) for line in ends) == 4


ENDINGS = [
    ({"solver": "lbfgs", "max_iter": 3}, "max_iter iterations were made"),
    ({"solver": "lbfgs", "max_fun": 5}, "max_fun evaluations were made"),
    ({"solver": "lbfgs", "tol": 1.0}, "no entry of the gradient is above tol"),
    ({"solver": "lbfgs", "tol": 0.0, "max_iter": 5000, "alpha": 1.0}, "J fell by no more than"),
    ({"solver": "adam", "tol": 1.0}, "J has not fallen by tol for n_iter_no_change iterations"),
    ({"solver": "adam", "tol": 1.0, "early_stopping": True}, "neither the validation score nor"),
    ({"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0}, "at a learning rate of 1e-6"),
    ({"callback": lambda progress: progress.iteration == 2}, "the callback stopped it"),
]


@pytest.mark.parametrize(("settings", "why"), ENDINGS)
def test_why_it_ended_is_told_in_words_of_the_parameters(capsys, settings, why):
    net = sb.MLPRegressor((3,), random_state=0, **settings)
    _, ends = printed(capsys, net)
    assert len(ends) == 1
    assert ends[0].startswith("Ended: ")
    assert why in ends[0]


def test_every_ending_of_a_fit_has_its_words():
    never = {Status.RUNNING, Status.MAX_SECONDS, Status.TARGET_REACHED, Status.STEP_TOLERANCE,
             Status.DROPPED, Status.FAILED}  # fmt: skip
    assert set(WHY) == set(Status) - never


def test_epochs_tell_of_themselves(capsys):
    net = sb.MLPRegressor((3,), random_state=0, verbose=True, learning_rate_init=1.0)
    for _ in range(4):
        net.partial_fit(X, Y)
    lines = [numbers(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["loss"] for one in lines] == pytest.approx(net.loss_curve_, abs=1e-8)
    best = np.minimum.accumulate(net.loss_curve_)
    assert [one["best"] for one in lines] == pytest.approx(best, abs=1e-8)
