"""From a table to the examples to train on, to validate with and to score on.

    table -> training | validation | hold-out rows (stratified by class for classification)

The preparation of the columns and the scale of a numeric target are learned from the training rows
alone. With a table of its own for the test, all rows of the first table are for training and
validation. Rows of one group are never in two parts, nor are copies of one row (see
`symbreak.tables.copies`), and in time the hold-out comes last.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import InvalidInput
from symbreak.tables.copies import Copies
from symbreak.tables.identifiers import Identifiers
from symbreak.tables.preparation import Preparation
from symbreak.tables.row_facts import RowFacts, weights
from symbreak.tables.split import split_rows
from symbreak.tables.table import Table
from symbreak.tables.target import Target, task_of
from symbreak.training.overlap import Overlap, shared_groups
from symbreak.training.seen_rows import SeenRows

Rows = NDArray[np.int64]
PARTS = ("training", "validation", "holdout")


class Subset(NamedTuple):
    """X (m, features) and y (m,): class indices, or standardised numbers."""

    X: NDArray[np.float64]
    y: NDArray[Any]

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.y)


@dataclass(frozen=True, eq=False)
class DataSplit:
    """A table, split and prepared; make one with `DataSplit.of`.

    Attributes
    ----------
    preparation, target : how tables become X and y.
    train, validation, holdout : the examples; `validation` and `holdout` may hold none.
    table, facts : what was split, and what is known of its rows; copies of one row are a group.
    rows : of the table in each part.
    weights : (m,) of each part, "training", "validation" and "holdout"; none where all rows weigh
        the same.
    overlap : what the table of a separate test shares with this one; None for a part of it.
    n_columns : of the table, without the target and what is no feature.
    """

    preparation: Preparation
    target: Target
    train: Subset
    validation: Subset
    holdout: Subset
    table: Table
    facts: RowFacts
    rows: tuple[Rows, Rows, Rows]
    n_columns: int
    weight_column: str | None = None
    weights: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    overlap: Overlap | None = None

    @classmethod
    def of(
        cls,
        table: Table,
        target: str,
        *,
        task: str | None = None,
        drop: Collection[str] = (),
        holdout: float = 0.2,
        validation: float = 0.0,
        seed: int = 0,
        separate_test: bool = False,
        group: str | None = None,
        time: str | None = None,
        weight: str | None = None,
        keep: Collection[str] = (),
    ) -> DataSplit:
        """Split a table and prepare its columns.

        Parameters
        ----------
        target : the column to learn.
        task : "classification", "regression" or None to infer it.
        drop : columns to leave out.
        holdout : share of the rows that is kept for the score, above 0.
        validation : share of the remaining rows that scores single starts, 0 for none.
        seed : of the split.
        separate_test : split no hold-out off: `with_test` gives it.
        group : a column; rows with one value of it stay in one part.
        time : a column; later rows are in later parts: training, validation, hold-out.
        weight : a column of weights, 0 or above, for training and scores.
        keep : columns to learn from although they look like identifiers.

        Raises
        ------
        InvalidInput
            A share is out of range, or the table, its target or another column cannot be used.
        """
        shares = _shares(0.0 if separate_test else _share("holdout", holdout, 0.0), validation)
        facts = RowFacts.of(table, group=group, time=time, weight=weight)
        if target in facts.columns:
            raise InvalidInput(
                f"The target must be another column than that of groups, time or weights. Got "
                f"'{target}' for both."
            )
        task = task_of(table, target, task)
        given_up = {target, *drop, *facts.columns}
        known = Identifiers.among(table, [c for c in table.columns if c not in given_up], keep)
        left_out = [*drop, *facts.columns, *known.left_out]
        used = [c for c in table.columns if c not in left_out]
        copies = Copies.among(table, used, facts)
        found, y, rows = _target_and_rows(table, target, task, shares, seed, facts, copies)
        if copies.first is not None:
            facts = replace(facts, groups=copies.first)
        some = facts.weight_of(rows[0])
        preparation = Preparation.fit(
            table, target=target, drop=left_out, rows=rows[0], weight=some
        ).noting((*known.notes, *copies.notes))
        n_columns = len(set(used) - {target})
        return _parts(preparation, found, y, table, facts, rows, n_columns, weight)

    def again(self, training: Rows, validation: Rows, holdout: Rows) -> DataSplit:
        """Return other parts of the same table, its columns and target scaled by their training."""
        some = self.facts.weight_of(training)
        preparation = self.preparation.refitted(self.table, training, some)
        target = self.target.refitted(self.table, training, some)
        rows = training, validation, holdout
        return _parts(
            preparation, target, target.encode(self.table), self.table, self.facts, rows,
            self.n_columns, self.weight_column,
        )  # fmt: skip

    def with_test(self, table: Table) -> DataSplit:
        """Return this split with the rows of another table as the hold-out.

        Where that has the column of the weights, its rows weigh what stands there.
        """
        test = Subset(self.preparation.transform(table), self.target.encode(table))
        known = {name: self.weights[name] for name in self.weights if name != "holdout"}
        if self.weight_column in table.columns:
            known["holdout"] = weights(table, str(self.weight_column))
        return replace(self, holdout=test, weights=known, overlap=self._overlap(table, test))

    def _overlap(self, table: Table, test: Subset) -> Overlap:
        seen = SeenRows.of(self.train.X).among(test.X)
        if self.facts.groups is None:
            return Overlap(seen)
        column = self.facts.columns[0]
        return Overlap(seen, shared_groups(self.table, table, column), column)

    def groups_in(self, part: str, some: Rows | slice = slice(None)) -> NDArray[np.int64] | None:
        """Return the groups of rows of a part, from 0; None where each row stands by itself.

        They are not known of the rows of another table, see `with_test`.
        """
        rows = self.rows[PARTS.index(part)]
        if self.facts.groups is None or not len(rows):
            return None
        found = np.unique(self.facts.groups[rows[some]], return_inverse=True)[1]
        return found.astype(np.int64)

    @property
    def n_rows(self) -> int:
        """Of the table."""
        return self.table.n_rows

    @property
    def n_unnamed(self) -> int:
        """How many columns the table has in all, where its file has no names of them; else 0."""
        return self.table.frame.width if self.table.is_unnamed else 0

    @property
    def loss(self) -> str:
        """The loss for the task: soft-max, one output for each class, or the squared error."""
        return "cross_entropy" if self.target.classes else "squared_error"

    @property
    def n_outputs(self) -> int:
        """One for each class, or one number."""
        return len(self.target.classes) or 1


def _parts(
    preparation: Preparation,
    target: Target,
    y: NDArray[Any],
    table: Table,
    facts: RowFacts,
    rows: tuple[Rows, Rows, Rows],
    n_columns: int,
    weight_column: str | None,
) -> DataSplit:
    X = preparation.transform(table)
    train, validation, holdout = (Subset(X[some], y[some]) for some in rows)
    weights = {}
    if facts.weight is not None:
        weights = {name: facts.weight[some] for name, some in zip(PARTS, rows, strict=True)}
    return DataSplit(
        preparation, target, train, validation, holdout, table, facts, rows, n_columns,
        weight_column, weights,
    )  # fmt: skip


def _target_and_rows(
    table: Table,
    name: str,
    task: str,
    shares: tuple[float, ...],
    seed: int,
    facts: RowFacts,
    copies: Copies,
) -> tuple[Target, NDArray[Any], tuple[Rows, Rows, Rows]]:
    """Return the target, y (m,) and the rows of each part.

    The parts have the classes of all rows in equal shares; numbers are scaled by the training rows.
    """
    if task == "classification":
        target = Target.fit(table, name, task)
        y = target.encode(table)
        train, validation, holdout = _rows(y, shares, task, seed, facts, copies)
        return target, y, (train, validation, holdout)
    empty = np.empty(table.n_rows)
    train, validation, holdout = _rows(empty, shares, task, seed, facts, copies)
    target = Target.fit(table, name, task, train, facts.weight_of(train))
    return target, target.encode(table), (train, validation, holdout)


def _rows(
    y: NDArray[Any], shares: tuple[float, ...], task: str, seed: int, facts: RowFacts,
    copies: Copies,
) -> tuple[Rows, ...]:  # fmt: skip
    """Return the rows of each part; copies go with the first row that they equal."""
    if copies.first is None:
        return split_rows(y, shares, task, seed, facts)
    different = np.unique(copies.first)
    parts = split_rows(y[different], shares, task, seed)
    return tuple(np.flatnonzero(np.isin(copies.first, different[part])) for part in parts)


def _shares(holdout: float, validation: float) -> tuple[float, float, float]:
    second = _share("validation", validation, -math.inf) * (1.0 - holdout)
    return 1.0 - holdout - second, second, holdout


def _share(what: str, share: float, above: float) -> float:
    if not (above < share < 1.0 and share >= 0.0):
        least = "above 0" if above == 0.0 else "0 or above"
        raise InvalidInput(f"{what} must be a share, {least} and below 1. Got {share!r}.")
    return share
