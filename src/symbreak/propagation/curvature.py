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
    gradients: list[Tensor] = []
    for above, layer in zip(layers.all[:0:-1], layers.hidden[::-1], strict=True):
        gradients.append(Rdelta @ layer.with_one_T)
        Rdelta = (above.weights_T @ Rdelta).mul_(_slope(layer))
    gradients.append(_first_gradient(Rdelta, rows))
    return gradients[::-1]


def hessian_gradient(
    layers: Layers, V: Matrices, Rz: Sequence[Tensor], delta: Tensor, Rdelta: Tensor, rows: Tensor
) -> list[Tensor]:
    """Return R{gradient} as matrices (s, u, 1 + v).

    Parameters
    ----------
    Rz : as `tangent` gives it.
    delta, Rdelta : of the last layer, (s, outputs, m).
    """
    gradients: list[Tensor] = []
    layers_below = list(
        zip(layers.all[:0:-1], layers.hidden[::-1], V[:0:-1], Rz[-2::-1], strict=True)
    )
    for above, layer, V_above, Rz_layer in layers_below:
        slope = _slope(layer)
        gradient = Rdelta @ layer.with_one_T
        gradient[:, :, 1:] += delta @ (slope * Rz_layer).transpose(1, 2)
        gradients.append(gradient)
        below = above.weights_T @ delta
        Rbelow = V_above[:, :, 1:].transpose(1, 2) @ delta + above.weights_T @ Rdelta
        bend = layer.activation.second_derivative(layer.z).mul_(Rz_layer)
        Rdelta = Rbelow.mul_(slope).add_(bend.mul_(below))
        delta = below.mul_(slope)
    gradients.append(_first_gradient(Rdelta, rows))
    return gradients[::-1]


def jacobian(layers: Layers, root: Tensor, rows_T: Tensor, out: Tensor) -> None:
    """Write d (R raw) / d theta of a block into `out`.

    Parameters
    ----------
    layers : after `forward`.
    root : R, (s, r, outputs, m): row i of R raw is made by root[:, i].
    rows_T : (1 + features, m).
    out : (s, n, r, m); each row of R is propagated back as a delta of the last layer.
    """
    parts = out.split_with_sizes(layers.sizes, 1)[::-1]
    delta = root
    for part, above, layer in zip(parts[:-1], layers.all[:0:-1], layers.hidden[::-1], strict=True):
        _write_outer(delta, layer.with_one, part)
        delta = (above.weights_T[:, None] @ delta).mul_(_slope(layer)[:, None])
    _write_outer(delta, rows_T.expand(len(root), -1, -1), parts[-1])


def _write_outer(delta: Tensor, below: Tensor, out: Tensor) -> None:
    """Put the products of delta (s, r, u, m) and below (s, 1 + v, m) in (s, u * (1 + v), r, m)."""
    units = (delta.shape[2], below.shape[1])
    torch.mul(
        delta.transpose(1, 2)[:, :, None], below[:, None, :, None], out=out.unflatten(1, units)
    )


def _slope(layer: HiddenLayer) -> Tensor:
    """Return g'(z), a fresh tensor; `z` and `a` stay as they are."""
    return layer.activation.derivative_from(layer.saved.clone())


def _first_gradient(delta: Tensor, rows: Tensor) -> Tensor:
    s, u, _ = delta.shape
    return (delta.flatten(0, 1) @ rows).view(s, u, -1)
