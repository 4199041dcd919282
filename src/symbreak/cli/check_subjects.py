"""What `symbreak check-gradient` checks: an objective, theta, and words about both."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import word_of
from symbreak.cli.check_gradient import CheckOptions
from symbreak.cli.console import say_notes
from symbreak.cli.network_options import penalty
from symbreak.errors import InvalidInput, SymmetryWarning
from symbreak.initialization import initialize
from symbreak.losses import Loss, loss_of
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.tables.datasets import load_dataset
from symbreak.tables.preparation import Preparation
from symbreak.tables.read import ENDINGS, read_alike, read_table
from symbreak.tables.table import Table
from symbreak.tables.target import Target
from symbreak.text import pluralize
from symbreak.training.checks import CHECKED_ROWS, spread_rows
from symbreak.training.model import Model


@dataclass(frozen=True, eq=False)
class Checked:
    """What is checked, where, and words about it."""

    objective: Any
    theta: Any
    words: str


def of_model(options: CheckOptions) -> Checked:
    """Return a saved model on the rows of a table, at its starts or at one of them."""
    assert options.subject is not None
    model = Model.load(options.subject)
    table = table_for(model, options.data, options.dataset, options.header)
    X, y = model.preparation.transform(table), model.target.encode(table)
    alpha = penalty(options.alpha, model.target.task)
    dtype = options.dtype or str(model.theta.dtype)
    cost = NetworkCost(
        model.network, X, y, alpha=alpha, dtype=dtype, device=options.device or "cpu"
    )
    theta, which = starts_of(model, options.start)
    part = part_of(cost, options.rows, CHECKED_ROWS)
    words = (
        f"model {options.subject}, {model.network}; {which}, {rows_of(part, cost)} of "
        f"{table.source}, alpha {alpha:g}, {dtype}"
    )
    return Checked(part, theta, words)


def table_for(
    model: Model, data: Path | None, dataset: str | None, header: bool | None = None
) -> Table:
    """Return the table that a model is tried on: a bundled one or a file."""
    if dataset is not None:
        return load_dataset(dataset)[0]
    assert data is not None
    return read_alike(data, model, header)


def starts_of(model: Model, start: int | None) -> tuple[NDArray[Any], str]:
    """Return all starts (starts, n), or the one that was asked for (n,), and how it is called."""
    many = len(model.theta)
    if start is None:
        return model.theta, pluralize(many, "start")
    if start >= many:
        raise InvalidInput(
            f"--start must be one of the starts of the model, 0 to {many - 1}. Got {start}."
        )
    return model.theta[start], f"start {start}"


def of_table(options: CheckOptions) -> Checked:
    """Return a network built for a table, at a random start."""
    table, task = _table(options)
    target = Target.fit(table, options.target_column, task)
    preparation = Preparation.fit(table, target=target.name, drop=options.drop)
    y, loss = _learned(target, table, options.loss)
    n_outputs = len(target.classes) or 1
    layers = (len(preparation.feature_names), *options.hidden_layers, n_outputs)
    network = Network(layers, options.activations, loss)
    alpha, dtype = options.alpha_for(target.task), options.dtype or "float64"
    cost = NetworkCost(
        network, preparation.transform(table), y, alpha=alpha, dtype=dtype,
        device=options.device or "cpu",
    )  # fmt: skip
    with warnings.catch_warnings():
        # Equal units do not make a gradient wrong; `train` is where they must not be overlooked.
        warnings.simplefilter("ignore", SymmetryWarning)
        theta = initialize(network, options.rule, seed=options.seed, like=cost.prototype)
    part = part_of(cost, options.rows, CHECKED_ROWS)
    words = (
        f"network {network}; a start by {options.rule_words} (seed {options.seed}), "
        f"{rows_of(part, cost)} of {table.source}, alpha {alpha:g}, {dtype}"
    )
    return Checked(part, theta, words)


def _table(options: CheckOptions) -> tuple[Table, str | None]:
    """Return the table, and the task where it is known."""
    if options.dataset is not None:
        options.check_network()
        table, task = load_dataset(options.dataset)
        return table, options.task or (task if options.target in (None, "target") else None)
    assert options.subject is not None
    path = Path(options.subject)
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInput(
            f"A model must be followed by a table to check it on, or by --dataset NAME; a table "
            f"must end in {', '.join(ENDINGS)}. Got only '{path}'."
        )
    # A missing --target is told before the table is read.
    options.check_network()
    table = read_table(path, header=options.header)
    say_notes(table.notes)
    return table, options.task


def _learned(target: Target, table: Table, loss: str | None) -> tuple[NDArray[Any], Loss]:
    """Return y as the loss takes it, and the loss: that of the task by default."""
    y = target.encode(table)
    known = loss_of(loss or ("cross_entropy" if target.classes else "squared_error"))
    if target.classes:
        return (y if known.target_is_index else np.eye(len(target.classes))[y]), known
    # Counts must not be negative, as standardised numbers are.
    return (y if known.fits_any_number else target.unscale(y)), known


def of_program(options: CheckOptions, made: Any) -> Checked:
    """Return what the function of the user's program made, as an objective."""
    from symbreak.modules.cost.module_cost import ModuleCost

    _, function = options.program
    answer = given_by(made, function)
    module, batch = answer["module"], answer["batch"]
    if "loss" in answer:
        cost = ModuleCost(module, answer["loss"], batch)
    else:
        cost = ModuleCost(module, step=answer["step"], batch=batch)
    examples = cost.n_examples
    used = "its batch" if examples is None else pluralize(examples, "example")
    if options.rows:
        if examples is None:
            raise InvalidInput(
                "--rows must come with a loss and with X and y that hold one example in each row. "
                f"Got another batch from {function}(); leave it out."
            )
        cost = cost.batch(spread_rows(examples, options.rows))
        used = f"{cost.n_examples} of {used}"
    theta = cost.initial_theta()
    words = (
        f"{type(module).__name__} of {options.subject}, {theta.numel()} parameters; {used}, "
        f"{word_of(cost.dtype)}"
    )
    return Checked(cost, theta, words)


def given_by(made: Any, function: str, optional: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Return what the function made by its names.

    Parameters
    ----------
    optional : further keys that a dictionary may have.

    Raises
    ------
    InvalidInput
        It is something else.
    """
    if isinstance(made, tuple | list) and len(made) == 3:
        return dict(zip(("module", "loss", "batch"), made, strict=True))
    if isinstance(made, Mapping) and set(made) - {*optional} in (
        {"module", "loss", "batch"},
        {"module", "step", "batch"},
    ):
        return made
    got = type(made).__name__
    if isinstance(made, tuple | list):
        got += f" of {len(made)}"
    if isinstance(made, Mapping):
        got += f" with the keys {', '.join(map(str, made)) or 'none'}"
    raise InvalidInput(
        f"{function}() must return (module, loss, batch), or a dictionary with the keys module, "
        f"batch, and loss or step{''.join(f', and {name} if wanted' for name in optional)}. "
        f"Got {got}."
    )


def part_of(cost: NetworkCost, rows: int | None, default: int) -> NetworkCost:
    """Return the cost on the rows that are used, 0 for all; the penalty stays that of all."""
    return cost.batch(spread_rows(cost.n_examples, default if rows is None else rows))


def rows_of(part: NetworkCost, cost: NetworkCost) -> str:
    """Return words about how many rows are used."""
    return f"{part.n_examples} of {pluralize(cost.n_examples, 'row')}"
