"""The record of a training: everything that is known of it, each fact once.

The terminal prints from it, the page is rendered from it, the model file is a part of it, and an
estimator takes its fitted attributes from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from symbreak import __version__
from symbreak.arrays import Array, as_numpy, picked
from symbreak.gradient_check import GradientReport
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Status
from symbreak.training.advice import advice
from symbreak.training.advised import Advice
from symbreak.training.checks import Symmetry
from symbreak.training.choosing import Choice
from symbreak.training.combine import (
    checked_finite,
    combined_prediction,
    kept_starts,
    lead_of,
    usable_starts,
)
from symbreak.training.comparison import Comparison
from symbreak.training.confusion import Confusion
from symbreak.training.importance import ColumnImportance
from symbreak.training.predictions import Predictions
from symbreak.training.scores import Scores, scores_of
from symbreak.training.trajectory import Trajectories

if TYPE_CHECKING:  # these need polars; a training on arrays does not
    from symbreak.training.cross_validation import CrossValidation
    from symbreak.training.data_split import DataSplit
    from symbreak.training.model import Model
    from symbreak.training.table_errors import Intervals
    from symbreak.training.uncertainty import HeldOut

Score = Callable[[Any, NDArray[Any], Any], Scores | None]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a training came from, and how to do it again.

    Attributes
    ----------
    source : the table.
    command, python : what trains the same; "" where it is not known.
    settings : plain data.
    version : of this package.
    """

    source: str = ""
    command: str = ""
    python: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__


