"""The layout of z, a and delta: which layers, rows or columns, with or without the bias unit.

Shapes decide where they can. What they leave open is what comes closest to the right values, all
arrays taken together, since nobody changes from rows to columns on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from symbreak.backpropagation_check.cause import WRONG_SHAPE, Cause
from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.reading import Reading, misfit
from symbreak.backpropagation_check.stages import Stage
from symbreak.errors import InvalidInput, InvalidType

UNIT_KINDS = ("z", "a", "delta")
_ORIENTATIONS = ("units x examples", "examples x units")
_SIDES = ("first", "last")
_NOT_ONES = 0.5  # a bias unit of a that is not 1 is hardly one
_CLOSER = 0.5  # an unusual order of layers must fit much better than the usual one


@dataclass(frozen=True)
class Option:
    """One way to read an array; None where the shape leaves nothing to say."""

    orientation: str | None
    side: str | None
    array: Array
    cost: float

    def agrees(self, orientation: str, side: str) -> bool:
        """Whether it is a case of this common layout."""
        return self.orientation in (None, orientation) and self.side in (None, side)


@dataclass(frozen=True)
class LayerArrays:
    """The arrays of one kind, by layer, and the words for how the list was read."""

    arrays: dict[int, Array]
    said: str


def read_units(
    reading: Reading, parts: Mapping[str, Any], right: Mapping[Stage, Array], n_layers: int
) -> None:
    """Read z, a and delta into `reading`.

    Parameters
    ----------
    right : the right array of every stage, and a(1), the input.

    Raises
    ------
    InvalidInput, InvalidType
        No list over layers, or one with another number of layers.
    """
    kinds = {
        kind: _by_layer(reading, kind, parts[kind], right, n_layers)
        for kind in UNIT_KINDS
        if kind in parts
    }
    given = {
        Stage(kind, layer): array
        for kind, layers in kinds.items()
        for layer, array in layers.arrays.items()
        if Stage(kind, layer) in right
    }
    options = {stage: _options(stage, array, right[stage]) for stage, array in given.items()}
    chosen = _chosen({stage: found for stage, found in options.items() if found})
    for stage, array in given.items():
        if stage in chosen:
            reading.arrays[stage] = chosen[stage].array
        else:
            reading.mistakes[stage] = _wrong_shape(stage, array, right[stage])
    for kind, layers in kinds.items():
        used = [option for stage, option in chosen.items() if stage.kind == kind]
        reading.layout.append(f"{kind}: {layers.said}{_describe(used)}")


def _options(stage: Stage, array: Array, right: Array) -> list[Option]:
    """Return every way in which the shape allows to read `array` as (units, m)."""
    units, m = right.shape
    options: list[Option] = []
    if array.ndim < 2:
        fits = array.size == right.size and 1 in (units, m)
        return [_option(stage, None, None, array.reshape(units, m), right)] if fits else []
    if array.ndim > 2:
        return []
    for orientation, turned in zip(_ORIENTATIONS, (array, array.T), strict=True):
        if turned.shape == (units, m):
            options.append(_option(stage, orientation, None, turned, right))
        if turned.shape == (1 + units, m):
            options.append(_option(stage, orientation, "first", turned, right))
            options.append(_option(stage, orientation, "last", turned, right))
    return options


def _option(
    stage: Stage, orientation: str | None, side: str | None, array: Array, right: Array
) -> Option:
    cost = 0.0
    if side is not None:
        bias = array[0] if side == "first" else array[-1]
        array = array[1:] if side == "first" else array[:-1]
        cost = _NOT_ONES if stage.kind == "a" and not bool((bias == 1.0).all()) else 0.0
    return Option(orientation, side, array, cost + misfit(array, right))


def _chosen(options: Mapping[Stage, Sequence[Option]]) -> dict[Stage, Option]:
    """Return one option for each array: of the common layout where there is one."""
    candidates: list[tuple[float, dict[Stage, Option]]] = []
    for orientation, side in product(_ORIENTATIONS, _SIDES):
        common = {
            stage: _best(one for one in ways if one.agrees(orientation, side))
            for stage, ways in options.items()
        }
        kept = {stage: option for stage, option in common.items() if option is not None}
        if len(kept) == len(options):
            candidates.append((sum(option.cost for option in kept.values()), kept))
    if candidates:
        return min(candidates, key=lambda one: one[0])[1]
    return {stage: min(ways, key=lambda one: one.cost) for stage, ways in options.items()}


def _best(options: Iterable[Option]) -> Option | None:
    return min(options, key=lambda one: one.cost, default=None)


def _describe(options: Sequence[Option]) -> str:
    orientations = list(dict.fromkeys(o.orientation for o in options if o.orientation))
    sides = list(dict.fromkeys(o.side for o in options if o.side))
    said = f", {' and '.join(orientations)}" if orientations else ""
    return said + (f", bias unit {' and '.join(sides)}" if sides else ", no bias unit")


def _wrong_shape(stage: Stage, array: Array, right: Array) -> Cause:
    units, m = right.shape
    return Cause(
        WRONG_SHAPE,
        f"{stage.name} must be of shape ({units}, {m}) or ({m}, {units}), with or without a bias "
        f"unit, but has shape {array.shape}",
    )


def _by_layer(
    reading: Reading, kind: str, value: Any, right: Mapping[Stage, Array], n_layers: int
) -> LayerArrays:
    """Return the arrays of one kind by layer; those of the input layer, but for a, are left out."""
    if isinstance(value, Mapping):
        by_layer = {layer_of(key, kind, n_layers): one for key, one in value.items()}
        return LayerArrays(_arrays(reading, kind, by_layer), "by layer")
    listed = _listed(kind, value, n_layers)
    ways: list[tuple[tuple[int, float], LayerArrays]] = []
    for first, step in _alignments(kind, len(listed), n_layers):
        numbered = {first + step * place: one for place, one in enumerate(listed)}
        arrays = _arrays(reading, kind, numbered)
        order = "" if step == 1 else ", the last layer first"
        said = f"layers {min(numbered)} to {max(numbered)}{order}"
        ways.append((_fit(kind, arrays, right), LayerArrays(arrays, said)))
    best = ways[0]
    for other in ways[1:]:
        (unfit, cost), (unfit_now, cost_now) = other[0], best[0]
        if unfit < unfit_now or (unfit == unfit_now and cost < _CLOSER * cost_now):
            best = other
    return best[1]


def layer_of(key: Any, kind: str, last: int) -> int:
    """Return the layer that a key names: 2, "2", "z2", "delta(2)", "Theta1"."""
    digits = "".join(letter for letter in str(key) if letter.isdigit())
    if not digits or not 1 <= int(digits) <= last:
        raise InvalidInput(f"keys of {kind} of my_function must be layers 1..{last}. Got {key!r}.")
    return int(digits)


def _listed(kind: str, value: Any, n_layers: int) -> list[Any]:
    if n_layers == 2 and getattr(value, "ndim", 0) in (1, 2):
        return [value]
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) >= 3:
        return list(value)
    got = f"one array of shape {value.shape}" if hasattr(value, "shape") else type(value).__name__
    raise InvalidType(
        f"{kind} of my_function must be a list over layers or a dictionary {{layer: array}}. "
        f"Got {got}."
    )


def _alignments(kind: str, length: int, n_layers: int) -> list[tuple[int, int]]:
    """Return (first layer, step) for every way to number a list, the usual one first."""
    usual = {n_layers - 1: [(2, 1)], n_layers: [(1, 1)]}
    if kind == "a":
        usual[n_layers - 1] = [(2, 1), (1, 1)]
    if kind == "delta":
        usual = {n_layers - 1: [(2, 1), (n_layers, -1)], n_layers: [(1, 1), (n_layers, -1)]}
    if length not in usual:
        raise InvalidInput(
            f"{kind} of my_function must hold {n_layers - 1} arrays (layers 2 to {n_layers}) or "
            f"{n_layers} (with layer 1). Got {length}."
        )
    return usual[length]


def _arrays(reading: Reading, kind: str, by_layer: Mapping[int, Any]) -> dict[int, Array]:
    return {
        layer: reading.numbers(array, f"{kind} of layer {layer} of my_function")
        for layer, array in by_layer.items()
        if array is not None and (layer > 1 or kind == "a")
    }


def _fit(kind: str, arrays: Mapping[int, Array], right: Mapping[Stage, Array]) -> tuple[int, float]:
    """Return how many arrays fit no layout, and how far the others are from the right values."""
    best = [
        _best(_options(Stage(kind, layer), array, right[Stage(kind, layer)]))
        for layer, array in arrays.items()
    ]
    return sum(one is None for one in best), float(sum(one.cost for one in best if one is not None))
