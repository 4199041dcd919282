"""What an estimator minimises on given data: the network, X and y as arrays, weights, penalty.

Conventions
-----------
X : (m, features), standardised where asked for;  y : class indices (m,), 0/1 (m, outputs), or
numbers (m, outputs), standardised where asked for.
J is that of `NetworkCost`: a mean over the weights, alpha / (2 Σw), a sum over outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak import arrays
from symbreak.activations import Activation, sklearn_words
from symbreak.errors import InvalidInput
from symbreak.losses import Loss, loss_of
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.propagation.first_layer import is_sparse
from symbreak.scaling import robust
from symbreak.training.facts import spread_of

Array = NDArray[Any]
# As scikit-learn words it, for code that looks for it.
NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


@dataclass(frozen=True, eq=False)
class Scale:
    """A shift and a positive factor for each column: scaled = (raw - mean) / spread."""

    mean: Array
    spread: Array

    @classmethod
    def of(cls, columns: Array, weight: Array | None) -> Scale:
        """Return mean and standard deviation of (m, columns); constant columns keep their size."""
        mean = np.average(columns, axis=0, weights=weight)
        spread = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))
        tiny = 10 * np.finfo(columns.dtype).eps * np.abs(mean)
        spread = np.where(spread > tiny, spread, 1.0)
        return cls(mean.astype(columns.dtype), spread.astype(columns.dtype))

    @classmethod
    def robust(cls, columns: Array, weight: Array | None) -> Scale:
        """Return the same, but median and quartiles of columns whose tails are heavy."""
        plain = cls.of(columns, weight)
        middle, spread = robust(columns, plain.mean, plain.spread, weight)
        return cls(middle.astype(columns.dtype), spread.astype(columns.dtype))

    def apply(self, columns: Array) -> Array:
        """Return the scaled columns."""
        return np.asarray((columns - self.mean) / self.spread)

    def undo(self, scaled: Array) -> Array:
        """Return the columns as they were."""
        return np.asarray(scaled * self.spread + self.mean)


@dataclass(frozen=True, eq=False)
class Scaling:
    """How X and y become the numbers of the network, and predictions those of y.

    Attributes
    ----------
    dtype : NumPy's, float32 or float64.
    x_scale, y_scale : the standardisation that X and y go through; None for none.
    """

    dtype: Any
    x_scale: Scale | None = None
    y_scale: Scale | None = None

    def inputs(self, X: Array, device: Any) -> arrays.Array:
        """Return rows (m, features) as the network takes them on a device."""
        return self.placed(np.asarray(self.x(X), dtype=self.dtype), device)

    def placed(self, array: Array, device: Any) -> arrays.Array:
        """Return an array on a device, of torch or by its name: NumPy's on the CPU, or a tensor."""
        return arrays.alike(array, arrays.empty(np.dtype(self.dtype).name, device))

    def x(self, X: Array) -> Array:
        """Return rows (m, features), standardised."""
        return X if self.x_scale is None else self.x_scale.apply(X)

    def y(self, y: Array) -> Array:
        """Return targets, standardised."""
        return y if self.y_scale is None else self.y_scale.apply(y)

    def undo(self, prediction: Array) -> Array:
        """Return predictions in the units of y."""
        return prediction if self.y_scale is None else self.y_scale.undo(prediction)

    def undo_size(self, size: Array) -> Array:
        """Return deviations of predictions in the units of y."""
        return size if self.y_scale is None else np.asarray(size * self.y_scale.spread)


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be minimised; make one with `problem_of`.

    Attributes
    ----------
    network : the network to train.
    X, y : training examples, see the module.
    sample_weight : (m,), class weights folded in; None for all alike.
    alpha : a number, or (layers,).
    scaling : what X and y went through.
    device : where it is minimised: a torch device, its name, or None for the CPU.
    """

    network: Network
    X: Array
    y: Array
    sample_weight: Array | None
    alpha: Any
    scaling: Scaling
    device: Any

    @cached_property
    def spread_of_inputs(self) -> float:
        """See `spread_of`; a problem of a fold is asked once for each penalty."""
        return spread_of(self.X)

    def cost(self, n_starts: int = 1) -> NetworkCost:
        """Return J for so many starts."""
        alpha = np.asarray(self.alpha, dtype=np.float64)
        alphas = np.tile(alpha, (n_starts, 1)) if alpha.ndim else float(alpha)
        return self._cost(self.X, self.y, self.sample_weight, alphas)

    def inputs(self, X: Array) -> arrays.Array:
        """Return other rows (m, features) as the network takes them."""
        return self.scaling.inputs(X, self.device)

    def loss_on(self, X: Array, y: Array, sample_weight: Array | None) -> NetworkCost:
        """Return the loss, without the penalty, on other examples; y encoded but not scaled."""
        rows = X if is_sparse(X) else self.inputs(X)
        return self._cost(rows, self.scaling.y(y), sample_weight, 0.0)

    def _cost(self, X: Any, y: Array, sample_weight: Array | None, alpha: Any) -> NetworkCost:
        return NetworkCost(
            self.network, X, y, alpha=alpha, sample_weight=sample_weight,
            dtype=self.scaling.dtype, device=self.device,
        )  # fmt: skip


def problem_of(
    estimator: Any,
    X: Array,
    y: Array,
    sample_weight: Array | None,
    *,
    known: Scaling | None = None,
) -> Problem:
    """Return the problem that the parameters of an estimator pose.

    Parameters
    ----------
    estimator : its parameters are read, nothing else.
    X : (m, features), validated; dense, or in CSR without standardisation.
    y : as `estimator._encoded` makes it: indices or 0/1 for classes, (m, outputs) of numbers else.
    sample_weight : (m,), class weights folded in, or None.
    known : the scaling of an earlier fit, whose standardisation stays; None learns a new one.
    """
    dtype = np.dtype(X.dtype if estimator.dtype is None else estimator.dtype)
    loss = _loss(estimator.loss, y)
    outputs = _n_outputs(estimator, loss, y)
    layers, activation, alpha = estimator._architecture
    network = Network(
        (X.shape[1], *hidden_sizes(layers), outputs),
        activation=hidden_activations(activation),
        loss=loss,
    )
    X, y = X.astype(dtype, copy=False), np.asarray(y)
    if not loss.is_classification:
        y = y.astype(dtype, copy=False)
    _check_size("X", X.data if is_sparse(X) else X)
    if not loss.is_classification:
        _check_size("y", y)
    x_scale = y_scale = None
    if known is not None:
        x_scale, y_scale = known.x_scale, known.y_scale
    elif estimator.standardize:
        way = Scale.robust if estimator.standardize == "robust" else Scale.of
        x_scale = way(X, sample_weight)
        if loss.fits_any_number:
            y_scale = Scale.of(y, sample_weight)
    scaling = Scaling(dtype, x_scale, y_scale)
    return Problem(
        network, scaling.x(X), scaling.y(y), sample_weight, alpha, scaling, estimator.device,
    )  # fmt: skip


def hidden_sizes(given: Any) -> tuple[int, ...]:
    """Return the hidden layers as a tuple; a number is one layer."""
    sizes = [given] if np.ndim(given) == 0 else list(given)
    if any(np.ndim(size) or size <= 0 or size != int(size) for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0 and whole numbers, got {sizes}.")
    return tuple(int(size) for size in sizes)


def hidden_activations(given: Any) -> Any:
    """Return our words for scikit-learn's: one, or one for each hidden layer."""
    ours = sklearn_words()
    if isinstance(given, str | Activation):
        return ours.get(given, given) if isinstance(given, str) else given
    return [ours.get(word, word) if isinstance(word, str) else word for word in given]


def _check_size(what: str, numbers: Array) -> None:
    """Refuse numbers whose squares overflow: no gradient of theirs can be trusted."""
    largest = float(np.abs(numbers).max(initial=0.0))
    if not largest <= math.sqrt(float(np.finfo(numbers.dtype).max)):
        raise InvalidInput(f"{NON_FINITE} The largest |{what}| is {largest:.3g}.")


def _loss(given: Any, y: Array) -> Loss:
    if given == "log_loss":
        return loss_of("cross_entropy" if y.ndim == 1 else "binary_cross_entropy")
    return loss_of(given)


def _n_outputs(estimator: Any, loss: Loss, y: Array) -> int:
    if loss.target_is_index:
        return len(estimator.classes_)
    return int(y.shape[1])
