"""The layout of gradients: matrices or one vector, bias column first or last, transposed or not.

The layout of Theta itself is understood first; another one must fit the shapes where that does not,
or the values much better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from symbreak.backpropagation_check.cause import (
    BIAS_ROW_KEPT,
    TRANSPOSED,
    WITHOUT_BIAS,
    WRONG_ORDER,
    WRONG_SHAPE,
    Cause,
)
from symbreak.backpropagation_check.layouts import layer_of
from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.reading import Reading, misfit
from symbreak.backpropagation_check.stages import Stage
from symbreak.errors import InvalidInput, InvalidType

_CLOSER = 0.5
_RIGHT = 1e-3
_ORDER_FITS = 0.1  # of the misfit in the order of the layers
_LAST_FIRST = Cause(
    WRONG_ORDER, "the gradients of the layers are in the wrong order: the last Theta comes first"
)


@dataclass(frozen=True)
class _Form:
    """How each matrix lies: turned round, and with its bias column last."""

    transposed: bool
    bias_last: bool

    def read(self, matrix: Array) -> Array:
        """Return the matrix as Theta lies."""
        turned = matrix.T if self.transposed else matrix
        return np.roll(turned, 1, axis=1) if self.bias_last else turned

    @property
    def side(self) -> str:
        return "bias column last" if self.bias_last else "bias column first"


_FORMS = [_Form(turned, last) for turned, last in product((False, True), (False, True))]


def read_gradients(reading: Reading, value: Any, right: Sequence[Array]) -> None:
    """Read the gradients into `reading`.

    Parameters
    ----------
    right : the right gradients of Theta1, Theta2, ...

    Raises
    ------
    InvalidInput, InvalidType
        Another number of matrices, or no matrices.
    """
    vector = _vector(reading, value, right)
    if vector is not None:
        _read_vector(reading, vector, right)
        return
    matrices = _matrices(reading, value, len(right))
    form = _form_of(matrices, right)
    if _is_reversed(matrices, right):
        reading.mistakes[Stage("gradients", min(matrices))] = _LAST_FIRST
        reading.layout.append("gradients: matrices, the last Theta first")
        return
    for layer, matrix in matrices.items():
        stage, target = Stage("gradients", layer), right[layer - 1]
        fits = matrix.ndim == 2 and form.read(matrix).shape == target.shape
        if fits:
            reading.arrays[stage] = form.read(matrix)
        else:
            reading.mistakes[stage] = _wrong_shape(layer, matrix, target, form)
    turned = ", transposed" if form.transposed else ""
    reading.layout.append(f"gradients: matrices{turned}, {form.side}")


def _vector(reading: Reading, value: Any, right: Sequence[Array]) -> Array | None:
    """Return the unrolled gradient (n,) if `value` is one, else None."""
    if isinstance(value, list | tuple) and len(value) == 1 and len(right) > 1:
        value = value[0]
    if isinstance(value, list | tuple) and not all(np.ndim(one) == 0 for one in value):
        return None
    if isinstance(value, Mapping):
        return None
    array = reading.numbers(value, "gradients of my_function")
    if len(right) == 1 and array.ndim == 2 and min(array.shape) > 1:
        return None
    if array.ndim == 2 and 1 in array.shape and array.shape != right[0].shape:
        array = array.reshape(-1)
    return array if array.ndim == 1 else None


def _read_vector(reading: Reading, vector: Array, right: Sequence[Array]) -> None:
    n = sum(one.size for one in right)
    if vector.size != n:
        reading.mistakes[Stage("gradients", 1)] = _wrong_length(vector.size, right)
        reading.layout.append("gradients: one vector")
        return
    ways = [(form, _split(vector, right, form)) for form in _FORMS]
    form, parts = _closest(ways, right)
    backward = [(form, _split(vector, right[::-1], form)[::-1]) for form in _FORMS]
    if len(right) > 1 and _cost(_closest(backward, right)[1], right) < _ORDER_FITS * _cost(
        parts, right
    ):
        reading.mistakes[Stage("gradients", 1)] = _LAST_FIRST
        reading.layout.append("gradients: one vector, the last Theta first")
        return
    _take(reading, form, parts)


def other_readings(reading: Reading, value: Any, right: Sequence[Array]) -> Iterator[Reading]:
    """Yield the other orders in which an unrolled gradient can be read; none of matrices.

    A vector with a mistake in it may be near the right one in no order. What it is then shows in
    the mistake: one that is known fits in its own order.
    """
    vector = _vector(reading, value, right)
    n = sum(one.size for one in right)
    if vector is None or vector.size != n or Stage("gradients", 1) in reading.mistakes:
        return
    for form in _FORMS:
        other = replace(reading, arrays=dict(reading.arrays), layout=reading.layout[:-1])
        _take(other, form, _split(vector, right, form))
        if other.layout != reading.layout:
            yield other


def _take(reading: Reading, form: _Form, parts: Sequence[Array]) -> None:
    for layer, part in enumerate(parts, start=1):
        reading.arrays[Stage("gradients", layer)] = part
    order = "column after column" if form.transposed else "row after row"
    reading.layout.append(f"gradients: one vector, {order}, {form.side}")


def _split(vector: Array, shapes: Sequence[Array], form: _Form) -> list[Array]:
    """Return the matrices of a vector; column after column is the transpose row after row."""
    matrices, start = [], 0
    for target in shapes:
        part = vector[start : start + target.size]
        shape = target.shape[::-1] if form.transposed else target.shape
        matrices.append(form.read(part.reshape(shape)))
        start += target.size
    return matrices


def _closest(
    ways: Sequence[tuple[_Form, list[Array]]], right: Sequence[Array]
) -> tuple[_Form, list[Array]]:
    best = ways[0]
    for way in ways[1:]:
        if _cost(way[1], right) < _CLOSER * _cost(best[1], right):
            best = way
    return best


def _cost(parts: Sequence[Array], right: Sequence[Array]) -> float:
    return sum(misfit(part, target) for part, target in zip(parts, right, strict=True))


def _matrices(reading: Reading, value: Any, n: int) -> dict[int, Array]:
    if isinstance(value, Mapping):
        numbered = {layer_of(key, "gradients", n): matrix for key, matrix in value.items()}
    elif isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 3:
        if len(value) != n:
            raise InvalidInput(
                f"gradients of my_function must be {n} matrices, one for each Theta, or one "
                f"unrolled vector. Got {len(value)}."
            )
        numbered = dict(enumerate(value, start=1))
    elif n == 1:
        numbered = {1: value}
    else:
        raise InvalidType(
            f"gradients of my_function must be a list of matrices or one unrolled vector. "
            f"Got one array of shape {tuple(np.shape(value))}."
        )
    return {
        layer: reading.numbers(matrix, f"gradient of Theta{layer} of my_function")
        for layer, matrix in numbered.items()
        if matrix is not None
    }


def _form_of(matrices: Mapping[int, Array], right: Sequence[Array]) -> _Form:
    """Return the form in which most matrices are right; if none is, that which fits most shapes.

    One transposed matrix must not turn a square one that is right as it is.
    """
    best, best_rank, best_cost = _FORMS[0], (-1, -1), 0.0
    for form in _FORMS:
        parts = [
            (form.read(matrix), right[layer - 1])
            for layer, matrix in matrices.items()
            if matrix.ndim == 2
        ]
        costs = [misfit(part, target) for part, target in parts if part.shape == target.shape]
        n_right = sum(cost <= _RIGHT for cost in costs)
        rank, cost = (n_right, 0 if n_right else len(costs)), sum(costs)
        closer = rank == best_rank and n_right == 0 and cost < _CLOSER * best_cost
        if rank > best_rank or closer:
            best, best_rank, best_cost = form, rank, cost
    return best


def _is_reversed(matrices: Mapping[int, Array], right: Sequence[Array]) -> bool:
    """Whether the matrices fit all shapes only, or much better, with the last Theta first."""
    if len(right) < 2 or len(matrices) != len(right):
        return False
    backward = [matrices[layer] for layer in range(len(right), 0, -1)]
    if not all(one.shape == target.shape for one, target in zip(backward, right, strict=True)):
        return False
    forward = backward[::-1]
    if not all(one.shape == target.shape for one, target in zip(forward, right, strict=True)):
        return True
    return _cost(backward, right) < _ORDER_FITS * _cost(forward, right)


def _wrong_shape(layer: int, matrix: Array, target: Array, form: _Form) -> Cause:
    units_out, width = target.shape
    shape, turned = matrix.shape, matrix.T.shape
    ours, theirs = (turned, shape) if form.transposed else (shape, turned)
    what = f"the gradient of Theta{layer}"
    if theirs == target.shape:
        return Cause(TRANSPOSED, f"{what} is transposed, and the others are not")
    if ours == (units_out, width - 1):
        return Cause(
            WITHOUT_BIAS,
            f"{what} lacks the bias column: its shape is {shape}, that of Theta{layer} is "
            f"{target.shape}",
        )
    if ours in ((units_out + 1, width), (units_out + 1, width - 1)):
        return Cause(
            BIAS_ROW_KEPT,
            f"{what} has a row too many: the bias row of delta({layer + 1}) is not dropped "
            f"before the product",
        )
    return Cause(WRONG_SHAPE, f"{what} must be of shape {target.shape}, but has shape {shape}")


def _wrong_length(size: int, right: Sequence[Array]) -> Cause:
    n, biases = sum(one.size for one in right), sum(len(one) for one in right)
    if size == n - biases:
        said = f"the gradient lacks the bias columns: it has {size} entries, theta has {n}"
        return Cause(WITHOUT_BIAS, said)
    return Cause(WRONG_SHAPE, f"the unrolled gradient must have {n} entries, but has {size}")
