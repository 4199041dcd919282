"""Training on a table, step by step.

    split -> network, penalty -> J and its starts -> what is checked there -> training -> record

Each step can be looked at before the next one begins; `train_split` makes them all.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from symbreak.arrays import Array
from symbreak.errors import InvalidInput, SymmetryWarning
from symbreak.gradient_check import GradientReport
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Progress, minimize
from symbreak.optimize.search import Watch
from symbreak.training.checks import Symmetry, gradient_report
from symbreak.training.choosing import Choice
from symbreak.training.combine import check_combine
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.record import Provenance, Training
from symbreak.training.scores import target_scores
from symbreak.training.settings import Settings
from symbreak.training.trajectory import Trajectories

if TYPE_CHECKING:  # needs polars; trainings on arrays do not
    from symbreak.training.data_split import DataSplit

Look = Callable[[Progress], Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A training that may begin.

    Attributes
    ----------
    cost : J on the training rows, with the penalty alpha.
    theta0 : (starts, n).
    redrawn : how many starts were drawn again.
    choice : what cross-validation found of networks and penalties, if it was asked.
    seconds : wall-clock time by stage, of the stages so far.
    """

    split: DataSplit
    settings: Settings
    cost: NetworkCost
    theta0: Array
    alpha: float
    redrawn: int = 0
    choice: Choice | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        """The network to train."""
        return self.cost.network

    @cached_property
    def gradient(self) -> GradientReport:
        """The check of the gradient at a start.

        Raises
        ------
        InvalidInput
            J is finite at none.
        """
        with timed(self.seconds, "check"):
            return gradient_report(self.cost, self.theta0)

    @cached_property
    def symmetry(self) -> Symmetry:
        """How many hidden units the training can tell apart."""
        with timed(self.seconds, "check"):
            return Symmetry.of(
                self.network, self.theta0, alpha=self.alpha, method=self.settings.method
            )


def train_split(split: DataSplit, settings: Settings | None = None) -> Training:
    """Train on the training rows of a table and return the record of it.

    Raises
    ------
    InvalidInput, InvalidType
        A setting is not what it must be, the gradient of J is wrong, or no start ends with a
        finite cost.
    """
    from symbreak.training.table_errors import with_errors

    settings = Settings() if settings is None else settings
    check_combine(settings.combine, has_validation=split.validation.n > 0)
    ready = prepared(split, settings, chosen_for(split, settings))
    if ready.gradient.verdict == "fail":
        raise InvalidInput(
            "The gradient must be the derivative of J. Got another one, so nothing was trained: "
            f"{ready.gradient.line}"
        )
    return with_errors(train_prepared(ready), settings)


def chosen_for(split: DataSplit, settings: Settings, look: Look | None = None) -> Choice | None:
    """Return what cross-validation finds; None where it is not asked, or cannot tell."""
    if not settings.chooses:
        return None
    from symbreak.training.table_choice import choose_for

    with without_symmetry_warning():
        return choose_for(split, settings, look)


def prepared(
    split: DataSplit,
    settings: Settings,
    choice: Choice | None = None,
    seconds: Mapping[str, float] | None = None,
) -> Prepared:
    """Return J on the training rows and its starts.

    Parameters
    ----------
    choice : what chose network and penalty; None takes those of the settings, or the usual ones.
    seconds : wall-clock time of what came before, by stage.
    """
    from symbreak.training.table_choice import network_of

    spent = dict(seconds or {})
    hidden, activation, alpha = settings.usual(split.target.task)
    if choice is not None:
        (hidden, activation), alpha = choice.best.network, choice.best.alpha
    with timed(spent, "check"), without_symmetry_warning():
        cost = NetworkCost(
            network_of(split, hidden, activation), *split.train, alpha=alpha,
            sample_weight=split.weights.get("training"), dtype=settings.dtype,
            device=settings.device,
        )  # fmt: skip
        theta0, redrawn = draw_finite_starts(
            cost, settings.rule, starts=settings.starts, seed=settings.seed
        )
    return Prepared(
        split=split, settings=settings, cost=cost, theta0=theta0, alpha=alpha, redrawn=redrawn,
        choice=choice, seconds=spent,
    )  # fmt: skip


def train_prepared(
    ready: Prepared,
    *,
    look: Look | None = None,
    keeps_trajectories: bool = False,
    provenance: Provenance | None = None,
) -> Training:
    """Train, predict each part of the data once, and return the record.

    Parameters
    ----------
    look : called with the progress; anything true stops the training.
    keeps_trajectories : whether to keep where the starts stood on the way.
    provenance : where the data and the settings come from.
    """
    settings = ready.settings
    trajectories = Trajectories(ready.theta0) if keeps_trajectories else None
    gradient, symmetry, seconds = ready.gradient, ready.symmetry, dict(ready.seconds)

    with timed(seconds, "train"), without_symmetry_warning():
        outcome = minimize(
            ready.cost, ready.theta0, method=settings.method, max_iter=settings.max_iter,
            callback=_callback(look, trajectories), **settings.method_options,
        )  # fmt: skip
    if outcome.is_interrupted and not outcome.n_iterations.any():
        raise KeyboardInterrupt
    split = ready.split
    named = {"training": split.train, "validation": split.validation, "holdout": split.holdout}
    parts = {name: part for name, part in named.items() if part.n}
    score = partial(target_scores, split.target)
    with timed(seconds, "score"):
        training = Training.of(
            ready.network, outcome, settings.combine, parts, score, cost=ready.cost,
            theta0=ready.theta0, split=split, choice=ready.choice, redrawn=ready.redrawn,
            gradient=gradient, symmetry=symmetry, trajectories=trajectories, seconds=seconds,
            weights=split.weights, provenance=provenance or Provenance(),
        )  # fmt: skip
        # They are shown of every training, so that it belongs to its time.
        _ = training.validation, training.singles, training.holdout
    return training


def _callback(look: Look | None, trajectories: Trajectories | None) -> Look | None:
    """Return what `minimize` calls: after every tick where trajectories are kept, else at times."""
    if trajectories is None:
        return None if look is None else Watch(look)
    kept = trajectories

    def both(progress: Progress) -> Any:
        kept(progress)
        return None if look is None else look(progress)

    return both


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Add the wall-clock time of a block to that of its stage."""
    began = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - began


@contextmanager
def without_symmetry_warning() -> Iterator[None]:
    """Silence the warning of a start whose symmetry the record speaks of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymmetryWarning)
        yield
