"""The stochastic methods: an update rule, a schedule of learning rates, and mini-batches.

Options that all three share
----------------------------
learning_rate : a positive number, or (starts,) one for each start.
schedule : "constant", "invscaling" (`power_t`), "adaptive" (`tol`, `n_iter_no_change`) or "cosine"
    (`cosine_epochs`; the search does not know how many epochs it will have, so the length of the
    cosine is an option of its own); the formulas are in `updates.schedules`.
batch_size : examples in a mini-batch; None takes all of them for each update.
epochs_per_evaluation : epochs between one evaluation of J over all examples and the next. An
    iteration is that many epochs.
shuffle : a new order of the examples for each epoch; False leaves them as they stand.
seed : of the order of the examples, which is the same for all starts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.checks import (
    check_at_least,
    check_fraction,
    check_integer_at_least,
    check_positive,
    check_switch,
)
from symbreak.errors import InvalidInput, choose
from symbreak.optimize.per_start import Floats
from symbreak.optimize.protocols import Stepper
from symbreak.optimize.steppers.minibatch import MiniBatchStepper
from symbreak.optimize.updates.adam import Adam
from symbreak.optimize.updates.rule import UpdateRule
from symbreak.optimize.updates.schedules import SCHEDULES, schedule_of
from symbreak.optimize.updates.sgd import SGD


def sgd(
    *,
    learning_rate: Any = 0.01,
    momentum: float = 0.9,
    nesterov: bool = False,
    schedule: str = "constant",
    power_t: float = 0.5,
    tol: float = 1e-4,
    n_iter_no_change: int = 10,
    cosine_epochs: int = 400,
    batch_size: int | None = 32,
    epochs_per_evaluation: int = 1,
    shuffle: bool = True,
    seed: int = 0,
) -> Stepper:
    """Stochastic gradient descent with momentum; momentum 0 is the plain one."""
    options = dict(locals())
    check_fraction("momentum of sgd", momentum)
    check_switch("nesterov of sgd", nesterov)
    return _stepper("sgd", SGD(momentum, nesterov=nesterov), options)


def adam(
    *,
    learning_rate: Any = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    schedule: str = "constant",
    power_t: float = 0.5,
    tol: float = 1e-4,
    n_iter_no_change: int = 10,
    cosine_epochs: int = 400,
    batch_size: int | None = 32,
    epochs_per_evaluation: int = 1,
    shuffle: bool = True,
    seed: int = 0,
) -> Stepper:
    """Adam (Kingma & Ba 2015)."""
    options = dict(locals())
    return _stepper("adam", _adam("adam", beta1, beta2, eps), options)


def adamw(
    *,
    learning_rate: Any = 0.001,
    weight_decay: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    schedule: str = "constant",
    power_t: float = 0.5,
    tol: float = 1e-4,
    n_iter_no_change: int = 10,
    cosine_epochs: int = 400,
    batch_size: int | None = 32,
    epochs_per_evaluation: int = 1,
    shuffle: bool = True,
    seed: int = 0,
) -> Stepper:
    """Adam with decoupled weight decay, of the weights only (Loshchilov & Hutter 2019)."""
    options = dict(locals())
    check_at_least("weight_decay of adamw", weight_decay, 0.0)
    return _stepper("adamw", _adam("adamw", beta1, beta2, eps, weight_decay), options)


def _adam(name: str, beta1: float, beta2: float, eps: float, decay: float = 0.0) -> Adam:
    check_fraction(f"beta1 of {name}", beta1)
    check_fraction(f"beta2 of {name}", beta2)
    check_positive(f"eps of {name}", eps)
    return Adam(beta1, beta2, eps, decay)


def _stepper(name: str, rule: UpdateRule, options: dict[str, Any]) -> Stepper:
    """Check the options that all methods share and put the parts together."""
    word = choose(f"schedule of {name}", options["schedule"], SCHEDULES)
    for option in ("n_iter_no_change", "cosine_epochs", "epochs_per_evaluation"):
        check_integer_at_least(f"{option} of {name}", options[option], 1)
    if options["batch_size"] is not None:
        check_integer_at_least(f"batch_size of {name}", options["batch_size"], 1)
    check_integer_at_least(f"seed of {name}", options["seed"], 0)
    check_switch(f"shuffle of {name}", options["shuffle"])
    check_at_least(f"tol of {name}", options["tol"], 0.0)
    check_positive(f"power_t of {name}", options["power_t"])
    rates = _learning_rates(name, options["learning_rate"])
    return MiniBatchStepper(
        rule,
        schedule_of(word, rates, options),
        batch_size=options["batch_size"],
        epochs=options["epochs_per_evaluation"],
        shuffle=options["shuffle"],
        seed=options["seed"],
    )


def _learning_rates(name: str, given: Any) -> Floats:
    try:
        rates = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        rates = np.full((), np.nan)
    if rates.ndim > 1 or not (np.isfinite(rates) & (rates > 0)).all():
        raise InvalidInput(
            f"learning_rate of {name} must be a positive number, or one for each start. "
            f"Got {given!r}."
        )
    return rates
