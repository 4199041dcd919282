"""Second derivatives written out: products with the Hessian, and Jacobians, for many networks.

Conventions (as in `forward` and `backward`; C = d delta / d raw is the curvature of the loss)
-----------
v : (s, n), a direction in theta, V its matrices; R{x} is the derivative of x along v (Pearlmutter
1994). One forward and one backward pass more give R{gradient} = H v:
    R{z(l)} = V [1; a] + W R{a},                R{a} = g'(z) R{z}
    R{delta(L)} = C R{raw}
    R{delta(l)} = (V^T delta + W^T R{delta}) g'(z) + W^T delta g''(z) R{z},   delta of l + 1
    R{gradient} = R{delta} [1; a]^T + delta [0; R{a}]^T
W and V^T are without the bias column. The Gauss-Newton product J^T C J v is the same with delta 0:
what is left are the derivatives of raw (Schraudolph 2002).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from symbreak.propagation.workspace import HiddenLayer, Layers

Matrices = Sequence[Tensor]


def tangent(layers: Layers, V: Matrices, rows_T: Tensor) -> list[Tensor]:
    """Return R{z} of every layer, (s, u, m), the last one R{raw}.

    Parameters
    ----------
    layers : after `forward`.
    V : one (s, u, 1 + v) for each layer.
    rows_T : (1 + features, m).
    """
    Rz = [(V[0].flatten(0, 1) @ rows_T).view(layers.first.z.shape)]
    for layer, above, V_above in zip(layers.hidden, layers.all[1:], V[1:], strict=True):
        Ra = _slope(layer) * Rz[-1]
        Rz.append(V_above @ layer.with_one + above.weights_T.transpose(1, 2) @ Ra)
    return Rz


def gauss_newton_gradient(layers: Layers, Rdelta: Tensor, rows: Tensor) -> list[Tensor]:
    """Return J^T Rdelta as matrices (s, u, 1 + v): back-propagation of Rdelta (s, outputs, m)."""
    found: list[Tensor] = []
    for above, layer in zip(layers.all[:0:-1], layers.hidden[::-1], strict=True):
        found.append(Rdelta @ layer.with_one_T)
        Rdelta = (above.weights_T @ Rdelta).mul_(_slope(layer))
    found.append(_first_gradient(Rdelta, rows))
    return found[::-1]


def hessian_gradient(
    layers: Layers, V: Matrices, Rz: Sequence[Tensor], delta: Tensor, Rdelta: Tensor, rows: Tensor
) -> list[Tensor]:
    """Return R{gradient} as matrices (s, u, 1 + v).

    Parameters
    ----------
    Rz : as `tangent` gives it.
    delta, Rdelta : of the last layer, (s, outputs, m).
    """
    found: list[Tensor] = []
    layers_below = list(
        zip(layers.all[:0:-1], layers.hidden[::-1], V[:0:-1], Rz[-2::-1], strict=True)
    )
    for above, layer, V_above, Rz_layer in layers_below:
        slope = _slope(layer)
        gradient = Rdelta @ layer.with_one_T
        gradient[:, :, 1:] += delta @ (slope * Rz_layer).transpose(1, 2)
        found.append(gradient)
        below = above.weights_T @ delta
        Rbelow = V_above[:, :, 1:].transpose(1, 2) @ delta + above.weights_T @ Rdelta
        bend = layer.activation.second_derivative(layer.z).mul_(Rz_layer)
        Rdelta = Rbelow.mul_(slope).add_(bend.mul_(below))
        delta = below.mul_(slope)
    found.append(_first_gradient(Rdelta, rows))
    return found[::-1]


def jacobian(layers: Layers, root: Tensor, rows: Tensor) -> Tensor:
    """Return d (R raw) / d theta of a block, (s, n, r * m); column i * m + j is row i, example j.

    Parameters
    ----------
    root : R, (s, r, outputs, m): the rows that raw is multiplied by.
    """
    s, r, _, m = root.shape
    delta = root
    found: list[Tensor] = []
    for above, layer in zip(layers.all[:0:-1], layers.hidden[::-1], strict=True):
        found.append(_outer(delta, layer.with_one))
        below = above.weights_T[:, None] @ delta
        delta = below.mul_(_slope(layer)[:, None])
    found.append(_outer(delta, rows.T.expand(s, -1, -1)))
    return torch.cat(found[::-1], dim=1).view(s, -1, r * m)


def _outer(delta: Tensor, below: Tensor) -> Tensor:
    """Return (s, u * (1 + v), r, m), the products of delta (s, r, u, m) and below (s, 1 + v, m)."""
    product = delta.transpose(1, 2)[:, :, None] * below[:, None, :, None]
    return product.flatten(1, 2)


def _slope(layer: HiddenLayer) -> Tensor:
    """Return g'(z), a fresh tensor; `z` and `a` stay as they are."""
    return layer.activation.derivative_from(layer.saved.clone())


def _first_gradient(delta: Tensor, rows: Tensor) -> Tensor:
    s, u, _ = delta.shape
    return (delta.flatten(0, 1) @ rows).view(s, u, -1)
