"""Trained networks: everything that is known of a training, as sections of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbreak.gradient_check import GradientReport
from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.reports.collect.curves import cost_curves, validation_curves
from symbreak.reports.collect.data import data_of_parts
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.findings import gradient_section
from symbreak.reports.collect.network import distinct_over_updates, network_over_updates
from symbreak.reports.collect.predictions import scored
from symbreak.reports.collect.search import of_choice
from symbreak.reports.collect.signals import spread_of_signals
from symbreak.reports.collect.starts import lead_of, minima_words, restart_summary, table_of_starts
from symbreak.reports.numbers import plain, short
from symbreak.training import Trained
from symbreak.training.choosing import Choice
from symbreak.training.combine import combined_words
from symbreak.training.path import Path, PathOfStart
from symbreak.training.scores import Scores
from symbreak.words import counted

if TYPE_CHECKING:
    from symbreak.training.parts import Parts

ITERATION = {
    "update": "An iteration is one update of theta.",
    "epoch": "An iteration is an epoch, a pass over the training rows with an update for each "
    "mini-batch (several passes where epochs_per_evaluation says so).",
}
INTERRUPTED = (
    "Ctrl-C ended this training before it was finished; every start keeps the best point that it "
    "had reached."
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A training with all that is known around it.

    Attributes
    ----------
    trained, parts : what was trained, on which examples.
    source : where the table came from.
    theta : (starts, n), the starts.
    gradient : the check of the gradient at the start.
    symmetry : {"units", "least", "is_broken", "line"}, of the starts.
    gradient_rows : the training rows that it was checked on.
    choice : what cross-validation found of the penalties, if it was asked.
    singles : the hold-out scores of every start by itself.
    path : where the starts stood on the way, if that was kept.
    reproduce : {"command", "python", "settings"}.
    then : the next command when nothing stands against it.
    """

    trained: Trained
    parts: Parts
    source: str
    theta: Any
    gradient: GradientReport
    symmetry: dict[str, Any]
    gradient_rows: int | None = None
    choice: Choice | None = None
    singles: Sequence[Scores | None] = ()
    path: Path | None = None
    reproduce: dict[str, Any] = field(default_factory=dict)
    then: str = ""


def of_run(run: Run) -> dict[str, Any]:
    """Return the document of a training on a table."""
    trained, parts = run.trained, run.parts
    chosen = lead_of(trained.outcome, trained.kept)
    way = _way(trained.outcome, chosen, run.path)
    names = {
        "inputs": parts.preparation.feature_names,
        "outputs": tuple(map(str, parts.target.classes)) or (parts.target.name,),
    }
    target = short(parts.target.name, 60)
    return finished(
        f"{parts.target.task.capitalize()} of {target}, {short(run.source, 60)}",
        network_name(trained.network),
        {
            "what": f"{network_words(trained.network)}; {parts.target.task} of {target}, "
            f"{counted(parts.train.n, 'training row')}",
            "then": short(run.then, 600),
            "scores": scores_of_run(run),
            "search": None if run.choice is None else of_choice(run.choice),
            **sections_of_outcome(
                trained.outcome,
                chosen,
                kept=trained.kept,
                validation=trained.validation,
                singles=run.singles,
            ),
            "minima": minima_words(trained.network, trained.outcome, parts.train.X) or None,
            **_of_way(trained.network, trained.outcome, way, **names),
            "signals": spread_of_signals(
                trained.network, torch.as_tensor(run.theta).cpu().numpy(), *parts.train
            ),
            "gradient_check": gradient_section(run.gradient, run.gradient_rows),
            "symmetry": plain(run.symmetry),
            "data": data_of_parts(parts, run.source),
            "reproduce": plain(run.reproduce) or None,
        },
    )


def of_trained(trained: Trained) -> dict[str, Any]:
    """Return the document of a training in Python."""
    chosen = lead_of(trained.outcome, trained.kept)
    how = combined_words(trained.combine, trained.kept)
    return finished(
        "Training",
        network_name(trained.network),
        {
            "what": f"{network_words(trained.network)}; the prediction is {how}",
            **sections_of_outcome(
                trained.outcome, chosen, kept=trained.kept, validation=trained.validation
            ),
            "minima": minima_words(trained.network, trained.outcome) or None,
            **_of_way(trained.network, trained.outcome, _way(trained.outcome, chosen, None)),
        },
    )


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return the document of a minimisation; what was minimised is not known."""
    n = np.shape(outcome.theta)[-1]
    kind = f"{counted(n, 'parameter')}, {counted(len(outcome.value), 'start')}"
    return finished("Minimisation of J", kind, sections_of_outcome(outcome, outcome.best))


def network_name(network: Network) -> str:
    """Return "Network 64-25-10"."""
    return f"Network {'-'.join(map(str, network.layers))}"


def network_words(network: Network) -> str:
    """Return activations, loss and the number of parameters."""
    names = ", ".join(dict.fromkeys(one.name for one in network.activations)) or "no hidden layer"
    return f"{names}, {network.loss.name.replace('_', ' ')}, {network.n_parameters} parameters"


def scores_of_run(run: Run) -> dict[str, Any]:
    """Return what the combined prediction scores on the hold-out part."""
    parts, trained = run.parts, run.trained
    found = scored(parts.target, parts.holdout.y, trained.predict(parts.holdout.X))
    return {**found, "how": combined_words(trained.combine, trained.kept)}


def sections_of_outcome(
    outcome: Outcome,
    chosen: int,
    *,
    kept: Sequence[int] | None = None,
    validation: Sequence[Scores | None] = (),
    singles: Sequence[Scores | None] = (),
    sign: int = 1,
) -> dict[str, Any]:
    """Return the sections on the starts.

    See `table_of_starts` and `validation_curves` for what they are given.
    """
    return {
        "note": INTERRUPTED if outcome.is_interrupted else None,
        "iteration": ITERATION[outcome.iteration_is],
        "restarts": restart_summary(outcome),
        "starts": table_of_starts(outcome, kept=kept, validation=validation, holdout=singles),
        "curves": cost_curves(outcome, chosen),
        "validation_curves": validation_curves(outcome, chosen, sign=sign),
    }


def _way(outcome: Outcome, start: int, path: Path | None) -> PathOfStart:
    """Return the path that was kept, or else the end alone."""
    found = None if path is None else path.of(start, outcome)
    if found is not None:
        return found
    theta = torch.atleast_2d(torch.as_tensor(outcome.theta))[start].detach().cpu().numpy()
    return PathOfStart(start, outcome.best_iteration[[start]], theta[None])


def _of_way(
    network: Network, outcome: Outcome, way: PathOfStart, **names: tuple[str, ...]
) -> dict[str, Any]:
    history = outcome.history[:, way.start]
    values = history[np.minimum(way.updates, len(history) - 1)]
    values[-1] = outcome.value[way.start]  # of the point that is returned, the best one
    picture = network_over_updates(network, way, values, **names)
    picture["iterations_made"] = int(outcome.n_iterations[way.start])
    found: dict[str, Any] = {"network": picture}
    if network.n_hidden:
        found["distinct"] = distinct_over_updates(network, way)
    return found
