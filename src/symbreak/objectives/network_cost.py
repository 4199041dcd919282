"""J(theta) of a network on examples, and its gradient by back-propagation written out.

Conventions
-----------
J = Σ_i w_i loss_i / Σ_i w_i + alpha / (2 Σ_i w_i) Σ theta² over the weights (biases excluded)
loss_i sums over outputs. Without weights w_i = 1 and Σw = m: a weight of 2 is a repeated example.
theta : (starts, n) or (n,);  J : (starts,) or ();  gradient : of the shape of theta.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.arrays import as_device, as_dtype, as_tensor, float_dtype
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives.blocking import default_memory
from symbreak.objectives.contract import Objective
from symbreak.objectives.examples import Examples
from symbreak.objectives.indices import check_indices
from symbreak.objectives.minibatches import KeptMiniBatches, MiniBatches, starts_of_block
from symbreak.objectives.network_curvature import Curvature
from symbreak.objectives.passes import Passes, Workspaces
from symbreak.objectives.penalty import Penalty, check_alpha, strength
from symbreak.objectives.stacks import Stacked, as_given, as_stack
from symbreak.objectives.weights import check_weights
from symbreak.parameters import Block
from symbreak.propagation.inputs import prepared_target, with_ones
from symbreak.units import warn_of_symmetry


class NetworkCost(Stacked):
    """The cost J(theta) of a network on (X, y), for many starts at once.

    Parameters
    ----------
    network : the `Network`.
    X : (m, features), NumPy, torch, pandas or polars; rows are examples.
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
        X = as_tensor(X, "X")
        self.network = network
        self.dtype = float_dtype(X, dtype)
        self.device = as_device(X.device if device is None else device)
        self._given_budget = memory_budget
        rows = with_ones(X, network, self.dtype, self.device)
        target = prepared_target(y, network, rows)
        weights = check_weights(sample_weight, len(rows), self.dtype, self.device)
        self._examples = Examples(rows, target, weights)
        self._whole = len(rows), self._examples.total_weight
        self._alpha = check_alpha(alpha, network)
        self._workspaces = Workspaces()
        self._finish()

    def _finish(self) -> None:
        """Derive what depends on examples, weights and penalty."""
        self._starts = self._own_starts()
        given = self._given_budget
        self.memory_budget = default_memory(self.network, self.dtype) if given is None else given
        m, total = self._whole
        self._normalized = self._examples.normalized(total * (len(self._examples) / m))
        scale = 1.0 / len(self._examples) if self._examples.weights is None else 1.0
        # A tensor: torch takes several times longer to multiply a small one by a Python number.
        self._scale = torch.tensor(scale, dtype=self.dtype, device=self.device)
        self._penalty: Penalty | None = None
        if bool((self._alpha > 0).any()):
            spread = strength(self._alpha, self.network, total.cpu())
            spread = spread.to(dtype=self.dtype, device=self.device)
            self._penalty = Penalty(self.blocks, spread)
        self._passes = Passes(
            self.network, self._normalized, self._scale, self.memory_budget, self._workspaces
        )
        self._minibatches = KeptMiniBatches()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Theta1, Theta2, ... and their places in theta."""
        return self.network.blocks

    @property
    def n_examples(self) -> int:
        """The number of examples m."""
        return len(self._examples)

    @property
    def is_weight(self) -> Tensor:
        """Whether each entry of theta is a weight and not a bias, (n,) bool."""
        one = torch.ones((), dtype=torch.float64, device="cpu")
        return strength(one, self.network, one).to(self.device) > 0

    def terms(self) -> dict[str, Objective]:
        """Return the objectives whose sum J is, "data" and, where there is one, "penalty"."""
        if self._penalty is None:
            return {"data": self}
        data = self._with(_alpha=torch.zeros_like(self._alpha))
        return {"data": data, "penalty": self._penalty}

    @property
    def alpha(self) -> Tensor:
        """The penalty, float64: (), (starts,) or (starts, layers)."""
        return self._alpha

    @property
    def nbytes(self) -> int:
        """The memory that the examples take, in bytes."""
        return self._examples.nbytes

    def with_alpha(self, alpha: Any) -> NetworkCost:
        """Return the cost of the same examples with another penalty."""
        return self._with(_alpha=check_alpha(alpha, self.network))

    def has_examples_of(self, other: NetworkCost) -> bool:
        """Whether rows, targets and weights are, bit for bit, those of another cost."""
        return self._examples.equals(other._examples)

    @property
    def starts(self) -> int | None:
        """How many starts the per-start penalties or weights are for; None when there are none."""
        return self._starts

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
        return self._curved(theta, v, self._curvature.hessian_product)

    def gauss_newton_product(self, theta: Any, v: Any) -> Any:
        """Return G v, G the Gauss-Newton matrix of J (Schraudolph 2002): never negative curvature.

        Parameters
        ----------
        theta, v : (starts, n) or (n,), of one shape.
        """
        return self._curved(theta, v, self._curvature.gauss_newton_product)

    def gauss_newton(self, theta: Any) -> tuple[Any, Any, Any]:
        """Return J, its gradient and the Gauss-Newton matrix, (starts, n, n) or (n, n).

        Raises
        ------
        InvalidInput
            The matrices of all starts are over the memory budget.
        """
        stack = self._stack(theta)
        J, gradient, G = self._curvature.gauss_newton(stack)
        if self._penalty is not None:
            self._penalty.add_to(stack, J, gradient)
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
        return as_given(self._curvature.residuals(self._stack(theta)), theta)

    def jacobian(self, theta: Any) -> Any:
        """Return d r / d theta, (starts, r, n) or (r, n); for the loss squared_error.

        Raises
        ------
        InvalidType
            Another loss.
        InvalidInput
            The Jacobians are over the memory budget.
        """
        return as_given(self._curvature.jacobian(self._stack(theta)), theta)

    @property
    def _strength(self) -> Tensor | None:
        return None if self._penalty is None else self._penalty.strength

    @property
    def _curvature(self) -> Curvature:
        return Curvature(
            self.network, self._normalized, self._scale, self._strength, self.memory_budget
        )

    def _curved(self, theta: Any, v: Any, product: Callable[[Tensor, Tensor], Tensor]) -> Any:
        if np.shape(v) != np.shape(theta):
            raise InvalidInput(
                f"v must be of the shape of theta, {tuple(np.shape(theta))}. "
                f"Got {tuple(np.shape(v))}."
            )
        return as_given(product(self._stack(theta), self._stack(v)), theta)

    def warn_of_symmetry(self, theta: Any) -> None:
        """Warn when a start leaves a whole hidden layer as one unit."""
        warn_of_symmetry(self.network, theta)

    def take(self, starts: Any) -> NetworkCost:
        """Return the cost of these starts, with what is theirs alone.

        Parameters
        ----------
        starts : indices, repeats allowed, or a mask.
        """
        if self.starts is None:
            return self
        index = check_indices(starts, self.starts, "starts of take", "start", self._alpha.device)
        alpha = self._alpha[index] if self._alpha.dim() > 0 else self._alpha
        index = index.to(self.device)
        m, total = self._whole
        whole = m, (total[index] if total.dim() > 0 else total)
        return self._with(_alpha=alpha, _examples=self._examples.take(index), _whole=whole)

    def batch(self, rows: Any) -> NetworkCost:
        """Return an unbiased estimate of the cost from these examples (indices, or a mask).

        The penalty stays that of all examples, and Σ w loss is divided by the Σw that so many
        examples have on average: the mean over examples drawn at random is J itself.
        """
        index = check_indices(rows, self.n_examples, "rows of batch", "example", self.device)
        return self._with(_examples=self._examples[index])

    def minibatch_gradients(self, theta: Tensor, order: Tensor, size: int) -> Iterator[Tensor]:
        """Yield the gradient of `batch` on every `size` rows of `order`, at theta as it then is.

        Parameters
        ----------
        theta : (starts, n), contiguous, of the cost's dtype and device; it may be changed between
            two gradients, which come in the same tensor each time.
        order : (k,) indices of examples; the last mini-batch may be short.
        """
        starts = starts_of_block(self.network, theta, size, self.memory_budget)
        if starts is None:
            yield from (self.batch(rows)(theta)[1] for rows in order.split(size))
            return
        made = self._minibatches.taken((starts, size)) or MiniBatches(
            self.network, self._examples, self._whole, self._strength, size, starts
        )
        yield from made.gradients(theta, order)
        self._minibatches.put_back((starts, size), made)

    def to(self, dtype: Any) -> NetworkCost:
        """Return the same cost computed in another dtype."""
        dtype = as_dtype(dtype)
        return self._with(dtype=dtype, _examples=self._examples.to(dtype), _workspaces=Workspaces())

    def _with(self, **changes: Any) -> NetworkCost:
        other = object.__new__(NetworkCost)
        other.__dict__.update(self.__dict__)
        other.__dict__.update(changes)
        other._finish()
        return other

    def _own_starts(self) -> int | None:
        weights = self._examples.weights
        of_alpha = len(self._alpha) if self._alpha.dim() > 0 else None
        of_weights = len(weights) if weights is not None and weights.dim() == 2 else None
        if None not in (of_alpha, of_weights) and of_alpha != of_weights:
            raise InvalidInput(
                f"alpha and sample_weight must be for equally many starts. Got alpha for "
                f"{of_alpha} starts and sample_weight for {of_weights}."
            )
        return of_weights if of_alpha is None else of_alpha

    def _stack(self, theta: Any) -> Tensor:
        stack = as_stack(theta, self.blocks, self.dtype, self.device)
        if self._starts not in (None, len(stack)):
            raise InvalidInput(
                f"theta must have as many starts as alpha or sample_weight, {self.starts}. "
                f"Got {len(stack)}. Use take(starts) for some of them."
            )
        return stack

    def _evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        """Return J (starts,) and write its gradient, if one is wanted."""
        J = self._passes.evaluate(stack, gradient)
        if self._penalty is not None:
            self._penalty.add_to(stack, J, gradient)
        return J