@dataclass(frozen=True, eq=False, kw_only=True)
class Training:
    """What the starts became, and what was found out on the way.

    Attributes
    ----------
    network : what was trained.
    outcome : theta, J, status and iterations of every start. Where the search itself was validated,
        what it validates by is minus a score.
    combine : "average", "best" or "lowest-cost"; of an estimator "all" too.
    usable : (starts,) whether J and theta of the start are finite; the others are left out.
    kept : indices of the starts that `combine` keeps.
    cost : J on the training examples, with the penalty; None where these are not kept.
    theta0 : (starts, n), the starts; None where they are not kept.
    predictions : of every start, by the part of the data: "training", "validation", "holdout".
        Each is computed when it is first asked for, and never again.
    redrawn : how many starts were drawn again, as J or its gradient was not finite there.
    split : the table, split and prepared; None for a training on arrays.
    choice : what cross-validation found of networks and penalties, if it was asked.
    cross_validation : what the same training predicts for rows that it does not know; None where a
        hold-out part tells, or nobody asked.
    held_out : of a table of numbers, the errors on rows that made no part of the network, and of
        which parts of the data these rows are (`errors_of`); None where no rows tell them.
    gradient, symmetry : what was found at the starts, None where nobody asked.
    trajectories : where the starts stood on the way, None where nobody asked.
    trivial : of a network no better than the best constant on its training rows, how many hidden
        units do not depend on the row, of how many; None where it is better, or nobody asked.
    spread_of_inputs : how far the scales of the columns of X, or their means, lie apart.
    provenance : where it came from.
    seconds : wall-clock time by stage.
    """

    network: Network
    outcome: Outcome
    combine: str
    usable: NDArray[np.bool_]
    kept: tuple[int, ...]
    cost: NetworkCost | None = None
    theta0: Array | None = None
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    redrawn: int = 0
    split: DataSplit | None = None
    choice: Choice | None = None
    cross_validation: CrossValidation | None = None
    held_out: HeldOut | None = None
    errors_of: tuple[str, ...] = ()
    gradient: GradientReport | None = None
    symmetry: Symmetry | None = None
    trajectories: Trajectories | None = None
    trivial: tuple[int, int] | None = None
    spread_of_inputs: float = 1.0
    provenance: Provenance = field(default_factory=Provenance)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        network: Network,
        outcome: Outcome,
        combine: str,
        parts: Mapping[str, tuple[Any, Any]] | None = None,
        score: Score | None = None,
        weights: Mapping[str, NDArray[Any]] | None = None,
        **known: Any,
    ) -> Self:
        """Return the record of what the starts became, with the starts that `combine` keeps.

        Parameters
        ----------
        parts : (X, y) of each part of the data that is to be scored, by name.
        score : gives the scores of y, a prediction (m, outputs) and weights; None the scores of
            the loss.
        weights : (m,) in the scores of parts, by name; the examples of the others weigh the same.
        known : what else the record holds.

        Raises
        ------
        InvalidInput
            No start is usable.
        """
        theta, J = outcome.theta, as_numpy(outcome.value)
        usable = usable_starts(J, as_numpy(theta))
        score = score or partial(scores_of, network.loss)
        some = weights or {}
        predictions = {
            name: Predictions(
                network=network, theta=theta, usable=usable, X=X, y=y, score=score,
                weight=some.get(name),
            )
            for name, (X, y) in (parts or {}).items()
        }  # fmt: skip
        chosen_by = _validation(outcome, predictions) if combine == "best" else ()
        return cls(
            network=network, outcome=outcome, combine=combine, usable=usable,
            kept=kept_starts(combine, J, usable, chosen_by), predictions=predictions, **known,
        )  # fmt: skip

    @property
    def theta(self) -> Array:
        """The kept starts, (kept, n)."""
        return picked(self.outcome.theta, np.array(self.kept), 0)

    @property
    def lead(self) -> int:
        """The start that stands for those kept: the one with the lowest J."""
        return lead_of(self.kept, self.outcome.value)

    @property
    def ranked(self) -> tuple[int, ...]:
        """The kept starts, lowest J first, so that the one that leads is the first."""
        return tuple(sorted(self.kept, key=lambda start: float(self.outcome.value[start])))

    @property
    def predicting(self) -> tuple[int, ...]:
        """The starts whose mean is the prediction: those kept, with "all" the one that leads."""
        return (self.lead,) if self.combine == "all" else self.kept

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C ended the training."""
        return self.outcome.is_interrupted

    @property
    def n_diverged(self) -> int:
        """How many starts ended where J is not finite."""
        return self.outcome.status.count(Status.DIVERGED)

    @property
    def validation(self) -> tuple[Scores | None, ...]:
        """The validation scores of every start; empty where nothing was validated."""
        return _validation(self.outcome, self.predictions)

    @property
    def singles(self) -> tuple[Scores | None, ...]:
        """The hold-out scores of every start by itself; empty without a hold-out part."""
        return self.scores_of_starts("holdout")

    def scores_of_starts(self, part: str) -> tuple[Scores | None, ...]:
        """Return the scores of every start by itself on a part; empty where there is none."""
        return self.predictions[part].scores if part in self.predictions else ()

    @cached_property
    def holdout(self) -> Scores | None:
        """The hold-out scores of the combined prediction; None without one, or if not finite."""
        if "holdout" not in self.predictions:
            return None
        return self.predictions["holdout"].scored(self.holdout_prediction)

    @cached_property
    def holdout_prediction(self) -> NDArray[Any]:
        """The combined prediction for the hold-out part, (m, outputs)."""
        return self.predictions["holdout"].combined(self.predicting)

    @cached_property
    def comparison(self) -> Comparison | None:
        """The losses on training and held-out rows beside a constant and a linear model."""
        from symbreak.training.facts import comparison_of

        return comparison_of(self)

    @cached_property
    def confusion(self) -> Confusion | None:
        """Which classes of held-out rows are taken for which."""
        from symbreak.training.facts import confusion_of

        return confusion_of(self)

    @cached_property
    def importance(self) -> list[ColumnImportance]:
        """What the columns of the table matter on held-out rows, the largest first."""
        from symbreak.training.facts import importance_of

        return importance_of(self)

    @cached_property
    def intervals(self) -> Intervals | None:
        """How wide the intervals of numbers are, and how often they cover; None without any."""
        from symbreak.training.table_errors import intervals_of

        return intervals_of(self)

    @cached_property
    def advice(self) -> list[Advice]:
        """What this training asks for, the most urgent first."""
        from symbreak.training.facts import facts_of

        return advice(facts_of(self))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the combined prediction after the link, (m, outputs), of X (m, features)."""
        theta = picked(self.outcome.theta, np.array(self.predicting), 0)
        return checked_finite(combined_prediction(self.network, theta, X))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, numbers with all their digits."""
        from symbreak.training.plain_data import of_training

        return of_training(self)

    def model(self) -> Model:
        """Return what predicts rows of a table, for a file.

        Equal trainings give equal models: there is no time and no path in it.

        Raises
        ------
        InvalidInput
            The training was on arrays, so there are no columns of a table to prepare.
        """
        from symbreak.training.model import Model

        return Model.of(self)


def _validation(
    outcome: Outcome, predictions: Mapping[str, Predictions]
) -> tuple[Scores | None, ...]:
    """Return the validation scores of every start, from its part or from the search itself."""
    if "validation" in predictions:
        return predictions["validation"].scores
    if outcome.validation is None:
        return ()
    score = np.where(np.isfinite(outcome.validation), -outcome.validation, np.nan)
    loss = outcome.validation_loss
    pairs = zip(score, np.full_like(score, np.nan) if loss is None else loss, strict=True)
    return tuple(Scores(("score", "loss"), *map(float, pair)) for pair in pairs)
