"""Starts with examples of their own: the costs of several sets of examples as one objective.

Conventions
-----------
parts : costs of one network, each for its own examples and some of the starts
theta : (starts, n), the starts of the first part first; J and gradient likewise
A part computes as it does alone, so that the folds of a cross-validation (whose rows, and what was
learned from them beforehand, differ) stand in one stack without a padded or a wasted row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from symbreak.arrays import Array, namespace
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives.input_checks import check_indices
from symbreak.objectives.network_cost import NetworkCost
from symbreak.objectives.stacks import Stacked, as_given, as_stack
from symbreak.parameters import Block


class JoinedCost(Stacked):
    """The cost of many starts of one network, part of them on each set of examples.

    Parameters
    ----------
    costs : of one network, dtype and device.
    starts : how many starts each cost is for.

    Raises
    ------
    InvalidInput
        Costs of different networks, dtypes or devices; another number of counts; a count below 1
        or other than that of the cost's own starts.
    """

    def __init__(self, costs: Sequence[NetworkCost], starts: Sequence[int]) -> None:
        _check_parts(costs, starts)
        self._costs, self._sizes = tuple(costs), [int(count) for count in starts]
        self.network, self.dtype, self.device = (
            costs[0].network, costs[0].dtype, costs[0].device,
        )  # fmt: skip
        self._part = np.repeat(np.arange(len(costs)), self._sizes)
        self._place = np.concatenate([np.arange(count) for count in self._sizes])
        # What `take` gave last for each part: while starts end one by one, most parts stay.
        self._taken: dict[int, tuple[bytes, NetworkCost]] = {}

    @property
    def blocks(self) -> Sequence[Block]:
        """Theta1, Theta2, ... and their places in theta."""
        return self.network.blocks

    @property
    def starts(self) -> int:
        """How many starts there are in all."""
        return len(self._part)

    def warn_of_symmetry(self, theta: Any) -> None:
        """Warn when a start leaves a whole hidden layer as one unit."""
        self._costs[0].warn_of_symmetry(theta)

    def take(self, starts: Any) -> JoinedCost:
        """Return the cost of these starts, with what is theirs alone, in this order.

        Parameters
        ----------
        starts : indices, repeats allowed, or a mask.
        """
        index = check_indices(starts, self.starts, "starts of take", "start")
        ends = np.flatnonzero(np.diff(self._part[index])) + 1
        runs = np.split(index, ends)
        costs = [self._taken_from(int(self._part[run[0]]), self._place[run]) for run in runs]
        return JoinedCost(costs, [len(run) for run in runs])

    def batch(self, rows: Any) -> JoinedCost:  # noqa: ARG002 - part of the contract
        """Refuse: no row belongs to all parts."""
        raise InvalidType(
            "batch of a JoinedCost must be asked of one of its costs, as they have rows of their "
            "own. Got the joined cost; use a method on all examples, or a NetworkCost."
        )

    def hessian_product(self, theta: Any, v: Any) -> Any:
        """Return H v, (starts, n); see `NetworkCost.hessian_product`."""
        return self._by_part("hessian_product", theta, v)[0]

    def gauss_newton_product(self, theta: Any, v: Any) -> Any:
        """Return G v, (starts, n); see `NetworkCost.gauss_newton_product`."""
        return self._by_part("gauss_newton_product", theta, v)[0]

    def gauss_newton(self, theta: Any) -> tuple[Any, Any, Any]:
        """Return J, its gradient and the Gauss-Newton matrix; see `NetworkCost.gauss_newton`."""
        J, gradient, G = self._by_part("gauss_newton", theta)
        return J, gradient, G

    def _taken_from(self, part: int, place: Any) -> NetworkCost:
        if len(place) == self._sizes[part] and (np.diff(place) == 1).all():
            return self._costs[part]
        key = place.tobytes()
        last = self._taken.get(part)
        if last is None or last[0] != key:
            last = self._taken[part] = key, self._costs[part].take(place)
        return last[1]

    def _by_part(self, name: str, *stacks: Any) -> list[Any]:
        """Return the answers of the parts, each joined along the starts."""
        cut = zip(*(self._split(self.stack(one)) for one in stacks), strict=True)
        answers = [getattr(cost, name)(*one) for cost, one in zip(self._costs, cut, strict=True)]
        if not isinstance(answers[0], tuple):
            answers = [(one,) for one in answers]
        return [as_given(_joined(parts), stacks[0]) for parts in zip(*answers, strict=True)]

    def stack(self, theta: Any) -> Array:
        """Return theta as a stack, checked."""
        stack = as_stack(theta, self.blocks, self._costs[0].prototype)
        if len(stack) != self.starts:
            raise InvalidInput(
                f"theta must have as many starts as the joined costs, {self.starts}. "
                f"Got {len(stack)}. Use take(starts) for some of them."
            )
        return stack

    def evaluate(self, stack: Array, gradient: Array | None) -> Array:
        """Return J (starts,) of a stack and write its gradient, if one is wanted."""
        thetas = self._split(stack)
        rooms: Sequence[Array | None] = [None] * len(thetas)
        if gradient is not None:
            rooms = self._split(gradient)
        together = zip(self._costs, thetas, rooms, strict=True)
        return _joined([cost.evaluate(one, room) for cost, one, room in together])

    def _split(self, stack: Array) -> list[Array]:
        """Return the starts of each part, as views."""
        stops = np.cumsum(self._sizes)
        return [stack[first:stop, ...] for first, stop in pairwise([0, *stops.tolist()])]


def _joined(parts: Sequence[Array]) -> Array:
    """Return the answers of the parts one after the other."""
    return namespace(parts[0]).concat(list(parts))


def _check_parts(costs: Sequence[NetworkCost], starts: Sequence[int]) -> None:
    if len(costs) == 0 or len(costs) != len(starts):
        raise InvalidInput(
            "starts of JoinedCost must be one count for each of at least one cost. "
            f"Got {len(starts)} counts for {len(costs)} costs."
        )
    kinds = {(cost.network, cost.dtype, cost.device) for cost in costs}
    if len(kinds) > 1:
        raise InvalidInput(
            "costs of JoinedCost must be of one network, dtype and device. "
            f"Got {len(kinds)} different ones."
        )
    for cost, count in zip(costs, starts, strict=True):
        if count < 1 or cost.starts not in (None, count):
            raise InvalidInput(
                "starts of JoinedCost must be a positive count, that of the cost's own starts "
                f"where it has any. Got {count} for a cost of {cost.starts or 'any'} starts."
            )
