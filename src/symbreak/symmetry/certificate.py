"""`symmetries`: which hidden units are one unit, and whether training keeps them so.

Conventions
-----------
A set S of theta is kept by an update when theta in S gives a new theta in S. Two rules make such
sets of the classes of `symbreak.symmetry.refinement`:

    multisets  the gradient is equal where weights are equal: kept by every update that treats all
               entries alike and does not change with their sign, with and without L2 in J.
    sums       the gradient of J without penalty is constant on blocks. Any elementwise update adds
               a constant to each block, and keeps its sums. A penalty adds alpha W, which differs
               within the block: linear updates keep the sums, elementwise ones do not.

So a Theta is ruled by sums where the update is linear or its alpha is 0, else by multisets.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symbreak.arrays import Array, as_numpy, as_own_kind, at_surface, like, namespace, word_of
from symbreak.checks import check_fraction
from symbreak.errors import InvalidInput, choose
from symbreak.network import Network
from symbreak.objectives.capabilities import HasDtype, offered
from symbreak.objectives.penalty import check_alpha
from symbreak.parameters import check_size
from symbreak.symmetry.classes import Classes, Floats, Integers
from symbreak.symmetry.describe import groups_of
from symbreak.symmetry.escape import Escape, MakeOptimizer, escape
from symbreak.symmetry.groups import Group
from symbreak.symmetry.invariant_set import InvariantSet
from symbreak.symmetry.refinement import refine
from symbreak.symmetry.weights import Weights

Levels = tuple[Classes, Classes, Classes]
UPDATES = ("elementwise", "linear")
ROUNDING = 16.0  # units in the last place that count as equal
CHUNK = 4_000_000  # weights that are worked on at once


@dataclass(frozen=True)
class Symmetries:
    """The certificate of all starts.

    Attributes
    ----------
    groups : the groups of units that are one unit, permanent ones first.
    near : groups within `tolerance` that are not so but for rounding; not permanent.
    effective_widths : (starts, hidden layers), the distinct living units that training keeps.
    labels : for each hidden layer (starts, units); units of one permanent group share a label.
    signs : for each hidden layer (starts, units); -1 a mirror, 0 a unit that is nothing.
    """

    network: Network
    update: str
    groups: tuple[Group, ...]
    near: tuple[Group, ...]
    _theta: Floats = field(repr=False)
    _by_sums: npt.NDArray[np.bool_] = field(repr=False)
    _classes: Classes = field(repr=False)
    _tolerance: float = field(repr=False)

    @property
    def labels(self) -> tuple[Integers, ...]:
        """Labels of the hidden units; equal labels are one unit."""
        return tuple(self._classes.labels[1:-1])

    @property
    def signs(self) -> tuple[Integers, ...]:
        """Signs of the hidden units within their group."""
        return tuple(self._classes.signs[1:-1])

    @cached_property
    def effective_widths(self) -> Integers:
        """How many hidden units each start has for ever, (starts, hidden layers)."""
        layers = zip(self.labels, self.signs, strict=True)
        widths = [labels.max(axis=1) + 1 - (signs == 0).any(axis=1) for labels, signs in layers]
        return np.stack(widths, axis=1) if widths else np.zeros((len(self._theta), 0), np.int64)

    @cached_property
    def permanent(self) -> npt.NDArray[np.bool_]:
        """Whether a start has units that are lost for ever, (starts,)."""
        full = np.array(self.network.layers[1:-1], dtype=np.int64)
        return np.asarray((self.effective_widths < full).any(axis=1))

    @cached_property
    def _sets(self) -> list[InvariantSet]:
        return [
            InvariantSet(self.network, self._classes, start, rule, theta, self._tolerance)
            for start, (rule, theta) in enumerate(zip(self._by_sums, self._theta, strict=True))
        ]

    def project(self, theta: Any) -> Any:
        """Return the nearest theta for which the certificate holds exactly.

        Parameters
        ----------
        theta : (starts, n), or (n,) for a certificate of one start; NumPy or torch.

        Returns
        -------
        A fresh array of the shape and kind of theta.
        """
        given = as_own_kind(theta, "theta")
        check_size(given, self.network.blocks)
        stack = np.atleast_2d(_in_float64(given))
        if len(stack) != len(self._sets):
            raise InvalidInput(
                f"theta of project must have {len(self._sets)} starts, as the certificate has. "
                f"Got {len(stack)}."
            )
        rows = [one.project(row) for one, row in zip(self._sets, stack, strict=True)]
        return like(np.stack(rows).reshape(tuple(given.shape)), theta)

    def distance(self, theta: Any) -> Floats:
        """Return max |theta - P theta| / max |theta| of each start, (starts,)."""
        stack = np.atleast_2d(_in_float64(as_own_kind(theta, "theta")))
        away = np.abs(stack - self.project(stack)).max(axis=1)
        return np.asarray(away / np.maximum(np.abs(stack).max(axis=1), np.finfo(float).tiny))

    def escape(
        self,
        cost: Any,
        *,
        optimizer: MakeOptimizer | None = None,
        max_updates: int = 1000,
        threshold: float = 1e-3,
    ) -> Escape:
        """Measure how many updates rounding needs to tear the groups; see `escape`."""
        own = offered(cost, HasDtype)
        word = "float64" if own is None else word_of(own.dtype)
        theta = at_surface(self.project(self._theta), word=word)
        return escape(
            cost, theta, self.distance,
            optimizer=optimizer, max_updates=max_updates, threshold=threshold,
        )  # fmt: skip

    def __str__(self) -> str:
        widths = ", ".join("-".join(map(str, row)) for row in self.effective_widths.tolist())
        full = "-".join(map(str, self.network.layers[1:-1]))
        head = f"Distinct hidden units of {full} under {self.update} updates: {widths}."
        near = [f"near: {group}" for group in self.near]
        return "\n".join([head, *map(str, self.groups), *near])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "layers": list(self.network.layers),
            "update": self.update,
            "effective_widths": self.effective_widths.tolist(),
            "permanent": self.permanent.tolist(),
            "groups": [group.to_dict() for group in self.groups],
            "near": [group.to_dict() for group in self.near],
        }


def symmetries(
    network: Network,
    theta: Any,
    *,
    alpha: Any = 0.0,
    update: str = "elementwise",
    tolerance: float | None = None,
) -> Symmetries:
    """Certify which hidden units are one unit, and whether updates keep them so.

    It speaks of exact arithmetic, of theta and network alone: whatever the data, each update maps
    the certified set into itself. `escape` measures when rounding leaves it.

    Parameters
    ----------
    theta : (starts, n) or (n,), NumPy or torch.
    alpha : the L2 penalty in J: a number, (starts,) or (starts, number of Theta). A penalty that
        the optimiser applies apart from the gradient (AdamW) is not in J.
    update : "elementwise" for every update that treats entries alike (Adam, RMSprop, Rprop, also
        the linear ones), "linear" for SGD with or without momentum, conjugate gradients, L-BFGS,
        and the Newton methods.
    tolerance : report also groups that are symmetric within this relative difference, as `near`.

    Returns
    -------
    Symmetries

    Raises
    ------
    InvalidInput
        Numbers, shapes or words that do not fit, or a theta that is not finite.

    Examples
    --------
    >>> net = Network((1, 2, 1), "tanh")                     # Theta1 is 2 x 2, Theta2 is 1 x 3
    >>> found = symmetries(net, np.array([1.0, 2, -1, -2, 5, 3, -3]))
    >>> found.groups[0].kind, found.effective_widths.tolist()
    ('mirrored', [[1]])
    """
    given = as_own_kind(theta, "theta")
    check_size(given, network.blocks)
    choose("update of symmetries", update, UPDATES)
    if tolerance is not None:
        check_fraction("tolerance of symmetries", tolerance)
    stack = np.atleast_2d(_in_float64(given))
    if not np.isfinite(stack).all():
        raise InvalidInput("theta of symmetries must be finite. Got NaN or infinity.")
    by_sums = _ruled_by_sums(network, alpha, update, len(stack))
    rounding = ROUNDING * _eps(given)
    levels = _levels(network, stack, by_sums, rounding)
    groups = groups_of(network, stack, by_sums, *levels, rounding)
    near: tuple[Group, ...] = ()
    if tolerance is not None and tolerance > rounding:
        wide = groups_of(
            network, stack, by_sums, *_levels(network, stack, by_sums, tolerance), tolerance
        )
        near = _not_among(wide, groups)
    return Symmetries(network, update, groups, near, stack, by_sums, levels[0], rounding)


def _in_float64(array: Array) -> Floats:
    return as_numpy(array).astype(np.float64, copy=False)


def _eps(array: Array) -> float:
    """Return the rounding of the dtype, that of float64 for whole numbers."""
    xp = namespace(array)
    is_floating = xp.isdtype(array.dtype, "real floating")
    return float(xp.finfo(array.dtype if is_floating else xp.float64).eps)


def _ruled_by_sums(network: Network, alpha: Any, update: str, starts: int) -> npt.NDArray[np.bool_]:
    """Return for each start and Theta whether its rule is sums, (starts, number of Theta)."""
    penalty = check_alpha(alpha, network)
    if penalty.ndim > 0 and len(penalty) != starts:
        raise InvalidInput(
            f"alpha of symmetries must be for {starts} starts, as theta is. Got {len(penalty)}."
        )
    per_theta = penalty if penalty.ndim == 2 else penalty[..., None]
    free = np.broadcast_to(per_theta == 0, (starts, len(network.blocks)))
    return free | (update == "linear")


def _levels(
    network: Network, stack: Floats, by_sums: npt.NDArray[np.bool_], tolerance: float
) -> Levels:
    """Return the classes by the rules of the update, by sums alone, and by multisets alone."""
    size = max(1, CHUNK // stack.shape[1])
    chunks = [slice(first, first + size) for first in range(0, len(stack), size)]
    parts = [_chunk_levels(network, stack[part], by_sums[part], tolerance) for part in chunks]
    kept, sums, multisets = (Classes.joined(list(level)) for level in zip(*parts, strict=True))
    return kept, sums, multisets


def _chunk_levels(
    network: Network, stack: Floats, by_sums: npt.NDArray[np.bool_], tolerance: float
) -> Levels:
    weights = Weights.of(network, stack)
    sums = refine(network, weights, np.ones_like(by_sums), tolerance)
    kept, multisets = sums.take(slice(None)), sums.take(slice(None))
    # Multisets are finer than sums: where all units are distinct by sums there is no more to find.
    some = np.flatnonzero(~sums.is_discrete())
    if some.size:
        part, within, rules = weights.take(some), sums.take(some), by_sums[some]
        multisets.put(some, refine(network, part, np.zeros_like(rules), tolerance, within))
        if not rules.any():
            kept.put(some, multisets.take(some))
        elif not rules.all():
            kept.put(some, refine(network, part, rules, tolerance, within))
    return kept, sums, multisets


def _not_among(wide: tuple[Group, ...], exact: tuple[Group, ...]) -> tuple[Group, ...]:
    known = {(group.start, group.layer, group.units) for group in exact}
    fresh = (group for group in wide if (group.start, group.layer, group.units) not in known)
    return tuple(replace(group, permanent=False) for group in fresh)
