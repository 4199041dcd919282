"""Bursts: what the compiled core makes of a search between two looks of Python at it.

In a burst every running start takes steps alone, on its thread, until it has made enough of them or
may have ended. The core works on the arrays of the running starts in place, tick by tick as the
loop does, so that where a burst ends changes no bit of what comes out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from symbreak.native import load, n_threads
from symbreak.native.interface import Problem
from symbreak.native.turns import let_go
from symbreak.objectives.capabilities import (
    HasNativeProblem,
    HasNativeScore,
    ScoreWord,
    offered,
)
from symbreak.objectives.contract import Objective
from symbreak.optimize.per_start import Floats, Mask, Starts, limits_of
from symbreak.optimize.protocols import NOT_ASKED
from symbreak.optimize.running import TIES, Running
from symbreak.optimize.stopping import ROUNDING, GradientTest, Limits
from symbreak.optimize.twin import HasTwin
from symbreak.parameters import check_size

SECONDS = 0.1  # what a burst takes, about
GROWTH = 8  # from one burst to the next, at most
MOST_STEPS = 4096


class Pace:
    """How many accepted steps the next burst has, so that it takes about `SECONDS`.

    Where one may take longer there are 0, which stands for one trial: a step can need many.
    """

    def __init__(self) -> None:
        self.steps = 0

    def took(self, seconds: float, rest: float, growth: float = GROWTH) -> None:
        """Take notice of a burst's seconds, and of those that the search has left."""
        wanted = min(SECONDS, max(rest, 0.0)) / max(seconds, 1e-6)
        self.steps = int(min(max(self.steps, 1) * min(wanted, growth), MOST_STEPS))


@dataclass(frozen=True)
class Burst:
    """What has become of each running start.

    Attributes
    ----------
    iterations, evaluations : (running,), accepted steps and evaluations since the search began.
    accepted, failed : (running,), what was said of the last trial.
    values, scores : (running, most steps), J and the validation score of each accepted step.
    before : (running,), the accepted steps when the burst began.
    is_interrupted : whether a handler of the program raised KeyboardInterrupt as the core returned.
    """

    iterations: Starts
    evaluations: Starts
    accepted: Mask
    failed: Mask
    values: Floats
    scores: Floats
    before: Starts
    is_interrupted: bool = False

    @classmethod
    def begin(cls, iterations: Starts, evaluations: Starts, most_steps: int) -> Burst:
        """Return room for what so many accepted steps of each start will be."""
        n = len(iterations)
        return cls(
            iterations.copy(), evaluations.copy(), np.zeros(n, bool), np.zeros(n, bool),
            np.empty((n, most_steps)), np.empty((n, most_steps)), iterations,
        )  # fmt: skip

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the core writes, by its names."""
        written = ("iterations", "evaluations", "accepted", "failed", "values", "scores")
        return {f"burst.{name}": getattr(self, name) for name in written}

    @property
    def steps(self) -> tuple[Starts, Starts]:
        """The rows and columns of `values` and `scores` that hold an accepted step."""
        made = self.iterations - self.before
        rows, columns = np.nonzero(np.arange(self.values.shape[1]) < made[:, None])
        return rows, columns


class Problems(NamedTuple):
    """J, and what scores accepted points, as the core knows them."""

    J: Problem
    score: ScoreWord = "loss"
    validation: Problem | None = None


def problems_of(run: Running, objective: Objective) -> Problems | None:
    """Return what the core is to know of a search; None where it cannot make a burst of it."""
    if not isinstance(run.stepper, HasTwin) or run.stepper.twin is None or load() is None:
        return None
    J = _native(objective)
    if J is None or not isinstance(run.here.theta, np.ndarray):
        return None
    if run.validation is None:
        return Problems(J)
    word, problem = _score(run.validation.of, run)
    return Problems(J, word, problem) if type(problem) is type(J) else None


def _score(of: object, run: Running) -> tuple[ScoreWord, Problem | None]:
    """Return what a validation scores by; no problem where the core does not know it."""
    if isinstance(of, Objective):
        check_size(run.here.theta, of.blocks)
        return "loss", _native(of.take(run.starts))
    known = offered(of, HasNativeScore)
    found = None if known is None else known.native_score
    return ("loss", None) if found is None else found


def _native(objective: Objective) -> Problem | None:
    known = offered(objective, HasNativeProblem)
    return None if known is None else known.native_problem


def burst(
    problems: Problems,
    run: Running,
    objective: Objective,
    settings: Mapping[str, float],
    counts: tuple[Starts, Starts],
    *,
    steps: int,
) -> Burst:
    """Advance all running starts.

    Parameters
    ----------
    problems : what `problems_of` returns.
    run : whose arrays have memory of their own.
    objective : of the running starts.
    settings : what `settings_of` returns.
    counts : iterations and evaluations so far, (running,) each.
    steps : accepted steps of a start, at most; 0 for one trial of each.
    """
    stepper, core = run.stepper, load()
    assert core is not None
    assert isinstance(stepper, HasTwin)
    iterations, evaluations = counts
    left = (
        settings["max_iter"] - iterations.min(),
        settings["max_evaluations"] - evaluations.min(),
    )
    # A limit that was passed before the search went on ends it after a trial.
    steps = max(int(min(steps, *left)), 0)
    ticks = 1 if steps == 0 else stepper.most_ticks(steps, objective)
    made, plan = Burst.begin(*counts, min(max(steps, 1), ticks)), stepper.plan(ticks, objective)
    arguments = (
        stepper.twin or "", problems.J, problems.validation, {**run.arrays(), **made.arrays},
        {
            **settings, **stepper.twin_settings(), "most_ticks": ticks,
            "score": get_args(ScoreWord).index(problems.score),
        },
        plan.order, plan.factors, plan.decay, len(run), n_threads(),
    )  # fmt: skip
    with let_go():
        try:
            core.burst(*arguments)
        except KeyboardInterrupt:  # The core has done its work, which is to be booked.
            made = replace(made, is_interrupted=True)
    stepper.count(ticks, objective)
    return made


def settings_of(
    run: Running, test: GradientTest, limits: Limits, *, with_gradient: bool
) -> dict[str, float]:
    """Return the constants and limits of a search by the names that the core asks for.

    Parameters
    ----------
    with_gradient : whether anyone goes by the gradient at the trials.
    """
    settings = {
        "with_gradient": with_gradient,
        "not_asked": NOT_ASKED,
        "eps": float(limits_of(run.here.theta).eps),
        "ties": TIES,
        "rounding": ROUNDING,
        "gradient_rtol": test.rtol,
        "gradient_atol": test.atol,
        "target_value": _or(limits.target_value, -math.inf),
        "value_rtol": limits.value_rtol,
        "value_atol": limits.value_atol,
        "step_rtol": limits.step_rtol,
        "max_iter": limits.max_iter,
        "max_evaluations": _or(limits.max_evaluations, math.inf),
    }
    if run.validation is not None:
        settings |= {"patience": run.validation.patience, "patience_tol": run.validation.tol}
    if run.stalling is not None:
        settings |= {"value_patience": run.stalling.patience, "value_tol": run.stalling.tol}
    return settings


def _or(limit: float | None, none: float) -> float:
    return none if limit is None else float(limit)
