"""Which starts found the same minimum of a network: by J, by predictions, by theta.

Conventions
-----------
J alone cannot tell two minima of equal height apart, and theta alone calls copies different: the
units of a hidden layer may stand in any order, and a unit with an odd activation may have all its
signs flipped. Two starts with the same J have the same
    predictions   where max |difference| <= prediction_rtol max |prediction|
    theta         where max |difference| <= theta_rtol max |theta|, after the units of one are put
                  in the order and the signs of the other
Along flat directions of J the theta of two starts differ while their predictions agree. Other
symmetries (of identity units any invertible mixture, of relu units a positive factor) are not
undone: there the predictions decide.

Matching goes layer by layer: unit j of the one is given to unit i of the other so that Σ of the
squared distances of their incoming weights (of the last hidden layer, outgoing ones as well), the
better sign taken, is least (assignment problem). Layers below are matched already, so that incoming
weights stand in one order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from symbreak.arrays import Array, as_array, as_numpy, picked
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.optimize import Outcome
from symbreak.optimize.multistart_summary import restarts
from symbreak.parameters import check_size
from symbreak.text import pluralize

Floats = NDArray[np.float64]
Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class DistinctMinima:
    """The converged starts in groups of one minimum, lowest J first; start indices.

    Attributes
    ----------
    by_value : equal J.
    by_theta : equal J, and equal theta up to order and signs of hidden units.
    by_prediction : equal J and equal predictions on X; None without X.
    """

    by_value: Groups
    by_theta: Groups
    by_prediction: Groups | None = None

    def __str__(self) -> str:
        n = sum(len(group) for group in self.by_value)
        parts = [f"{len(self.by_value)} by J"]
        if self.by_prediction is not None:
            parts.append(f"{len(self.by_prediction)} by predictions")
        parts.append(f"{len(self.by_theta)} by theta up to order and signs of hidden units")
        return f"Distinct minima of the {pluralize(n, 'start')} that converged: {', '.join(parts)}."


def distinct_minima(
    network: Network,
    outcome: Outcome,
    X: Any = None,
    *,
    rtol: float = 1e-4,
    prediction_rtol: float = 1e-3,
    theta_rtol: float = 1e-3,
) -> DistinctMinima:
    """Return which starts found the same minimum; only starts that converged count.

    Parameters
    ----------
    X : (m, features) for the predictions; None leaves them out.
    rtol, prediction_rtol, theta_rtol : of J, of predictions and of theta; see the module.

    Raises
    ------
    InvalidInput
        A negative tolerance, or an outcome of another network.
    """
    for name, number in (("prediction_rtol", prediction_rtol), ("theta_rtol", theta_rtol)):
        if not (np.isfinite(number) and number >= 0):
            raise InvalidInput(f"{name} must be zero or a positive number. Got {number!r}.")
    theta = as_array(outcome.theta, "theta")
    check_size(theta, network.blocks)
    theta = theta if theta.ndim == 2 else theta[None, :]
    by_value = tuple(minimum.starts for minimum in restarts(outcome, rtol).minima)

    def same_theta(one: int, other: int) -> bool:
        first, second = _host(theta[one]), _host(theta[other])
        return _close(first, matched(network, second, first), theta_rtol)

    by_theta = _split(by_value, same_theta)
    if X is None:
        return DistinctMinima(by_value, by_theta)
    if not by_value:
        return DistinctMinima((), (), ())
    starts = [start for group in by_value for start in group]
    outputs = network.predict(picked(theta, np.array(starts), 0), X)
    predictions = dict(zip(starts, _host(outputs), strict=True))

    def same_prediction(one: int, other: int) -> bool:
        return _close(predictions[one], predictions[other], prediction_rtol)

    return DistinctMinima(by_value, by_theta, _split(by_value, same_prediction))


def matched(network: Network, theta: Floats, like: Floats) -> Floats:
    """Return theta with its hidden units in the order and the signs that are nearest to `like`.

    The network it stands for is the same.

    Parameters
    ----------
    theta, like : (n,) float64.
    """
    nearest = theta.copy()
    matrices, wanted = network.thetas(nearest), network.thetas(like)
    for layer, activation in enumerate(network.activations):
        incoming, outgoing = matrices[layer], matrices[layer + 1]
        parts, goal = [incoming], [wanted[layer]]
        if layer == len(network.activations) - 1:
            parts.append(outgoing[:, 1:].T)
            goal.append(wanted[layer + 1][:, 1:].T)
        order, sign = _assignment(np.hstack(parts), np.hstack(goal), is_odd=activation.is_odd)
        incoming[:] = sign[:, None] * incoming[order]
        outgoing[:, 1:] = sign * outgoing[:, 1:][:, order]
    return nearest


def _assignment(units: Floats, goal: Floats, *, is_odd: bool) -> tuple[Any, Floats]:
    """Return which unit goes to each place of the goal and with which sign, (units,) each."""
    dot = goal @ units.T
    sign = np.where(is_odd & (dot < 0), -1.0, 1.0)
    squared = (goal**2).sum(1)[:, None] - 2.0 * sign * dot + (units**2).sum(1)
    rows, order = linear_sum_assignment(squared)
    return order, sign[rows, order]


def _split(groups: Groups, same: Callable[[int, int], bool]) -> Groups:
    """Split groups into those that are the same as their first start."""
    found: list[tuple[int, ...]] = []
    for group in groups:
        rest = list(group)
        while rest:
            equal = [rest[0], *(start for start in rest[1:] if same(rest[0], start))]
            found.append(tuple(equal))
            rest = [start for start in rest if start not in equal]
    return tuple(found)


def _host(array: Array) -> Floats:
    return as_numpy(array).astype(np.float64)


def _close(one: Floats, other: Floats, rtol: float) -> bool:
    size = max(np.abs(one).max(), np.abs(other).max())
    return bool(np.abs(one - other).max() <= rtol * size)
