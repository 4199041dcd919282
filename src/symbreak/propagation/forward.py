"""Forward propagation of many networks at once.

Conventions (Theta(l) has the bias in column 0)
-----------
rows : (m, 1 + features), a column of ones in front of X
first layer of all starts, one product:   z = [Theta(1) of all starts] rows^T    (s * u, m)
later layers, one product for each start: z = Theta(l) [1; a]                    (s, u, m)
a = g(z); the last z is raw.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symbreak.arrays import Array, into, namespace
from symbreak.propagation.first_layer import weighted_inputs
from symbreak.propagation.workspace import Layers, Workspace


def forward_blocks(workspace: Workspace, stack: Array, blocks: Iterable[Array]) -> Iterator[Layers]:
    """Yield the layers after a forward pass over each block of examples, in the same memory.

    Parameters
    ----------
    stack : theta (s, n), copied into the matrices once.
    blocks : the transposed rows of each block, (1 + features, m).
    """
    is_loaded = False
    for rows_T in blocks:
        layers = workspace.layers(stack.shape[0], rows_T.shape[1])
        if not is_loaded:
            layers.load(stack)
            is_loaded = True
        forward(layers, rows_T)
        yield layers


def forward(layers: Layers, rows_T: Array) -> Array:
    """Fill z and a of every layer and return raw, (s, outputs, m).

    Parameters
    ----------
    layers : holding theta.
    rows_T : (1 + features, m), the transpose of rows.
    """
    matmul = namespace(layers.first.z).matmul
    weighted_inputs(layers.first.theta_flat, rows_T, layers.first.z_flat)
    for layer, above in zip(layers.hidden, layers.all[1:], strict=True):
        layer.activation.write(layer.z, layer.a)
        layer.one[...] = 1.0
        into(above.z, matmul, above.theta, layer.with_one)
    return layers.output.z
