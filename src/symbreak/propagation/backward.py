"""Back-propagation of many networks at once: the gradient of a sum over examples.

Conventions
-----------
delta of the last layer = d loss / d raw;  delta(l) = W(l)^T delta(l+1) * g'(z(l)), W = Theta
without its bias column;  gradient of Theta(l) = delta(l+1) [1; a(l)]^T     (Rumelhart et al. 1986)
first layer of all starts, one product: gradient of Theta(1) = [delta of all starts] rows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.propagation.workspace import Layers


def backward(layers: Layers, rows: Tensor, *, accumulate: bool) -> None:
    """Write (or add, if `accumulate`) the gradient of every matrix; uses z and a up.

    Parameters
    ----------
    layers : as `forward` filled them, with raw overwritten by its delta.
    rows : (m, 1 + features).
    """
    above = layers.output
    for layer in reversed(layers.hidden):
        if accumulate:
            above.gradient.baddbmm_(above.delta, layer.with_one_T)
        else:
            torch.bmm(above.delta, layer.with_one_T, out=above.gradient)
        torch.bmm(above.weights_T, above.delta, out=layer.delta)
        layer.activation.multiply_by_derivative_(layer.delta, layer.saved)
        above = layer
    if accumulate:
        above.gradient_flat.addmm_(above.delta_flat, rows)
    else:
        torch.mm(above.delta_flat, rows, out=above.gradient_flat)
