"""The way back through weighted examples, once for full passes, mini-batches and curvature.

Conventions
-----------
losses : (s, m), of each start and example, not weighted
weights : None for 1, a number for all examples, (m,), or (s, m) where each start has its own
"""

from __future__ import annotations

from symbreak.arrays import Array, contiguous, namespace
from symbreak.losses import Loss
from symbreak.objectives.examples import Examples
from symbreak.propagation.backward import backward
from symbreak.propagation.workspace import Layers


def losses_and_deltas_(
    loss: Loss, raw: Array, target: Array, weights: Array | float | None
) -> Array:
    """Return the losses and turn raw (s, outputs, m) into w delta."""
    losses = loss.value_and_delta_(raw, target)
    if weights is not None:
        raw *= weights if isinstance(weights, float) or weights.ndim < 2 else weights[:, None, :]
    return losses


def weighted_backward(
    loss: Loss,
    layers: Layers,
    examples: Examples,
    weights: Array | float | None,
    *,
    accumulate: bool,
) -> Array:
    """Return the losses and write (or add) the gradient of Σ w loss in every layer.

    Parameters
    ----------
    layers : after the forward pass, which is used up.
    examples : a block; `weights` stand in the place of its own.
    """
    losses = losses_and_deltas_(loss, layers.output.z, examples.target, weights)
    backward(layers, examples.rows, accumulate=accumulate)
    return losses


def weighted_sum(losses: Array, weights: Array | None) -> Array:
    """Return Σ w loss, (s,)."""
    terms = losses if weights is None else losses * weights
    # NumPy adds in pairs, which keeps the digits, only what lies in a row.
    return namespace(terms).sum(contiguous(terms), axis=1)
