"""Network and penalty of a training on a table, chosen on folds of its training rows.

    training rows -> folds, each with columns scaled by its own rows -> `symbreak.training.choosing`

The folds are split and scored as those of `symbreak.MLPClassifierCV` and `MLPRegressorCV`: of
numbers alone, the same seed gives the same scores.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from symbreak.arrays import as_numpy, picked
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Progress
from symbreak.optimize.methods import find_method
from symbreak.optimize.search import Watch
from symbreak.training.choosing import Choice, choose
from symbreak.training.combine import combined_prediction, usable_starts
from symbreak.training.data_split import DataSplit
from symbreak.training.finite_starts import draw_finite_starts
from symbreak.training.fold_fits import SCREENING_STARTS, Fold, FoldFits, mean_loss
from symbreak.training.folds import FOLDS, splitter, weighing
from symbreak.training.folds import Fold as FoldRows
from symbreak.training.seeds import Seeds, seeds_of
from symbreak.training.selection import ACTIVATIONS, ARCHITECTURES, Layers
from symbreak.training.settings import Settings

if TYPE_CHECKING:
    from symbreak.tables.target import Target

LOG_LOSS, SQUARED_ERROR = "log-loss", "half squared error of the standardised target"
# Fewer rows say too little of any network.
LEAST_ROWS = 8
# As the estimators end their searches.
_ENDS: dict[str, Any] = {"gradient_rtol": 0.0, "gradient_atol": 1e-4}
_VALUE_RTOL, _EVALUATIONS = 2.220446049250313e-09, 15_000


def choose_for(
    split: DataSplit, settings: Settings, look: Callable[[Progress], Any] | None = None
) -> Choice | None:
    """Return what is chosen for the training rows; None where nothing can be.

    That is so where there are too few rows, groups or times for folds, or where the time was spent
    before the first candidates had scores.

    Parameters
    ----------
    look : called with the progress of a training; anything true stops that training.

    Raises
    ------
    InvalidInput
        No candidate ends with finite predictions.
    KeyboardInterrupt
        Ctrl-C: what was cut has no score.
    """
    until = time.perf_counter() + settings.budget
    seeds = seeds_of(settings.seed)
    rows = folds_of(split, seeds.split)
    if not rows:
        return None
    folds = [_on_fold(split, settings, seeds, *fold) for fold in rows]
    arguments = arguments_of(settings, look)

    def fits(layers: Layers, activation: Any) -> FoldFits:
        made = [fold(layers, activation) for fold in folds]
        return FoldFits(made, arguments, until)

    choice = choose(
        fits,
        ARCHITECTURES if settings.hidden is None else [settings.hidden],
        ACTIVATIONS if settings.activation is None else [settings.activation],
        None if settings.alpha is None else [settings.alpha],
    )
    if choice is None and time.perf_counter() < until:
        raise InvalidInput(
            "A network and a penalty must end with finite predictions on every fold. Got none "
            "that does; use a rule with smaller weights or a smaller learning rate."
        )
    words = LOG_LOSS if split.target.classes else SQUARED_ERROR
    return None if choice is None else replace(choice, score_words=words)


def folds_of(split: DataSplit, seed: int) -> list[FoldRows]:
    """Return the folds of the training rows, as places among these; none where they are too few."""
    y, facts, rows = split.train.y, split.facts, split.rows[0]
    groups = None if facts.groups is None else facts.groups[rows]
    is_stratified = bool(split.target.classes)
    if facts.time is not None:
        return _in_time(facts.time[rows])
    largest = int(np.unique(y, return_counts=True)[1].max()) if is_stratified else len(y)
    n_groups = len(y) if groups is None else len(np.unique(groups))
    if len(y) < LEAST_ROWS or min(largest, n_groups) < 2:
        return []
    kind = splitter(y, is_stratified=is_stratified, groups=groups, seed=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        return weighing(list(kind.split(split.train.X, y, groups)), facts.weight_of(rows))


def _in_time(times: Any) -> list[FoldRows]:
    """Return folds that train on what was before the rows that they score."""
    from sklearn.model_selection import TimeSeriesSplit

    if len(times) < max(LEAST_ROWS, 2 * FOLDS):
        return []
    found = TimeSeriesSplit(FOLDS).split(times)
    # Of rows of one time none trains for another.
    folds = [(train[times[train] < times[test[0]]], test) for train, test in found]
    return [(train, test) for train, test in folds if len(train)]


def _on_fold(
    split: DataSplit, settings: Settings, seeds: Seeds, train: Any, test: Any
) -> Callable[[Layers, Any], Fold]:
    """Return what makes a network's fold: the rows are prepared once for all networks."""
    rows = split.rows[0]
    part = split.again(rows[train], rows[:0], rows[test])
    return partial(fold_of, split, part, settings, seeds)


def fold_of(
    split: DataSplit, part: DataSplit, settings: Settings, seeds: Seeds, layers: Layers, name: Any
) -> Fold:
    """Return a network on a fold.

    Parameters
    ----------
    split : the whole, in whose scale numbers are scored.
    part : the fold: its training rows, and as its hold-out the rows to score on.
    layers, name : hidden layers and activation.
    """
    network = network_of(part, layers, name)
    cost = NetworkCost(
        network, *part.train, sample_weight=part.weights.get("training"), dtype=settings.dtype,
        device=settings.device,
    )  # fmt: skip
    # Without hidden layers J has one minimum.
    starts = SCREENING_STARTS if network.n_hidden else 1
    theta = draw_finite_starts(cost, settings.rule, starts=starts, seed=seeds.starts).theta
    return Fold(cost, theta, partial(_score, network, split, part))


def _score(network: Network, split: DataSplit, part: DataSplit, outcome: Outcome) -> float:
    """Return minus the mean loss, that of numbers in the scale of all training rows."""
    usable = usable_starts(as_numpy(outcome.value), as_numpy(outcome.theta))
    theta = picked(outcome.theta, np.flatnonzero(usable), 0)
    X, y = part.holdout
    prediction = combined_prediction(network, theta, X)
    if not split.target.classes:
        prediction, y = (in_scale_of(split.target, part.target, one) for one in (prediction, y))
    return -mean_loss(network, prediction, y, part.weights.get("holdout"))


def in_scale_of(target: Target, other: Target, y: Any) -> Any:
    """Return numbers that are in the scale of another target of the same column."""
    return (other.unscale(y) - target.mean) / target.std


def network_of(split: DataSplit, layers: Sequence[int], activation: Any) -> Network:
    """Return a network for the columns and the target of a table."""
    widths = (split.train.X.shape[1], *layers, split.n_outputs)
    return Network(widths, activation, split.loss)


def arguments_of(settings: Settings, look: Callable[[Progress], Any] | None) -> dict[str, Any]:
    """Return the arguments of `minimize` on the folds."""
    method = find_method(settings.method)
    ends = dict(_ENDS)
    if method.is_on_minibatches:
        ends["gradient_atol"] = 0.0
    else:
        ends["max_evaluations"] = _EVALUATIONS
    if not method.may_rise:
        ends["value_rtol"] = _VALUE_RTOL
    return {
        **ends, "method": settings.method, "max_iter": settings.max_iter,
        "callback": None if look is None else Watch(look), **settings.method_options,
    }  # fmt: skip
