"""What many starts are used for: one prediction out of them.

    average       the mean over the starts of the predictions after the link
    best          the prediction of the start with the best validation score
    lowest-cost   the prediction of the start with the lowest J
    all           the same, while every start is kept; of estimators alone

The first three are the mean over the starts that are kept. A start whose J or theta is not finite
is never kept. A mean of probabilities is a probability, and its log-loss is at most the mean of the
starts' log-losses (-log is convex; Jensen's inequality).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, as_numpy, namespace, quiet
from symbreak.errors import InvalidInput, choose
from symbreak.network import Network
from symbreak.training.scores import Scores

COMBINES = ("average", "best", "lowest-cost")
_WORST = (-float("inf"), -float("inf"))
_ROWS_AT_ONCE, _NUMBERS_AT_ONCE = 8192, 2**23


class NonFinitePrediction(InvalidInput):
    """Numbers that are too large for their dtype have made a prediction NaN or infinite."""


def check_combine(combine: object, *, has_validation: bool) -> str:
    """Return `combine` if it is a way to combine starts that can be had here.

    Raises
    ------
    InvalidInput
        The word is unknown, or "best" is asked for without a validation part.
    """
    word = choose("combine", combine, COMBINES)
    if word == "best" and not has_validation:
        raise InvalidInput(
            "combine='best' must have a validation part, neither training nor test, to choose by. "
            "Got none; give one, or choose 'lowest-cost' or 'average'."
        )
    return word


def combined_words(combine: str, kept: Sequence[int]) -> str:
    """Return what the combined prediction is: "average of 16 starts", or which start and why."""
    if len(kept) > 1:
        return f"{combine} of {len(kept)} starts"
    why = {"best": " (best by validation)", "lowest-cost": " (lowest J)"}.get(combine, "")
    return f"start {kept[0]}{why}"


def kept_starts(
    combine: str,
    J: NDArray[Any],
    usable: NDArray[np.bool_],
    validation: Sequence[Scores | None] = (),
) -> tuple[int, ...]:
    """Return the indices of the starts that are kept.

    Parameters
    ----------
    combine : one of `COMBINES`, or "all".
    J : (starts,) the final costs.
    usable : (starts,) whether J and theta of the start are finite.
    validation : the starts' validation scores, for "best"; ties go to the lower log-loss or RMSE.

    Raises
    ------
    InvalidInput
        No start is usable.
    """
    candidates = [int(start) for start in np.flatnonzero(usable)]
    if not candidates:
        raise InvalidInput(
            f"At least one start must end with a finite cost. Got none of {len(J)}; "
            "use a smaller learning rate, a larger alpha or a rule with smaller weights."
        )
    if combine in ("average", "all"):
        return tuple(candidates)
    if combine == "lowest-cost":
        return (lead_of(candidates, J),)
    return (max(candidates, key=lambda start: _rank(validation[start])),)


def usable_starts(J: NDArray[Any], theta: NDArray[Any]) -> NDArray[np.bool_]:
    """Return of which starts J (starts,) and theta (starts, n) are finite, (starts,)."""
    return np.asarray(np.isfinite(J) & np.isfinite(theta).all(axis=1))


def lead_of(kept: Iterable[int], J: NDArray[Any]) -> int:
    """Return the start that stands for those kept: the one with the lowest J."""
    return min(map(int, kept), key=lambda start: float(J[start]))


def combined_prediction(network: Network, theta: Any, X: Any) -> NDArray[Any]:
    """Return the mean prediction of the kept starts, (m, outputs).

    Parameters
    ----------
    theta : (starts, n), the kept starts.
    X : (m, features), or what gives such rows for a slice.
    """

    def mean(rows: Any) -> Array:
        outputs = network.predict(theta, rows)
        return namespace(outputs).mean(outputs, axis=0)

    return by_blocks(X, mean)


def checked_finite(
    prediction: NDArray[Any], row: Callable[[int], str] = "X[{}]".format
) -> NDArray[Any]:
    """Return a prediction (..., m, outputs) or (m,) for people, if it is finite.

    Parameters
    ----------
    row : what a row is called, from its index.

    Raises
    ------
    NonFinitePrediction
        It is not; the rows are counted, and the first is named.
    """
    if np.isfinite(prediction).all():
        return prediction
    by_row = prediction if prediction.ndim == 1 else np.moveaxis(prediction, -2, 0)
    bad = np.flatnonzero(~np.isfinite(by_row.reshape(len(by_row), -1)).all(axis=1))
    raise NonFinitePrediction(
        f"A prediction must be finite. Got NaN or infinity for {len(bad)} of {len(by_row)} rows, "
        f"the first of them {row(int(bad[0]))}: its numbers, or the weights of the network, are "
        f"too large for {prediction.dtype}. Check them, and scale the data."
    )


@quiet
def by_blocks(X: Any, of: Callable[[Any], Array]) -> NDArray[Any]:
    """Return `of` of the rows of X, (..., m, outputs).

    Blocks of rows keep the memory small whatever m x starts is.
    """
    return np.concatenate([as_numpy(of(rows)) for rows in _blocks(X)], axis=-2)


def _blocks(X: Any) -> Iterator[Any]:
    # Wide rows that are sparse are dense a block at a time.
    columns = np.shape(X)[-1]
    size = max(1, min(_ROWS_AT_ONCE, _NUMBERS_AT_ONCE // max(1, columns)))
    for begin in range(0, max(len(X), 1), size):
        yield X[begin : begin + size]


def _rank(scores: Scores | None) -> tuple[float, float]:
    return _WORST if scores is None else scores.rank
