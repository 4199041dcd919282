"""Trainings and minimisations: what is known of them, as sections of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symbreak.arrays import as_numpy
from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.reports.collect.comparison import advised, comparison_sections
from symbreak.reports.collect.curves import cost_curves, validation_curves
from symbreak.reports.collect.data import data_of_split
from symbreak.reports.collect.document import finished
from symbreak.reports.collect.findings import gradient_section, symmetry_section
from symbreak.reports.collect.network import distinct_over_updates, network_over_updates
from symbreak.reports.collect.predictions import cross_validated, scored, with_intervals
from symbreak.reports.collect.search import of_choice
from symbreak.reports.collect.signals import spread_of_signals
from symbreak.reports.collect.starts import minima_words, restart_summary, table_of_starts
from symbreak.reports.numbers import plain, short
from symbreak.text import pluralize
from symbreak.training import Training
from symbreak.training.advice import advice
from symbreak.training.checks import CHECKED_ROWS
from symbreak.training.combine import combined_words
from symbreak.training.confusion import counted_words
from symbreak.training.facts import facts_of_search
from symbreak.training.remedies import MINIMIZE, SETTINGS, TRAIN
from symbreak.training.share_interval import effective_rows
from symbreak.training.trajectory import Trajectories, Trajectory

if TYPE_CHECKING:  # needs polars
    from symbreak.training.data_split import DataSplit

ITERATION = {
    "update": "An iteration is one update of theta.",
    "epoch": "An iteration is an epoch, a pass over the training rows with an update for each "
    "mini-batch (several passes where epochs_per_evaluation says so).",
}
INTERRUPTED = (
    "Ctrl-C ended this training before it was finished; every start keeps the best point that it "
    "had reached."
)


def of_training(training: Training, *, then: str = "") -> dict[str, Any]:
    """Return the document of a training: a section for all that is known of it.

    Parameters
    ----------
    then : the next step when nothing stands against it.
    """
    split, provenance = training.split, training.provenance
    source = provenance.source
    title, what, names = "Training", f"the prediction is {_combined(training)}", {}
    if split is not None:
        target, task = short(split.target.name, 60), split.target.task
        title = f"{task.capitalize()} of {target}, {short(source, 60)}"
        what = f"{task} of {target}, {pluralize(split.train.n, 'training row')}"
        names = {
            "inputs": split.preparation.feature_names,
            "outputs": tuple(map(str, split.target.classes)) or (split.target.name,),
        }
    trajectory = _trajectory(training.outcome, training.lead, training.trajectories)
    return finished(
        title,
        network_name(training.network),
        {
            "what": f"{network_words(training.network)}; {what}",
            "then": short(then, 600) or None,
            "scores": scores_of_training(training),
            **comparison_sections(training),
            "advice": advised(training.advice, TRAIN if provenance.command else SETTINGS),
            **sections_of_outcome(training.outcome, training),
            **_of_trajectory(training.network, training.outcome, trajectory, **names),
            **_of_examples(training),
            **_found_before(training),
            "data": None if split is None else data_of_split(split, source),
            "reproduce": _reproduce(training),
        },
    )


def _of_examples(training: Training) -> dict[str, Any]:
    """Return what the training rows tell, as far as they are known."""
    network, outcome = training.network, training.outcome
    if training.split is None or training.theta0 is None:
        return {"minima": minima_words(network, outcome) or None}
    rows = training.split.train
    theta0 = as_numpy(training.theta0)
    return {
        "minima": minima_words(network, outcome, rows.X) or None,
        "signals": spread_of_signals(network, theta0, *rows),
    }


def _found_before(training: Training) -> dict[str, Any]:
    """Return what was found out before the search, None for what nobody asked."""
    gradient, symmetry, choice = training.gradient, training.symmetry, training.choice
    cost = training.cost
    rows = None if cost is None else min(CHECKED_ROWS, cost.n_examples)
    return {
        "search": None if choice is None else of_choice(choice),
        "gradient_check": None if gradient is None else gradient_section(gradient, rows),
        "symmetry": None if symmetry is None else symmetry_section(symmetry),
    }


def _reproduce(training: Training) -> dict[str, Any] | None:
    provenance = training.provenance
    if not provenance.settings:
        return None
    reproduce = {
        "command": provenance.command,
        "python": provenance.python,
        "settings": provenance.settings,
    }
    return dict(plain(reproduce))


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return the document of a minimisation; what was minimised is not known."""
    n = np.shape(outcome.theta)[-1]
    kind = f"{pluralize(n, 'parameter')}, {pluralize(len(outcome.value), 'start')}"
    found = advised(advice(facts_of_search(outcome)), MINIMIZE)
    return finished("Minimisation of J", kind, {"advice": found, **sections_of_outcome(outcome)})


