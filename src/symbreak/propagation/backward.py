"""Back-propagation of many networks at once: the gradient of a sum over examples.

Conventions
-----------
delta of the last layer = d loss / d raw;  delta(l) = W(l)^T delta(l+1) * g'(z(l)), W = Theta
without its bias column;  gradient of Theta(l) = delta(l+1) [1; a(l)]^T     (Rumelhart et al. 1986)
first layer of all starts, one product: gradient of Theta(1) = [delta of all starts] rows.
"""

from __future__ import annotations

from symbreak.arrays import Array, into, namespace
from symbreak.propagation.first_layer import slopes
from symbreak.propagation.workspace import Layers


def backward(layers: Layers, rows: Array, *, accumulate: bool) -> None:
    """Write (or add, if `accumulate`) the gradient of every matrix; uses z and a up.

    Parameters
    ----------
    layers : as `forward` filled them, with raw overwritten by its delta.
    rows : (m, 1 + features).
    """
    matmul, above = namespace(layers.output.z).matmul, layers.output
    for layer in reversed(layers.hidden):
        if accumulate:
            above.gradient += matmul(above.delta, layer.with_one_T)
        else:
            into(above.gradient, matmul, above.delta, layer.with_one_T)
        into(layer.delta, matmul, above.weights_T, above.delta)
        layer.activation.multiply_by_derivative_(layer.delta, layer.saved)
        above = layer
    slopes(above.delta_flat, rows, above.gradient_flat, accumulate=accumulate)
