"""A trained model for tables: what `symbreak train` writes and `symbreak predict` reads.

    table -> X -> mean prediction of the kept starts -> labels with probabilities, or numbers
               -> how sure that is: how far the starts disagree, or intervals

The file holds the array theta and plain settings (see `symbreak.model_file`); loading executes no
code and checks that the parts fit each other.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy
from symbreak.errors import InvalidInput
from symbreak.model_file import content_of, load_model, save_model
from symbreak.network import Network
from symbreak.page import plain
from symbreak.tables.preparation import Preparation
from symbreak.tables.settings import take
from symbreak.tables.table import Table
from symbreak.tables.target import Target
from symbreak.training.combine import COMBINES, by_blocks, checked_finite, combined_prediction
from symbreak.training.plain_data import summary
from symbreak.training.seen_rows import Seen, SeenRows
from symbreak.training.uncertainty import COVERAGE, HeldOut, disagreement

if TYPE_CHECKING:
    from symbreak.training.record import Training

_KIND = "trained network"
_HELD_OUT = "held_out/"  # before the names of its arrays in the file


@dataclass(frozen=True, eq=False)
class Model:
    """A network, the theta of its kept starts, and the way from a table to X and back from y.

    Attributes
    ----------
    theta : (kept starts, n), float32 or float64, finite.
    combine : how the starts were chosen; the prediction is the mean over those that are here.
    summary : plain data about the training.
    n_unnamed : how many columns the table of the training had, where its file has no names of them
        and they are called by their place; else 0.
    seen : what rows of the training are known by; see `symbreak.training.seen_rows`.
    held_out : the errors that intervals of numbers are made of; None without such rows.

    Raises
    ------
    InvalidInput
        The parts do not fit each other.
    """

    network: Network
    theta: NDArray[Any]
    preparation: Preparation
    target: Target
    combine: str = "average"
    summary: dict[str, Any] = field(default_factory=dict)
    n_unnamed: int = 0
    seen: SeenRows = field(default_factory=SeenRows)
    held_out: HeldOut | None = None

    def __post_init__(self) -> None:
        n_outputs = len(self.target.classes) or 1
        wanted = (len(self.preparation.feature_names), n_outputs, self.network.n_parameters)
        found = (self.network.n_features, self.network.n_outputs, self.theta.shape[-1])
        is_stack = self.theta.ndim == 2 and len(self.theta) > 0
        plain = self.theta.dtype in (np.float32, np.float64) and bool(np.isfinite(self.theta).all())
        if wanted != found or not is_stack or not plain or self.combine not in COMBINES:
            raise InvalidInput(
                f"The parts of a model must fit each other: features, outputs and parameters "
                f"{wanted}, theta a finite stack of starts. Got {found} and theta of shape "
                f"{self.theta.shape}; train the model again."
            )
        if self.held_out is not None and not self._takes(self.held_out):
            raise InvalidInput(
                "The errors on held-out rows must be finite numbers, of the features and the one "
                "output of a model of numbers. Got others; train the model again."
            )

    def _takes(self, held_out: HeldOut) -> bool:
        return not self.target.classes and held_out.fits(self.network)

    @classmethod
    def of(cls, training: Training) -> Model:
        """Return the part of a training that predicts; see `Training.model`."""
        split = training.split
        if split is None:
            raise InvalidInput(
                "A model must come from a training on a table. Got one on arrays; predict with "
                "training.predict(X)."
            )
        about = {
            "symbreak": training.provenance.version,
            "source": PurePath(training.provenance.source).name,
            **summary(training),
            "interrupted": training.is_interrupted,
        }
        return cls(
            training.network, as_numpy(training.theta), split.preparation, split.target,
            training.combine, plain(about, None), split.n_unnamed,
            SeenRows.of(split.train.X, split.groups_in("training")), training.held_out,
        )  # fmt: skip

    def predict(self, table: Table) -> NDArray[Any]:
        """Return the labels or numbers (m,) for the rows of a table, its columns in any order."""
        return self.columns(table)["prediction"]

    def seen_in(self, table: Table) -> Seen:
        """Return how many rows of a table the model was trained on."""
        return self.seen.among(self.preparation.transform(table))

    def columns(self, table: Table, coverage: float | None = None) -> dict[str, NDArray[Any]]:
        """Return what is written for a table, columns (m,) by name.

        "prediction"; for numbers "lower" and "upper", the ends of intervals; for classes
        "probability of CLASS" for each class and, of several starts, "disagreement": the mutual
        information of class and start in nats.

        Parameters
        ----------
        coverage : of numbers, above 0 and below 1, the chance that a new one lies between lower
            and upper. None takes 0.9, and leaves the two out where the model cannot tell them.

        Raises
        ------
        InvalidInput
            Columns are missing (all are named), or hold what they did not hold in training; or
            the model has no intervals of this coverage.
        NonFinitePrediction
            Numbers too large for the network, or weights that overflow.
        """
        ends = self._coverage(coverage)
        X = self.preparation.transform(table)
        if self.target.classes:
            return self._of_classes(X)
        output = self.target.unscale(combined_prediction(self.network, self.theta, X)[:, 0])
        columns = {"prediction": checked_finite(output, _row)}
        if self.held_out is not None and ends is not None:
            interval = self.held_out.interval(self.network, self.theta, X, ends)[:, :, 0]
            lower, upper = checked_finite(self.target.unscale(interval), _row).T
            columns |= {"lower": lower, "upper": upper}
        return columns

    def _coverage(self, asked: float | None) -> float | None:
        """Return the coverage of the intervals to give, None for none."""
        if asked is None:
            has_usual = self.held_out is not None and self.held_out.allows(COVERAGE)
            return COVERAGE if has_usual else None
        if self.target.classes:
            raise InvalidInput(
                f"coverage must be asked of a model of numbers. Got {asked} for classes of "
                f"'{self.target.name}', whose probabilities tell how sure a prediction is."
            )
        if self.held_out is None:
            raise InvalidInput(
                f"coverage must be asked of a model with errors on held-out rows. Got {asked} for "
                "one without; train it again with this version, and rows to hold out."
            )
        return asked

    def _of_classes(self, X: NDArray[Any]) -> dict[str, NDArray[Any]]:
        def both(rows: Any) -> NDArray[Any]:
            starts = self.network.predict(self.theta, rows)
            return np.column_stack([starts.mean(axis=0), disagreement(starts).astype(starts.dtype)])

        *shares, apart = checked_finite(by_blocks(X, both), _row).T
        columns = {"prediction": self.target.labels(np.argmax(shares, axis=0))}
        for label, share in zip(self.target.classes, shares, strict=True):
            columns[f"probability of {label}"] = share
        return columns if len(self.theta) == 1 else {**columns, "disagreement": apart}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, whole or not at all; see `symbreak.model_file.save_model`."""
        settings = {
            "kind": _KIND,
            "network": self.network.to_settings(),
            "preparation": self.preparation.to_settings(),
            "target": self.target.to_settings(),
            "combine": self.combine,
            "summary": self.summary,
            "unnamed_columns": self.n_unnamed,
            "repeated_rows": self.seen.repeated,
        }
        held_out = {} if self.held_out is None else self.held_out.to_arrays()
        arrays = {"theta": self.theta, "seen_rows": self.seen.digests}
        arrays |= {_HELD_OUT + name: array for name, array in held_out.items()}
        save_model(path, arrays, settings)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model; executes no code from the file.

        Raises
        ------
        InvalidInput
            The file is missing, damaged, or not a trained model.
        """
        arrays, settings = load_model(path)
        # Models of before keep no rows of their training, and no errors.
        seen = arrays.pop("seen_rows", np.empty(0, np.uint64))
        held_out = {
            name.removeprefix(_HELD_OUT): arrays.pop(name)
            for name in list(arrays)
            if name.startswith(_HELD_OUT)
        }
        if settings.get("kind") != _KIND or set(arrays) != {"theta"} or seen.dtype != np.uint64:
            raise InvalidInput(
                f"Model '{path}' must be a model that 'symbreak train --model' wrote. "
                "Got a file of another kind."
            )
        with content_of(path):
            return cls(
                Network.from_settings(take(settings, "network", dict)),
                arrays["theta"],
                Preparation.from_settings(take(settings, "preparation", dict)),
                Target.from_settings(take(settings, "target", dict)),
                take(settings, "combine", str),
                take(settings, "summary", dict),
                # Models of version 0.1 have no such entry: a first line was names then.
                take({"unnamed_columns": 0, **settings}, "unnamed_columns", int),
                SeenRows(seen, float(settings.get("repeated_rows", 0.0))),
                HeldOut.from_arrays(held_out) if held_out else None,
            )


def _row(index: int) -> str:
    return f"row {index + 1}"