def network_name(network: Network) -> str:
    """Return "Network 64-25-10"."""
    return f"Network {'-'.join(map(str, network.layers))}"


def network_words(network: Network) -> str:
    """Return activations, loss and the number of parameters."""
    names = ", ".join(dict.fromkeys(one.name for one in network.activations)) or "no hidden layer"
    return f"{names}, {network.loss.name.replace('_', ' ')}, {network.n_parameters} parameters"


def scores_of_training(training: Training) -> dict[str, Any] | None:
    """Return what the combined prediction scores on rows that chose nothing, None without any."""
    if training.cross_validation is not None:
        found = cross_validated(training.cross_validation)
        return {**with_intervals(found, training.intervals), **_how(training)}
    if training.split is None or "holdout" not in training.predictions:
        return None
    y = training.predictions["holdout"].y
    scores = scored(
        training.split.target, y, training.holdout_prediction, training.holdout,
        _effective(training.split),
    )  # fmt: skip
    found = {**with_intervals(scores, training.intervals), **_how(training)}
    shared = training.split.overlap
    if shared is None:
        return found
    return {**found, "seen": {"rows": shared.rows, "sentence": shared.sentence}}


def _how(training: Training) -> dict[str, Any]:
    counted = counted_words(training)
    return {"how": _combined(training), **({"counted": counted} if counted else {})}


def _effective(split: DataSplit) -> float:
    """Return for how many rows those of the hold-out count."""
    groups, held = split.facts.groups, None
    # Groups of a test file of its own are not known.
    if groups is not None and split.overlap is None:
        held = np.unique(groups[split.rows[2]], return_inverse=True)[1]
    return effective_rows(split.holdout.n, split.weights.get("holdout"), held)


def _combined(training: Training) -> str:
    return combined_words(training.combine, training.kept)


def sections_of_outcome(outcome: Outcome, training: Training | None = None) -> dict[str, Any]:
    """Return the sections on the starts, with what a training knows beside its outcome."""
    if training is None:
        chosen, sign, starts = outcome.best, 1, table_of_starts(outcome)
    else:
        chosen, sign = training.lead, -1
        starts = table_of_starts(
            outcome, kept=training.kept, validation=training.validation, holdout=training.singles
        )
    return {
        "note": INTERRUPTED if outcome.is_interrupted else None,
        "iteration": ITERATION[outcome.iteration_is],
        "restarts": restart_summary(outcome),
        "starts": starts,
        "curves": cost_curves(outcome, chosen),
        "validation_curves": validation_curves(outcome, chosen, sign=sign),
    }


def _trajectory(outcome: Outcome, start: int, trajectories: Trajectories | None) -> Trajectory:
    """Return the trajectory that was kept, or else the end alone."""
    recorded = None if trajectories is None else trajectories.of(start, outcome)
    if recorded is not None:
        return recorded
    theta = np.atleast_2d(as_numpy(outcome.theta))[start]
    return Trajectory(start, outcome.best_iteration[[start]], theta[None])


def _of_trajectory(
    network: Network, outcome: Outcome, trajectory: Trajectory, **names: tuple[str, ...]
) -> dict[str, Any]:
    history = outcome.history[:, trajectory.start]
    values = history[np.minimum(trajectory.updates, len(history) - 1)]
    values[-1] = outcome.value[trajectory.start]  # of the point that is returned, the best one
    picture = network_over_updates(network, trajectory, values, **names)
    picture["iterations_made"] = int(outcome.n_iterations[trajectory.start])
    sections: dict[str, Any] = {"network": picture}
    if network.n_hidden:
        sections["distinct"] = distinct_over_updates(network, trajectory)
    return sections
