"""What a prediction rests on: how much worse it is when a column of the table is shuffled.

Permutation importance (Breiman 2001), as scikit-learn's `permutation_importance` defines it, on
rows that chose nothing; a column that became several features is shuffled as one.

Conventions
-----------
rise     the loss with a column shuffled, the mean of `REPEATS` shuffles, minus the loss as it is:
         log-loss, or RMSE in the unit of the table
noise    its standard error over the rows, or groups of them, as in
         `symbreak.training.comparison`
Columns that tell the same share what they tell: the network goes on by the other one, and both may
seem to matter little. At most `MOST_ROWS` rows and `MOST_COLUMNS` columns are looked at, the latter
those with the largest weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.training.comparison import Rows, influences, scores_of_rows, standard_error

Floats = NDArray[np.float64]
REPEATS, MOST_ROWS, MOST_COLUMNS = 5, 1000, 100


@dataclass(frozen=True)
class ColumnImportance:
    """How much a column matters; see the module."""

    column: str
    rise: float
    noise: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"column": self.column, "rise": self.rise, "noise": self.noise}


def importances(
    rows: Rows, X: Floats, predict: Callable[[Floats], Floats],
    columns: Sequence[tuple[str, slice]], groups: NDArray[Any] | None = None,
) -> list[ColumnImportance]:  # fmt: skip
    """Return the importance of columns, the largest first; none where a prediction is not finite.

    Parameters
    ----------
    rows : what is known and predicted of X.
    X : (m, features).
    predict : gives predictions of other X, of the shape of those of `rows`.
    columns : names, and where the features of each stand in X.
    groups : (m,) indices from 0 of rows that stand together; None where each stands by itself.
    """
    random = np.random.default_rng(0)
    orders = [random.permutation(len(X)) for _ in range(REPEATS)]
    found = [_importance(rows, X, predict, name, place, orders, groups) for name, place in columns]
    known = [one for one in found if one is not None]
    return sorted(known, key=lambda one: -one.rise)


def _importance(
    rows: Rows, X: Floats, predict: Callable[[Floats], Floats], name: str, place: slice,
    orders: Sequence[NDArray[np.int64]], groups: NDArray[Any] | None,
) -> ColumnImportance | None:  # fmt: skip
    stacked = np.tile(X, (len(orders), 1))
    stacked[:, place] = np.concatenate([X[order, place] for order in orders])
    predicted = predict(stacked)
    if not np.isfinite(predicted).all():
        return None
    shuffled = [rows._replace(prediction=one) for one in np.split(predicted, len(orders))]
    loss = float(np.mean([scores_of_rows(one).error for one in shuffled]))
    moved = np.mean([influences(one) for one in shuffled], axis=0) - influences(rows)
    noise = standard_error(moved, rows.weight, groups)
    return ColumnImportance(name, loss - scores_of_rows(rows).error, noise)
