"""Which classes are taken for which, and how much of each class is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from symbreak.training.record import Training


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of rows: known class down, predicted class across.

    Attributes
    ----------
    classes : the labels, (K,).
    counts : (K, K).
    """

    classes: tuple[Any, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, y: NDArray[Any], guess: NDArray[Any], classes: tuple[Any, ...]) -> Confusion:
        """Count rows whose class y and predicted class are indices, (m,) each."""
        counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
        np.add.at(counts, (y, guess), 1)
        return cls(classes, counts)

    @property
    def known(self) -> NDArray[np.int64]:
        """The rows of each class, (K,)."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def right(self) -> NDArray[np.int64]:
        """Those of them that are found, (K,)."""
        return np.diag(self.counts)

    @property
    def recall(self) -> list[float | None]:
        """The share of each class that is found; None for a class without rows."""
        pairs = zip(self.right.tolist(), self.known.tolist(), strict=True)
        return [right / known if known else None for right, known in pairs]

    @property
    def by_errors(self) -> NDArray[np.int64]:
        """The places of the classes, those first that take part in the most errors."""
        wrong = self.counts.sum(axis=0) + self.known - 2 * self.right
        return np.argsort(-wrong, kind="stable")

    def taken_for(self, place: int, most: int = 3) -> list[tuple[Any, int]]:
        """Return what a class is taken for most often, and how often."""
        errors = self.counts[place].copy()
        errors[place] = 0
        order = np.argsort(-errors, kind="stable")[:most]
        return [(self.classes[other], int(errors[other])) for other in order if errors[other]]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"classes": list(self.classes), "counts": self.counts.tolist(),
                "recall": self.recall}  # fmt: skip


def counted_words(training: Training) -> str:
    """Return which rows are counted, and how, beside the score: "" for all, each as it weighs."""
    validated, split = training.cross_validation, training.split
    part = "holdout" if validated is None else "training"
    is_weighted = split is not None and part in split.weights
    repeats = 1 if validated is None else validated.repeats
    words = [f"of the first of {repeats} repeats"] if repeats > 1 else []
    return ", ".join([*words, *["each counted once, whatever it weighs"] * is_weighted])
