"""J(theta) of a network on examples, and its gradient by back-propagation written out.

Conventions
-----------
J = Σ_i w_i loss_i / Σ_i w_i + alpha / (2 Σ_i w_i) Σ theta² over the weights (biases excluded)
loss_i sums over outputs. Without weights w_i = 1 and Σw = m: a weight of 2 is a repeated example.
theta : (starts, n) or (n,);  J : (starts,) or ();  gradient : of the shape of theta.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from symbreak.arrays import (
    Array,
    alike,
    as_array,
    cast,
    copied,
    cuts,
    device_of,
    dtype_word,
    empty,
    float_word,
    has_float64,
    is_tensor,
)
from symbreak.errors import InvalidInput
from symbreak.native.interface import Problem
from symbreak.network import Network
from symbreak.objectives.array_kernel import Workspaces
from symbreak.objectives.capabilities import HasMiniBatches, offered
from symbreak.objectives.contract import Objective
from symbreak.objectives.cost_data import CostData
from symbreak.objectives.examples import Examples
from symbreak.objectives.input_checks import check_indices, check_weights
from symbreak.objectives.minibatches import MiniBatches, starts_of_block
from symbreak.objectives.native_kernel import NativeKernel
from symbreak.objectives.penalty import Penalty, check_alpha, strength
from symbreak.objectives.stacks import Stacked, as_given, as_kind, as_stack
from symbreak.parameters import Block
from symbreak.pickles import Pickled
from symbreak.propagation.first_layer import is_sparse
from symbreak.propagation.inputs import prepared_target, sparse_with_ones, with_ones
from symbreak.units import warn_of_symmetry

_COMPUTED_BY = ("__call__", "evaluate", "value", "take", "batch", "minibatch_gradients")


class NetworkCost(Stacked, Pickled):
    """The cost J(theta) of a network on (X, y), for many starts at once.

    Parameters
    ----------
    network : the `Network`.
    X : (m, features), NumPy, torch, pandas or polars; rows are examples. Or sparse, of SciPy: it is
        never made dense, and J is computed in Python, on the CPU, without curvature.
    y : class indices (m,) for cross_entropy, 0 or 1 for binary_cross_entropy, numbers otherwise;
        (m,) or (m, outputs).
    alpha : L2 penalty >= 0: a number, (starts,) or (starts, layers). Biases are not penalised.
    sample_weight : None, (m,) or (starts, m), not negative.
    dtype : float32 or float64; that of X by default, float64 when X holds no floats.
    device : any torch device; the CPU by default.
    memory_budget : bytes that the buffers of a call may take; blocks of starts and examples are
        cut to fit. By default 256 MiB, or twice what one start and one example need if that is
        more.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, values that are not finite or outside the range of the loss.

    Notes
    -----
    A call computes in the dtype of the cost and answers in the kind, dtype and device of theta.
    Buffers are used again in the next call, also by the costs that `take` and `batch` make of it.
    Each thread has its own, so that a cost may be called from several at once; the memory budget is
    that of one thread.

    Examples
    --------
    >>> import numpy as np
    >>> cost = NetworkCost(Network((2, 1)), [[0.0, 1.0], [1.0, 0.0]], [0, 1])
    >>> J, gradient = cost(np.zeros(3))
    >>> round(float(J), 6), gradient
    (0.693147, array([ 0.  , -0.25,  0.25]))
    """

    def __init__(
        self,
        network: Network,
        X: Any,
        y: Any,
        *,
        alpha: Any = 0.0,
        sample_weight: Any = None,
        dtype: Any = None,
        device: Any = None,
        memory_budget: int | None = None,
    ) -> None:
        if is_sparse(X):
            word = _word_of_sparse(X, dtype, device)
            rows, like = sparse_with_ones(X, network, word), empty(word, "cpu")
        else:
            X = as_array(X, "X")
            device = device_of(X) if device is None else device
            rows = like = with_ones(X, network, empty(float_word(X, dtype), device))
        target = prepared_target(y, network, like, rows.shape[0])
        examples = Examples(rows, target, check_weights(sample_weight, like, rows.shape[0]))
        self._data = CostData(
            network,
            examples,
            (len(examples), examples.total_weight),
            check_alpha(alpha, network),
            memory_budget,
            Workspaces(),
        )

    @property
    def network(self) -> Network:
        """The network."""
        return self._data.network

    @property
    def dtype(self) -> Any:
        """The dtype that it computes in; one of PyTorch where it computes on tensors."""
        return self.prototype.dtype

    @property
    def device(self) -> Any:
        """Where it computes: "cpu", or a device of PyTorch."""
        return device_of(self.prototype)

    @property
    def prototype(self) -> Array:
        """An array of the kind, dtype and device that it computes in."""
        return self._data.examples.prototype

    @property
    def memory_budget(self) -> int:
        """The bytes that the buffers of a call may take."""
        return self._data.memory_budget

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Theta1, Theta2, ... and their places in theta."""
        return self.network.blocks

    @property
    def n_examples(self) -> int:
        """The number of examples m."""
        return len(self._data.examples)

    @property
    def is_weight(self) -> Array:
        """Whether each entry of theta is a weight and not a bias, (n,) bool."""
        one = np.ones(())
        return alike(strength(one, self.network, one) > 0, self.prototype)

    def terms(self) -> dict[str, Objective]:
        """Return the objectives whose sum J is, "data" and, where there is one, "penalty"."""
        strength = self._data.strength
        if strength is None:
            return {"data": self}
        return {"data": self.with_alpha(0.0), "penalty": Penalty(self.blocks, strength)}

    @property
    def alpha(self) -> Array:
        """The penalty: (), (starts,) or (starts, layers); float64, where its device has that."""
        word = "float64" if has_float64(self.prototype) else "float32"
        return copied(alike(cast(self._data.alpha, word), self.prototype))

    def with_alpha(self, alpha: Any) -> Self:
        """Return the cost of the same examples with another penalty."""
        return self._with(alpha=check_alpha(alpha, self.network))

    @property
    def starts(self) -> int | None:
        """How many starts the per-start penalties or weights are for; None when there are none."""
        return self._data.starts

    def hessian_product(self, theta: Any, v: Any) -> Any:
        """Return H v, H the Hessian of J at theta (R-operator, Pearlmutter 1994).

        Parameters
        ----------
        theta, v : (starts, n) or (n,), of one shape.

        Notes
        -----
        Takes about four times as long as a value with its gradient and keeps the memory budget.
        At a kink the second derivative is that of one side: 0 for relu, which H does not see.
        """
        return self._curved(theta, v, self._data.curvature.hessian_product)

    def gauss_newton_product(self, theta: Any, v: Any) -> Any:
        """Return G v, G the Gauss-Newton matrix of J (Schraudolph 2002): never negative curvature.

        Parameters
        ----------
        theta, v : (starts, n) or (n,), of one shape.
        """
        return self._curved(theta, v, self._data.curvature.gauss_newton_product)

    def gauss_newton(self, theta: Any) -> tuple[Any, Any, Any]:
        """Return J, its gradient and the Gauss-Newton matrix, (starts, n, n) or (n, n).

        Raises
        ------
        InvalidInput
            The matrices of all starts are over the memory budget.
        """
        J, gradient, G = self._data.curvature.gauss_newton(self._inside(theta))
        return as_given(J, theta), as_given(gradient, theta), as_given(G, theta)

    def residuals(self, theta: Any) -> Any:
        """Return r (starts, r) or (r,) with J = ½ Σ r²; for the loss squared_error.

        First sqrt(w / Σw) (raw - y), output by output; then, with a penalty,
        sqrt(alpha / Σw) theta of the penalised weights.

        Raises
        ------
        InvalidType
            Another loss.
        InvalidInput
            The residuals are over the memory budget.
        """
        return as_given(self._data.curvature.residuals(self._inside(theta)), theta)

    def jacobian(self, theta: Any) -> Any:
        """Return d r / d theta, (starts, r, n) or (r, n); for the loss squared_error.

        Raises
        ------
        InvalidType
            Another loss.
        InvalidInput
            The Jacobians are over the memory budget.
        """
        return as_given(self._data.curvature.jacobian(self._inside(theta)), theta)

    def _curved(self, theta: Any, v: Any, product: Callable[[Array, Array], Array]) -> Any:
        if np.shape(v) != np.shape(theta):
            raise InvalidInput(
                f"v must be of the shape of theta, {tuple(np.shape(theta))}. "
                f"Got {tuple(np.shape(v))}."
            )
        return as_given(product(self._inside(theta), self._inside(v)), theta)

    def warn_of_symmetry(self, theta: Any) -> None:
        """Warn when a start leaves a whole hidden layer as one unit."""
        warn_of_symmetry(self.network, theta)

    def take(self, starts: Any) -> Self:
        """Return the cost of these starts, with what is theirs alone.

        Parameters
        ----------
        starts : indices, repeats allowed, or a mask.
        """
        if self.starts is None:
            return self
        alpha, (m, total) = self._data.alpha, self._data.whole
        index = check_indices(starts, self.starts, "starts of take", "start")
        return self._with(
            alpha=alpha[index] if alpha.ndim > 0 else alpha,
            examples=self._data.examples.take(index),
            whole=(m, total[index] if total.ndim > 0 else total),
        )

    def batch(self, rows: Any) -> Self:
        """Return an unbiased estimate of the cost from these examples (indices, or a mask).

        The penalty stays that of all examples, and Σ w loss is divided by the Σw that so many
        examples have on average: the mean over examples drawn at random is J itself.
        """
        index = check_indices(rows, self.n_examples, "rows of batch", "example")
        return self._with(examples=self._data.examples[index])

    def minibatch_gradients(self, theta: Array, order: Array, size: int) -> Iterator[Array]:
        """Yield the gradient of `batch` on every `size` rows of `order`, at theta as it then is.

        Parameters
        ----------
        theta : (starts, n), a stack of the cost; it may be changed between two gradients, which
            come in the same array each time.
        order : (k,) indices of examples; the last mini-batch may be short.
        """
        inside, rows = alike(theta, self.prototype), cast(alike(order, self.prototype), "int64")
        kept = given = None
        for gradient in self._minibatch_gradients(inside, rows, size):
            if gradient is not kept:
                kept, given = gradient, alike(gradient, theta)
            yield given

    def _minibatch_gradients(self, theta: Array, order: Array, size: int) -> Iterator[Array]:
        """Yield the same, for a stack of the kind that it computes in."""
        native = offered(self._data.kernel, HasMiniBatches)
        if native is not None:
            yield from native.minibatch_gradients(theta, order, size)
            return
        data = self._data
        is_gathered = not is_sparse(data.examples.rows)
        starts = (
            starts_of_block(self.network, theta, size, self.memory_budget) if is_gathered else None
        )
        if starts is None:
            yield from (self.batch(order[one])(theta)[1] for one in cuts(order.shape[0], size))
            return
        made = data.minibatches.taken((starts, size)) or MiniBatches(
            data.network, data.examples, data.whole, data.strength, size, starts
        )
        yield from made.gradients(theta, order)
        data.minibatches.put_back((starts, size), made)

    @property
    def native_problem(self) -> Problem | None:
        """J as the compiled core knows it; None where something else computes it."""
        kernel = self._data.kernel
        if not isinstance(kernel, NativeKernel):
            return None
        # A subclass that computes, or counts, in its own way is called as by anyone.
        kind = type(self)
        is_own = kind is NetworkCost or all(
            getattr(kind, name) is getattr(NetworkCost, name) for name in _COMPUTED_BY
        )
        return kernel.problem if is_own else None

    def to(self, dtype: Any) -> Self:
        """Return the same cost computed in another dtype."""
        examples = self._data.examples.to(dtype_word(dtype))
        return self._with(examples=examples, workspaces=Workspaces())

    @property
    def _holds_tensors(self) -> bool:
        return is_tensor(self.prototype)

    def _with(self, **changes: Any) -> Self:
        other = copy.copy(self)
        other._data = dataclasses.replace(self._data, **changes)
        return other

    def stack(self, theta: Any) -> Array:
        """Return theta as a stack, checked."""
        stack = as_stack(theta, self.blocks, self.prototype)
        if self.starts not in (None, len(stack)):
            raise InvalidInput(
                f"theta must have as many starts as alpha or sample_weight, {self.starts}. "
                f"Got {len(stack)}. Use take(starts) for some of them."
            )
        return stack

    def _inside(self, theta: Any) -> Array:
        """Return theta as a stack of the kind that it computes in."""
        return alike(self.stack(theta), self.prototype)

    def evaluate(self, stack: Array, gradient: Array | None) -> Array:
        """Return J (starts,) of a stack and write its gradient, if one is wanted."""
        return as_kind(self.prototype, self._data.kernel.evaluate, stack, gradient)


def _word_of_sparse(X: Any, dtype: Any, device: Any) -> str:
    """Return the dtype that a cost of sparse rows computes in, by its word."""
    if device is not None and str(device) != "cpu":
        raise InvalidInput(f"X must be dense on a device. Got sparse rows on {device}.")
    return float_word(np.empty(0, X.dtype), dtype)
