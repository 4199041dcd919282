"""Searches that are gathered before any begins, and their training as one stack.

    (cost, theta, arguments of `minimize`) of many fits -> stacks -> one outcome for each

An estimator's `fit` may run many times with other penalties, examples or starts. Under
`gathered_by(gather)` each `minimize` of this module hands its arguments over and gets the outcome
from there, so that a search over many fits can train them as one stack and change nothing in the
estimator.

Conventions
-----------
rows : the starts of all searches of a stack, search by search
Searches share a stack when the network, its dtype and device, the method and all that ends a search
are the same. Penalties, starts, examples and the learning rates of mini-batch methods may differ:
costs of the same examples become one cost with a penalty for each row, and different examples stand
side by side in a `JoinedCost`. Mini-batch methods draw rows of one set of examples, so there a
stack has one. What has a state outside its theta (a callback, a validation, a race, a limit of
time, an outcome to go on from) trains alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, alike, as_numpy, like, namespace
from symbreak.objectives import JoinedCost, NetworkCost
from symbreak.objectives.capabilities import HasSize, offered
from symbreak.objectives.stacks import as_stack
from symbreak.optimize import Outcome, Progress
from symbreak.optimize import minimize as minimize_at_once
from symbreak.optimize.method import Method
from symbreak.optimize.methods import find_method

# What a search keeps for each entry of theta: points, trials, directions and copies of them.
_VECTORS = 16
Look = Callable[[Progress], Any]
# (objective, theta, keyword arguments of `minimize`) -> outcome
Gather = Callable[[Any, Any, Mapping[str, Any]], Outcome]

_IN_FORCE: ContextVar[Gather | None] = ContextVar("who gathers searches", default=None)


def gather_in_force() -> Gather | None:
    """Return who gathers searches in this thread and context; None where each runs at once."""
    return _IN_FORCE.get()


@contextmanager
def gathered_by(gather: Gather | None) -> Iterator[None]:
    """A context, of this thread alone, in which `gather` is handed the searches."""
    token = _IN_FORCE.set(gather)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def minimize(objective: Any, theta: Any, **arguments: Any) -> Outcome:
    """Return what `symbreak.minimize` returns of these arguments, from who gathers, if one does."""
    gather = gather_in_force()
    if gather is None:
        return minimize_at_once(objective, theta, **arguments)
    return gather(objective, theta, arguments)


@dataclass(frozen=True, eq=False)
class MinimizeCall:
    """One call of `minimize` that waits for its outcome.

    Attributes
    ----------
    objective, theta : as they were given.
    arguments : the other arguments of `minimize`.
    """

    objective: Any
    theta: Any
    arguments: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """How many starts it has."""
        return len(self.theta) if np.ndim(self.theta) == 2 else 1

    @property
    def nbytes(self) -> int:
        """The memory of its examples, in bytes; a cost holds its rows about twice."""
        sized = offered(self.objective, HasSize)
        return 0 if sized is None else 2 * sized.nbytes

    @property
    def can_be_stacked(self) -> bool:
        """Whether others may train beside it in one stack."""
        arguments = self.arguments
        alone = ("validation", "racing", "callback", "max_seconds")
        return (
            type(self.objective) is NetworkCost
            and not isinstance(self.theta, Outcome)
            and not str(arguments.get("method")).startswith("scipy:")
            and all(arguments.get(name) in (None, False) for name in alone)
        )

    def goes_with(self, other: MinimizeCall) -> bool:
        """Whether both may share a stack."""
        if not (self.can_be_stacked and other.can_be_stacked):
            return False
        one, two = self.objective, other.objective
        alike = (one.network, one.dtype, one.device) == (two.network, two.dtype, two.device)
        if not alike or _without_rate(self.arguments) != _without_rate(other.arguments):
            return False
        return not _method(self.arguments).is_on_minibatches or one.has_examples_of(two)

    @property
    def bytes_per_row(self) -> int:
        """The memory that the search takes for each start, in bytes, roughly."""
        if not self.can_be_stacked:
            return 0
        n = self.objective.network.n_parameters
        vectors = _VECTORS + _method(self.arguments).extra_vectors(n, self.arguments)
        return int(self.objective.dtype.itemsize * n * vectors)


def stacks_of(
    searches: Sequence[MinimizeCall], memory_budget: int, at_least: int = 1
) -> list[list[int]]:
    """Return the searches, by index, that train together.

    Parameters
    ----------
    memory_budget : bytes that the starts of a stack may take; a stack has at least one search.
    at_least : how many stacks to make of a network where there are as many searches.
    """
    groups: list[list[int]] = []
    for index, search in enumerate(searches):
        for group in groups:
            if searches[group[0]].goes_with(search):
                group.append(index)
                break
        else:
            groups.append([index])
    return [part for group in groups for part in _cut(searches, group, memory_budget, at_least)]


def train_together(searches: Sequence[MinimizeCall], look: Look | None = None) -> list[Outcome]:
    """Train the searches of one stack and return the outcome of each.

    Parameters
    ----------
    look : called with the progress of the whole stack; anything true stops it.

    Notes
    -----
    The seconds of the stack are shared out by evaluations. An outcome out of a stack of several
    searches cannot be gone on from: the search is that of the whole stack.
    """
    if len(searches) == 1:
        return [_alone(searches[0], look)]
    searches, places = _by_examples(searches)
    cost, theta = _joined(searches)
    outcome = minimize_at_once(cost, theta, **{**_arguments(searches), "callback": look})
    parts = _parted(outcome, searches)
    return [parts[place] for place in places]


def _alone(search: MinimizeCall, look: Look | None) -> Outcome:
    own = search.arguments.get("callback")

    def both(progress: Progress) -> bool:
        stop = own is not None and bool(own(progress))
        return stop or (look is not None and bool(look(progress)))

    callback = own if look is None else both
    return minimize_at_once(
        search.objective, search.theta, **{**search.arguments, "callback": callback}
    )


def _cut(
    searches: Sequence[MinimizeCall], group: list[int], memory_budget: int, at_least: int
) -> list[list[int]]:
    rows = sum(searches[index].rows for index in group)
    most = min(
        max(1, memory_budget // max(1, searches[group[0]].bytes_per_row)),
        -(-rows // max(1, at_least)),
    )
    parts: list[list[int]] = []
    held = most + 1
    for index in group:
        held += searches[index].rows
        if held > most:
            parts.append([])
            held = searches[index].rows
        parts[-1].append(index)
    return parts


def _by_examples(searches: Sequence[MinimizeCall]) -> tuple[list[MinimizeCall], list[int]]:
    """Return the searches with those of the same examples in a row, and where each one went."""
    sets: list[list[int]] = []
    for index, search in enumerate(searches):
        for known in sets:
            if searches[known[0]].objective.has_examples_of(search.objective):
                known.append(index)
                break
        else:
            sets.append([index])
    order = [index for known in sets for index in known]
    return [searches[index] for index in order], list(np.argsort(order))


def _joined(searches: Sequence[MinimizeCall]) -> tuple[NetworkCost | JoinedCost, Array]:
    sets: list[list[MinimizeCall]] = [[]]
    for search in searches:
        if sets[-1] and not sets[-1][0].objective.has_examples_of(search.objective):
            sets.append([])
        sets[-1].append(search)
    costs = [of_set[0].objective.with_alpha(_alphas(of_set)) for of_set in sets]
    blocks, prototype = costs[0].blocks, costs[0].prototype
    thetas = [alike(as_stack(one.theta, blocks, prototype), prototype) for one in searches]
    theta = namespace(prototype).concat(thetas, axis=0)
    if len(costs) == 1:
        return costs[0], theta
    return JoinedCost(costs, [sum(one.rows for one in of_set) for of_set in sets]), theta


def _method(arguments: Mapping[str, Any]) -> Method:
    return find_method(arguments.get("method"))


def _without_rate(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, but of a rate that each start may have for itself only its presence."""
    rate = arguments.get("learning_rate")
    has_own = _method(arguments).is_on_minibatches and isinstance(rate, Real)
    return {**arguments, "learning_rate": True} if has_own else dict(arguments)


