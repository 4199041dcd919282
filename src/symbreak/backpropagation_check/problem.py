"""What is to be computed: the net, its matrices, the examples and the penalty, in float64.

Conventions
-----------
thetas[l - 1] is Theta(l), (units of l + 1, 1 + units of l), the bias in column 0
X_T : (features, m);  Y : (outputs, m), 0 and 1 for classes (one row for each)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives.penalty import check_alpha
from symbreak.parameters import check_size
from symbreak.propagation.inputs import prepared_target, with_ones

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """One net at one theta on m examples; see the head of the module for the shapes."""

    network: Network
    theta: Array
    thetas: tuple[Array, ...]
    X_T: Array
    Y: Array
    target: Tensor
    alpha: float

    @property
    def n_layers(self) -> int:
        """L, the number of layers, the input counted."""
        return len(self.network.layers)

    @property
    def m(self) -> int:
        """The number of examples."""
        return int(self.X_T.shape[1])

    def penalised(self, layer: int, *, with_bias: bool = False) -> Array:
        """Return Theta(layer) with zeros in the bias column, where the penalty does not reach."""
        theta = self.thetas[layer - 1].copy()
        if not with_bias:
            theta[:, 0] = 0.0
        return theta


def problem_of(network: Network, theta: Any, X: Any, y: Any, alpha: Any) -> Problem:
    """Check the arguments of `check_backpropagation` and return them in float64.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, values that are not finite, several starts or alphas.
    """
    vector = one_vector(theta, network)
    stack = vector.to(torch.float64)[None]
    rows = with_ones(X, network, np.empty(0))
    target = prepared_target(y, network, rows)
    return Problem(
        network=network,
        theta=stack[0].numpy(),
        thetas=tuple(part[0].numpy() for part in network.thetas(stack)),
        X_T=rows[:, 1:].T,
        Y=network.loss.outputs_of(target, network.n_outputs).copy(),
        target=torch.from_numpy(target),
        alpha=_one_alpha(alpha, network),
    )


def one_vector(theta: Any, network: Network) -> Tensor:
    """Return theta as (n,) on the CPU; a stack of one start counts as one."""
    tensor = as_tensor(theta, "theta").cpu()
    check_size(tensor, network.blocks)
    if tensor.dim() == 2 and len(tensor) > 1:
        raise InvalidInput(
            f"theta of check_backpropagation must be one start, of shape "
            f"({network.n_parameters},). Got {tuple(tensor.shape)}. Check them one by one."
        )
    if not bool(torch.isfinite(tensor).all()):
        raise InvalidInput("theta of check_backpropagation must be finite. Got NaN or infinity.")
    return tensor.reshape(-1)


def _one_alpha(alpha: Any, network: Network) -> float:
    checked = check_alpha(alpha, network)
    if checked.ndim > 0:
        raise InvalidInput(
            f"alpha of check_backpropagation must be one number. Got shape {tuple(checked.shape)}."
        )
    return float(checked)
