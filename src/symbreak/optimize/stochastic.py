"""The stochastic methods: an update rule, a schedule of learning rates, and mini-batches.

All take learning_rate, a positive number or (starts,) one for each start, and the
`MiniBatchOptions`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
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
from symbreak.optimize.updates.rules import SGD, Adam, UpdateRule
from symbreak.optimize.updates.schedules import SCHEDULES, schedule_of


@dataclass(frozen=True, kw_only=True)
class MiniBatchOptions:
    """The options that all methods on mini-batches share.

    Attributes
    ----------
    schedule : "constant", "invscaling" (`power_t`), "adaptive" (`tol`, `n_iter_no_change`) or
        "cosine" (`cosine_epochs`; the search does not know how many epochs it will have, so the
        length of the cosine is an option of its own); the formulas are in `updates.schedules`.
    batch_size : examples in a mini-batch; None takes all of them for each update.
    epochs_per_evaluation : epochs between one evaluation of J over all examples and the next. An
        iteration is that many epochs.
    shuffle : a new order of the examples for each epoch; False leaves them as they stand.
    seed : of the order of the examples, which is the same for all starts.
    """

    schedule: str = "constant"
    power_t: float = 0.5
    tol: float = 1e-4
    n_iter_no_change: int = 10
    cosine_epochs: int = 400
    batch_size: int | None = 32
    epochs_per_evaluation: int = 1
    shuffle: bool = True
    seed: int = 0

    def check(self, method: str) -> None:
        """Refuse what is out of range, in the name of the method."""
        choose(f"schedule of {method}", self.schedule, SCHEDULES)
        for option in ("n_iter_no_change", "cosine_epochs", "epochs_per_evaluation"):
            check_integer_at_least(f"{option} of {method}", getattr(self, option), 1)
        if self.batch_size is not None:
            check_integer_at_least(f"batch_size of {method}", self.batch_size, 1)
        check_integer_at_least(f"seed of {method}", self.seed, 0)
        check_switch(f"shuffle of {method}", self.shuffle)
        check_at_least(f"tol of {method}", self.tol, 0.0)
        check_positive(f"power_t of {method}", self.power_t)


def sgd(
    *, learning_rate: Any = 0.01, momentum: float = 0.9, nesterov: bool = False, **batches: Any
) -> Stepper:
    """Stochastic gradient descent with momentum; momentum 0 is the plain one."""
    check_fraction("momentum of sgd", momentum)
    check_switch("nesterov of sgd", nesterov)
    return on_minibatches("sgd", SGD(momentum, nesterov=nesterov), learning_rate, **batches)


def adam(
    *,
    learning_rate: Any = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    **batches: Any,
) -> Stepper:
    """Adam (Kingma & Ba 2015)."""
    return on_minibatches("adam", _adam("adam", beta1, beta2, eps), learning_rate, **batches)


def adamw(
    *,
    learning_rate: Any = 0.001,
    weight_decay: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    **batches: Any,
) -> Stepper:
    """Adam with decoupled weight decay, of the weights only (Loshchilov & Hutter 2019)."""
    check_at_least("weight_decay of adamw", weight_decay, 0.0)
    rule = _adam("adamw", beta1, beta2, eps, weight_decay)
    return on_minibatches("adamw", rule, learning_rate, **batches)


def on_minibatches(method: str, rule: UpdateRule, learning_rate: Any, **batches: Any) -> Stepper:
    """Return an update rule as a method on mini-batches.

    Parameters
    ----------
    method : its name, for messages.
    learning_rate : a positive number, or (starts,) one for each start.
    **batches : the `MiniBatchOptions`.
    """
    options = MiniBatchOptions(**batches)
    options.check(method)
    rates = _learning_rates(method, learning_rate)
    return MiniBatchStepper(
        rule,
        schedule_of(options.schedule, rates, asdict(options)),
        batch_size=options.batch_size,
        epochs=options.epochs_per_evaluation,
        shuffle=options.shuffle,
        seed=options.seed,
    )


def _adam(name: str, beta1: float, beta2: float, eps: float, decay: float = 0.0) -> Adam:
    check_fraction(f"beta1 of {name}", beta1)
    check_fraction(f"beta2 of {name}", beta2)
    check_positive(f"eps of {name}", eps)
    return Adam(beta1, beta2, eps, decay)


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
