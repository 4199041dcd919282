"""What `symbreak diagnose` diagnoses, what was found, and words about both."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays.tensors import imported_torch
from symbreak.cli.check_subjects import given_by, part_of, rows_of, starts_of, table_for
from symbreak.cli.diagnose import DiagnoseOptions
from symbreak.cli.network_options import penalty
from symbreak.errors import InvalidInput, SymmetryWarning
from symbreak.findings import Diagnosis
from symbreak.symmetry import Escape, Symmetries, symmetries
from symbreak.symmetry.certificate_findings import certified, spans
from symbreak.text import pluralize
from symbreak.training.checks import CHECKED_ROWS, spread_rows
from symbreak.training.model import Model

UPDATE = "linear"  # that of the default method of `symbreak train`


@dataclass(frozen=True, eq=False)
class Diagnosed:
    """What was found, and words about what was diagnosed.

    Attributes
    ----------
    words : what was diagnosed.
    lines : what else there is to say.
    more : what else there is as plain data.
    """

    found: Diagnosis
    words: str
    lines: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


def of_program(options: DiagnoseOptions, made: Any) -> Diagnosed:
    """Diagnose what the function of the user's program made."""
    from symbreak.modules.diagnosis.diagnose import diagnose

    _, function = options.program
    arguments = dict(given_by(made, function, optional=("optimizer",)))
    module, used = arguments["module"], "its batch"
    if options.optimizer is not None:
        arguments["optimizer"] = _optimizer(options.optimizer)
    if options.rows:
        arguments["batch"], used = _some_rows(arguments, options.rows, function)
    diagnosis = diagnose(**arguments)
    n_parameters = sum(parameter.numel() for parameter in module.parameters())
    words = f"{type(module).__name__} of {options.subject}, {n_parameters} parameters; {used}"
    return Diagnosed(diagnosis, words)


def _optimizer(word: str) -> Any:
    """Return what makes the optimiser, under the name that findings call it by."""
    from symbreak.modules.observation.updates import DEFAULT_OPTIMIZERS

    name = {"sgd": "SGD with momentum", "adamw": "AdamW", "both": None}[word]
    if name is None:
        return None
    make = functools.partial(DEFAULT_OPTIMIZERS[name])
    functools.update_wrapper(make, make.func, assigned=())
    vars(make)["__name__"] = name
    return make


def _some_rows(given: Mapping[str, Any], n: int, function: str) -> tuple[Any, str]:
    """Return n examples of X and y, spread evenly, and words about them."""
    import torch

    from symbreak.modules.containers import mapped_tensors
    from symbreak.modules.cost.data import count_examples, prepared_pair

    examples = None
    if "loss" in given:
        # In the widest dtype, so that nothing is lost before the module's own is taken.
        pair = prepared_pair(given["batch"], torch.float64, torch.device("cpu"))
        examples = count_examples(pair)
    if examples is None:
        raise InvalidInput(
            "--rows must come with a loss and with X and y that hold one example in each row. "
            f"Got another batch from {function}(); leave it out."
        )
    rows = spread_rows(examples, n)
    used = f"{len(rows)} of {pluralize(examples, 'example')}"
    return mapped_tensors(pair, lambda tensor: tensor[rows]), used


def of_model(options: DiagnoseOptions) -> Diagnosed:
    """Certify the starts of a saved model; on a table, see how long rounding keeps the groups."""
    model = Model.load(options.subject)
    alpha, update = penalty(options.alpha, model.target.task), options.update or UPDATE
    theta, which = starts_of(model, options.start)
    found = symmetries(
        model.network, theta, alpha=alpha, update=update, tolerance=options.tolerance
    )
    names = list(range(len(model.theta))) if options.start is None else [options.start]
    words = f"model {options.subject}, {model.network}; {which}, {update} updates, alpha {alpha:g}"
    lines: tuple[str, ...] = ()
    more: dict[str, Any] = {"symmetries": _plain(found, names)}
    if options.has_table:
        lasts, rows = _escape(options, model, found, alpha)
        words += f", {rows}"
        lines = tuple(_rounding(found, lasts, np.array(names)))
        more["escape"] = {"updates": lasts.updates.tolist(), "distance": lasts.distance.tolist()}
    return Diagnosed(certified(found, names), words, lines, more)


def _escape(
    options: DiagnoseOptions, model: Model, found: Symmetries, alpha: float
) -> tuple[Escape, str]:
    """Return how many updates the groups last on some rows of a table, and words about the rows."""
    from symbreak.objectives import NetworkCost

    table = table_for(model, options.data, options.dataset, options.header)
    X, y = model.preparation.transform(table), model.target.encode(table)
    cost = NetworkCost(model.network, X, y, alpha=alpha, dtype=str(model.theta.dtype))
    part = part_of(cost, options.rows, CHECKED_ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SymmetryWarning)
        lasts = found.escape(part, optimizer=None if found.update == "linear" else _adam())
    return lasts, f"{rows_of(part, cost)} of {table.source}"


def _adam() -> Any:
    """Return what makes an optimiser whose updates are elementwise."""
    torch = imported_torch("--update elementwise on a table")
    return functools.partial(torch.optim.Adam, lr=0.01)


def _plain(found: Symmetries, names: Sequence[int]) -> dict[str, Any]:
    """Return the certificate as plain data, its starts by their names in the model."""
    data = found.to_dict()
    for group in (*data["groups"], *data["near"]):
        group["start"] = names[group["start"]]
    return {"starts": list(names), **data}


def _rounding(found: Symmetries, lasts: Escape, names: NDArray[Any]) -> Iterator[str]:
    """Say of the starts with groups that last for ever when rounding tears them."""
    if not found.permanent.any():
        yield "Rounding has no group to tear apart."
        return
    method = "SGD with momentum" if found.update == "linear" else "Adam"
    torn, kept = found.permanent & (lasts.updates >= 0), found.permanent & (lasts.updates < 0)
    if torn.any():
        first, last = lasts.updates[torn].min(), lasts.updates[torn].max()
        when = f"{first}" if first == last else f"{first} to {last}"
        updates = f"{when} updates of {method}"
        yield f"Rounding tears the groups of {_named(names[torn])} after {updates}."
    if kept.any():
        updates = f"all of {lasts.max_updates} updates of {method}"
        yield f"Rounding keeps the groups of {_named(names[kept])} for {updates}."


def _named(starts: NDArray[Any]) -> str:
    return f"start{'s' if len(starts) > 1 else ''} {spans(starts.tolist())}"


def of_weights(options: DiagnoseOptions) -> Diagnosed:
    """Scan a file of weights."""
    from symbreak.modules.weight_scan.scan import DEFAULT_BUDGET, scan_weights

    budget = DEFAULT_BUDGET if options.memory_budget is None else options.memory_budget
    diagnosis = scan_weights(Path(options.subject), memory_budget=budget)
    return Diagnosed(diagnosis, f"{options.subject}, its weights alone, without module and data")
