"""The kernel: J and its gradient of many networks on examples, all that costs time in a fit.

A kernel is made for one set of examples, with what weighs them and the penalty, and is then asked
again and again. `kernel_for` is the one place where it is chosen.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from symbreak.network import Network
from symbreak.objectives.array_kernel import ArrayKernel, Workspaces
from symbreak.objectives.examples import Examples


class Kernel(Protocol):
    """J and its gradient, penalty included.

    J = scale Σ w loss + ½ Σ strength theta²
    """

    def evaluate(self, stack: Tensor, gradient: Tensor | None) -> Tensor:
        """Return J (starts,) and write its gradient, if one is wanted.

        Parameters
        ----------
        stack : theta (starts, n), contiguous, in the dtype and on the device of the examples.
        gradient : (starts, n), likewise; None for J alone, which is cheaper.
        """


def kernel_for(
    network: Network,
    examples: Examples,
    *,
    scale: Tensor,
    strength: Tensor | None,
    memory_budget: int,
    workspaces: Workspaces,
) -> Kernel:
    """Return the kernel for these examples.

    Parameters
    ----------
    examples : with normalised weights, or none.
    scale : what sums over examples are multiplied by: 1 / m, or 1 with weights.
    strength : of the penalty, (n,) or (starts, n), see `penalty`; None for no penalty.
    memory_budget : bytes that buffers may take.
    workspaces : buffers shared with the kernels of other starts or examples.
    """
    return ArrayKernel(network, examples, scale, strength, memory_budget, workspaces)