def _arguments(searches: Sequence[MinimizeCall]) -> dict[str, Any]:
    """Return those of the stack, the learning rates row by row."""
    rates: list[Any] = [search.arguments.get("learning_rate") for search in searches]
    if len(set(map(repr, rates))) == 1:
        return dict(searches[0].arguments)
    by_row = np.repeat(rates, [search.rows for search in searches])
    return {**searches[0].arguments, "learning_rate": by_row}


def _alphas(searches: Sequence[MinimizeCall]) -> NDArray[np.float64]:
    """Return the penalties row by row, (rows,) or (rows, layers)."""
    alphas = [as_numpy(search.objective.alpha) for search in searches]
    layers = max((alpha.shape[1] for alpha in alphas if alpha.ndim == 2), default=0)
    parts = []
    for alpha, search in zip(alphas, searches, strict=True):
        by_row = alpha.reshape(-1, 1) if layers and alpha.ndim < 2 else alpha
        parts.append(np.broadcast_to(by_row, (search.rows, *([layers] if layers else []))))
    return np.concatenate(parts)


def _parted(outcome: Outcome, searches: Sequence[MinimizeCall]) -> list[Outcome]:
    """Return what was found for each search."""
    total = max(1, int(outcome.n_evaluations.sum()))
    parts, begin = [], 0
    for search in searches:
        rows = slice(begin, begin + search.rows)
        begin += search.rows
        theta = outcome.theta[rows] if np.ndim(search.theta) == 2 else outcome.theta[begin - 1]
        evaluations = outcome.n_evaluations[rows]
        parts.append(
            replace(
                outcome,
                theta=like(theta, search.theta),
                value=outcome.value[rows],
                gradient_norm=outcome.gradient_norm[rows],
                status=outcome.status[rows],
                n_iterations=outcome.n_iterations[rows],
                n_evaluations=evaluations,
                best_iteration=outcome.best_iteration[rows],
                history=outcome.history[: int(outcome.n_iterations[rows].max()) + 1, rows],
                seconds=outcome.seconds * int(evaluations.sum()) / total,
                search=None,
            )
        )
    return parts
