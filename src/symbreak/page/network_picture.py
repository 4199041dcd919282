"""The picture of a network as plain data: which units are shown, which weights are equal.

Theta(l) is (units of layer l+1, 1 + units of layer l), the bias in column 0. Of each Theta the rows
and columns of the units shown are kept, and weights are compared among those.

Classes of weights, the colours of the lecture's picture: 0 for a weight equal to no other;
k = 1, 2, ... for the k-th class of equal weights, in order of first appearance; -k for a weight of
that class with the other sign (a mirrored unit).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.errors import InvalidInput

SHOWN_UNITS = 8
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def network_picture(
    snapshots: Sequence[tuple[int, Sequence[Any]]],
    *,
    inputs: Sequence[int] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    shown: int | Sequence[int] = SHOWN_UNITS,
    rtol: float = 0.0,
) -> dict[str, Any]:
    """Return what `Symbreak.network` of network.js draws.

    Parameters
    ----------
    snapshots : pairs of the number of updates and the Thetas after them, one for each layer.
    inputs : which inputs to show, from 0; the first ones unless given.
    input_names, output_names : of all inputs and outputs; numbers unless given.
    shown : the most units shown of a layer, at least 1; one number, or one for each layer.
    rtol : weights are equal when they differ by no more than `rtol` times the largest |weight| of
        their Theta; 0 asks for equality of every bit.

    Raises
    ------
    InvalidInput
        There is no snapshot, or `shown` does not fit the layers.
    """
    if not snapshots:
        raise InvalidInput("snapshots of a network picture must be 1 or more. Got none.")
    sizes = _sizes(snapshots[0][1])
    most = _most_shown(shown, len(sizes))
    units = [list(range(min(count, size))) for count, size in zip(most, sizes, strict=True)]
    if inputs is not None:
        units[0] = list(inputs)[: most[0]]
    places = [np.ix_(rows, _columns(units_in)) for units_in, rows in pairwise(units)]
    return {
        "layers": [
            _layer(number, len(sizes), size, kept, names)
            for number, (size, kept, names) in enumerate(
                zip(sizes, units, _names(len(sizes), input_names, output_names), strict=True), 1
            )
        ],
        "names": [
            [[f"Theta{number}[{i}, {j}]" for j in _columns(units_in)] for i in rows]
            for number, (units_in, rows) in enumerate(pairwise(units), start=1)
        ],
        "snapshots": [_snapshot(updates, thetas, places, rtol) for updates, thetas in snapshots],
    }


def _snapshot(updates: int, thetas: Sequence[Any], places: Sequence[Any], rtol: float) -> Any:
    weights = [
        np.asarray(Theta, dtype=np.float64)[place] + 0.0  # no -0
        for Theta, place in zip(thetas, places, strict=True)
    ]
    classes, before = [], 0
    for Theta in weights:
        labels = equal_classes(Theta, rtol)
        classes.append(np.where(labels == 0, 0, labels + np.sign(labels) * before))
        before += int(np.abs(labels).max(initial=0))
    return {"updates": updates, "weights": weights, "classes": classes}


def _most_shown(shown: int | Sequence[int], layers: int) -> list[int]:
    most = [shown] * layers if isinstance(shown, int) else list(shown)
    if len(most) != layers or min(most) < 1:
        raise InvalidInput(
            f"shown of a network picture must be 1 or more for each of {layers} layers. "
            f"Got {shown!r}."
        )
    return most


def _sizes(thetas: Sequence[Any]) -> list[int]:
    shapes = [np.shape(Theta) for Theta in thetas]
    return [shapes[0][1] - 1, *(shape[0] for shape in shapes)]


def _columns(units: Sequence[int]) -> list[int]:
    return [0, *(1 + unit for unit in units)]


def _names(
    layers: int, inputs: Sequence[str] | None, outputs: Sequence[str] | None
) -> list[Sequence[str] | None]:
    return [inputs, *[None] * (layers - 2), outputs]


def _layer(
    number: int, layers: int, units: int, kept: Sequence[int], names: Sequence[str] | None
) -> dict[str, Any]:
    letter = "x" if number == 1 else "a"
    nodes = [letter + str(i + 1).translate(SUBSCRIPTS) if names is None else names[i] for i in kept]
    activations = f"a⁽{str(number).translate(SUPERSCRIPTS)}⁾"
    last = number == layers
    return {
        "name": "input x" if number == 1 else f"output {activations}" if last else activations,
        "units": units,
        "shown": len(kept),
        "bias": not last,
        "nodes": nodes if last else ["+1", *nodes],
    }


def equal_classes(Theta: NDArray[np.float64], rtol: float = 0.0) -> NDArray[np.int64]:
    """Return the class of each weight of Theta, counted from 1; see the conventions."""
    weights = np.asarray(Theta, dtype=np.float64).ravel()
    sizes = np.abs(weights)
    finite = sizes[np.isfinite(sizes)]
    gap = rtol * finite.max(initial=0.0)
    order = np.argsort(sizes, kind="stable")
    # Neighbours in size belong together; infinities are equal, what is no number is not.
    with np.errstate(invalid="ignore"):
        parted = ~((np.diff(sizes[order]) <= gap) | (sizes[order][1:] == sizes[order][:-1]))
    group = np.empty(len(weights), dtype=np.int64)
    group[order] = np.cumsum([0, *parted]) if len(weights) else []
    labels = np.zeros(len(weights), dtype=np.int64)
    n_classes = 0
    for place in range(len(weights)):
        members = np.flatnonzero(group == group[place])
        if len(members) > 1 and labels[place] == 0:
            n_classes += 1
            # Of signs: a product of weights would overflow, or vanish, before its sign is seen.
            signs = np.where(np.sign(weights[members]) * np.sign(weights[place]) < 0, -1, 1)
            labels[members] = n_classes * signs
    return labels.reshape(np.shape(Theta))
