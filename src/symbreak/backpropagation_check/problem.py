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
from numpy.typing import NDArray

from symbreak.arrays import as_numpy, as_own_kind, cast, copied, float_word
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
    target: NDArray[Any]
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
    vector = cast(one_vector(theta, network), "float64")
    rows = with_ones(X, network, np.empty(0))
    target = prepared_target(y, network, rows, rows.shape[0])
    return Problem(
        network=network,
        theta=vector,
        thetas=network.thetas(vector),
        X_T=rows[:, 1:].T,
        Y=copied(network.loss.outputs_of(target, network.n_outputs)),
        target=target,
        alpha=_one_alpha(alpha, network),
    )


def one_vector(theta: Any, network: Network) -> NDArray[Any]:
    """Return theta as (n,) in the dtype to compute in; a stack of one start counts as one."""
    given = as_own_kind(theta, "theta")
    check_size(given, network.blocks)
    if given.ndim == 2 and given.shape[0] > 1:
        raise InvalidInput(
            f"theta of check_backpropagation must be one start, of shape "
            f"({network.n_parameters},). Got {tuple(given.shape)}. Check them one by one."
        )
    vector = as_numpy(cast(given, float_word(given))).reshape(-1)
    if not np.isfinite(vector).all():
        raise InvalidInput("theta of check_backpropagation must be finite. Got NaN or infinity.")
    return vector


def _one_alpha(alpha: Any, network: Network) -> float:
    checked = check_alpha(alpha, network)
    if checked.ndim > 0:
        raise InvalidInput(
            f"alpha of check_backpropagation must be one number. Got shape {tuple(checked.shape)}."
        )
    return float(checked)
