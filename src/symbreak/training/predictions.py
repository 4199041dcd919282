"""What every start predicts for one part of the data: computed once, and scored once.

    theta (starts, n), X (m, features) -> outputs (usable starts, m, outputs) -> scores of each

Whoever shows a score of this part, or the prediction that several starts make together, takes it
from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, as_numpy, itemsize, namespace, picked
from symbreak.network import Network
from symbreak.training.combine import combined_prediction
from symbreak.training.scores import Scores

MOST_BYTES = 2**30


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """The predictions of the starts for one part of the data.

    Attributes
    ----------
    network, theta : what predicts, theta (starts, n).
    usable : (starts,) whether J and theta of the start are finite; the others predict nothing.
    X, y : the examples, (m, features) and the targets as `score` takes them.
    score : gives the scores of y, a prediction (m, outputs) and weights.
    weight : (m,), of the examples in the scores; None for all alike.
    """

    network: Network
    theta: Array
    usable: NDArray[np.bool_]
    X: Any
    y: Any
    score: Callable[[Any, NDArray[Any], Any], Scores | None]
    weight: NDArray[Any] | None = None

    @property
    def n(self) -> int:
        """How many examples there are."""
        return len(self.y)

    @cached_property
    def scores(self) -> tuple[Scores | None, ...]:
        """The scores of every start by itself; None for one that is not usable or not finite."""
        return tuple(
            self.scored(self.combined([start])) if is_usable else None
            for start, is_usable in enumerate(self.usable)
        )

    def scored(self, prediction: NDArray[Any]) -> Scores | None:
        """Return the scores of a prediction (m, outputs); None if it is not finite."""
        return self.score(self.y, prediction, self.weight)

    def combined(self, kept: Sequence[int]) -> NDArray[Any]:
        """Return the mean prediction of these starts, (m, outputs); all must be usable."""
        if self._outputs is None:
            return combined_prediction(self.network, picked(self.theta, np.array(kept), 0), self.X)
        places = np.cumsum(self.usable) - 1
        outputs = picked(self._outputs, places[list(kept)], 0)
        return as_numpy(namespace(outputs).mean(outputs, axis=0))

    @cached_property
    def _outputs(self) -> Array | None:
        """(usable starts, m, outputs); None where that would fill the memory."""
        theta = picked(self.theta, np.flatnonzero(self.usable), 0)
        numbers = len(theta) * self.n * self.network.n_outputs
        if not len(theta) or numbers * itemsize(theta) > MOST_BYTES:
            return None
        return self.network.predict(theta, self.X)
