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

from symbreak.arrays import Array, copied, into, namespace
from symbreak.propagation.workspace import HiddenLayer, Layers

Matrices = Sequence[Array]


def tangent(layers: Layers, V: Matrices, rows_T: Array) -> list[Array]:
    """Return R{z} of every layer, (s, u, m), the last one R{raw}.

    Parameters
    ----------
    layers : after `forward`.
    V : one (s, u, 1 + v) for each layer.
    rows_T : (1 + features, m).
    """
    xp, first = namespace(rows_T), layers.first
    flat = xp.reshape(V[0], first.theta_flat.shape)
    Rz = [xp.reshape(flat @ rows_T, first.z.shape)]
    for layer, above, V_above in zip(layers.hidden, layers.all[1:], V[1:], strict=True):
        Ra = _slope(layer) * Rz[-1]
        Rz.append(V_above @ layer.with_one + above.weights_T.mT @ Ra)
    return Rz


def gauss_newton_gradient(layers: Layers, Rdelta: Array, rows: Array) -> list[Array]:
    """Return J^T Rdelta as matrices (s, u, 1 + v): back-propagation of Rdelta (s, outputs, m)."""
    gradients: list[Array] = []
    for above, layer in zip(layers.all[:0:-1], layers.hidden[::-1], strict=True):
        gradients.append(Rdelta @ layer.with_one_T)
        Rdelta = above.weights_T @ Rdelta
        Rdelta *= _slope(layer)
    gradients.append(_first_gradient(Rdelta, rows))
    return gradients[::-1]


def hessian_gradient(
    layers: Layers, V: Matrices, Rz: Sequence[Array], delta: Array, Rdelta: Array, rows: Array
) -> list[Array]:
    """Return R{gradient} as matrices (s, u, 1 + v).

    Parameters
    ----------
    Rz : as `tangent` gives it.
    delta, Rdelta : of the last layer, (s, outputs, m).
    """
    gradients: list[Array] = []
    layers_below = list(
        zip(layers.all[:0:-1], layers.hidden[::-1], V[:0:-1], Rz[-2::-1], strict=True)
    )
    for above, layer, V_above, Rz_layer in layers_below:
        slope = _slope(layer)
        gradient = Rdelta @ layer.with_one_T
        gradient[:, :, 1:] += delta @ (slope * Rz_layer).mT
        gradients.append(gradient)
        below = above.weights_T @ delta
        Rbelow = V_above[:, :, 1:].mT @ delta + above.weights_T @ Rdelta
        bend = layer.activation.second_derivative(layer.z)
        bend *= Rz_layer
        bend *= below
        Rbelow *= slope
        Rbelow += bend
        below *= slope
        Rdelta, delta = Rbelow, below
    gradients.append(_first_gradient(Rdelta, rows))
    return gradients[::-1]


def jacobian(layers: Layers, root: Array, rows_T: Array, out: Array) -> None:
    """Write d (R raw) / d theta of a block into `out`.

    Parameters
    ----------
    layers : after `forward`.
    root : R, (s, r, outputs, m): row i of R raw is made by root[:, i].
    rows_T : (1 + features, m).
    out : (s, n, r, m); each row of R is propagated back as a delta of the last layer.
    """
    parts = layers.split(out)[::-1]
    delta = root
    for part, above, layer in zip(parts[:-1], layers.all[:0:-1], layers.hidden[::-1], strict=True):
        _write_outer(delta, layer.with_one, part)
        delta = above.weights_T[:, None, :, :] @ delta
        delta *= _slope(layer)[:, None, :, :]
    _write_outer(delta, rows_T[None, :, :], parts[-1])


def _write_outer(delta: Array, below: Array, out: Array) -> None:
    """Put the products of delta (s, r, u, m) and below (s, 1 + v, m) in (s, u * (1 + v), r, m)."""
    xp, (s, r, u, m) = namespace(out), delta.shape
    room = xp.reshape(out, (s, u, below.shape[1], r, m))
    by_unit = xp.permute_dims(delta, (0, 2, 1, 3))
    into(room, xp.multiply, by_unit[:, :, None, :, :], below[:, None, :, None, :])


def _slope(layer: HiddenLayer) -> Array:
    """Return g'(z), a fresh tensor; `z` and `a` stay as they are."""
    return layer.activation.derivative_from(copied(layer.saved))


def _first_gradient(delta: Array, rows: Array) -> Array:
    xp, (s, u, m) = namespace(rows), delta.shape
    return xp.reshape(xp.reshape(delta, (s * u, m)) @ rows, (s, u, -1))
