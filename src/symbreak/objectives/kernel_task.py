"""What a kernel computes: J = scale Σ w loss + ½ Σ strength theta² of a network on examples."""

from __future__ import annotations

from dataclasses import dataclass

from symbreak.arrays import Array
from symbreak.network import Network
from symbreak.objectives.examples import Examples


@dataclass(frozen=True, eq=False)
class KernelTask:
    """All that J, its gradient and its curvature follow from.

    Attributes
    ----------
    examples : with normalised weights, or none.
    scale : what sums over examples are multiplied by: 1 / m, or 1 with weights.
    strength : of the penalty, (n,) or (starts, n), see `penalty`; None for no penalty.
    memory_budget : bytes that buffers may take.
    """

    network: Network
    examples: Examples
    scale: float
    strength: Array | None
    memory_budget: int
